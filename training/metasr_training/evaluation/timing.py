"""``time``: seconds an epoch of every method, and seconds to upscale the validation set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from pydantic import Field

from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.cases import RegionOptions, cut, make_case
from metasr_training.evaluation.contestants import contestants
from metasr_training.evaluation.costs import epoch_seconds, seconds_an_image, updates_per_second
from metasr_training.evaluation.described import batch_text
from metasr_training.evaluation.published import published_notes, published_text
from metasr_training.tables import markdown_table, write_rows
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.evaluation.cases import Case


class TimeOptions(RegionOptions, frozen=True):
    """What the measurement of time takes besides its regions.

    Attributes
    ----------
    training_images, validation_images
        How many the paper had: what seconds are given for.
    timed
        Windows that inference is timed with, one at a time.
    """

    training_images: int = Field(9559, ge=1)
    validation_images: int = Field(2368, ge=1)
    timed: int = Field(16, ge=1)


@dataclass(frozen=True)
class TimeRow:
    """What one method takes; ``inference_seconds`` is scaled up from the windows timed."""

    condition: str
    method: str
    updates_per_second: float | None
    batches: str
    trained_on: str
    epoch_seconds: float | None
    seconds_an_image: float
    timed_images: int
    inference_seconds: float


def low_resolution_window(case: Case) -> tuple[NDArray, OutputGrid, tuple[float, float]]:
    """Cut the region of interest out of the low-resolution image, as LFSR's generators take it.

    Also return its output grid and the intensities that networks see as 0 and 1.
    """
    scale = case.grid.rows.scale
    top, left, bottom, right = case.regions[case.main]
    window = Window(top / scale, left / scale, bottom / scale, right / scale)
    part = cut(case.low_resolution, window)
    return part, OutputGrid.at_scale(part.shape, scale), case.intensity_range


def evaluate_time(bench: Bench) -> EvaluationOutput:
    """Read the speed of training from the run's logs, and time inference here."""
    options = bench.options(TimeOptions)
    findings = EvaluationOutput()
    rows: list[TimeRow] = []
    slices = bench.compared(options)[: options.timed]
    for condition in bench.experiment.conditions:
        detect = bench.detect(options)
        cases = [
            make_case(one, condition, bench.experiment.region, options, detect) for one in slices
        ]
        windows = [low_resolution_window(case) for case in cases if case is not None]
        for method in contestants(bench.experiment, condition, bench.load):
            network = method.network
            if network is None:
                continue
            seconds = seconds_an_image(method.upscale, windows)
            findings.took_part([network])
            rows.append(
                TimeRow(
                    condition=condition.name,
                    method=method.label,
                    updates_per_second=updates_per_second(network),
                    batches=batch_text(network.config),
                    trained_on=str(network.about.get("hardware", "unknown hardware")),
                    epoch_seconds=epoch_seconds(network, options.training_images),
                    seconds_an_image=seconds,
                    timed_images=len(windows),
                    inference_seconds=seconds * options.validation_images,
                )
            )
    findings.images = len(slices)
    write_rows(bench.output / "table.csv", rows)
    findings.tables.append(
        ("Measured, and as published", markdown_table(_columns(bench.experiment.id, options), rows))
    )
    findings.notes.append(
        f"Seconds an epoch are the updates a second of the run's log, scaled to "
        f"{options.training_images:,} images and measured with the batches in the table, which "
        "are the paper's in the preset paper alone; seconds for the validation set are scaled from "
        f"{len(slices)} windows, upscaled one at a time on {torch.get_num_threads()} threads of "
        "this machine, to "
        f"{options.validation_images:,}. The paper's are of a TITAN X."
    )
    findings.notes += published_notes(bench.experiment.id, "epoch_seconds", "inference_seconds")
    return findings


def _columns(experiment: str, options: TimeOptions) -> dict[str, Callable[[TimeRow], str]]:
    def printed(metric: str) -> Callable[[TimeRow], str]:
        return lambda row: published_text(experiment, row.condition, row.method, metric)

    def known(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:,.{digits}f}"

    return {
        "method": lambda row: row.method,
        "updates a second": lambda row: known(row.updates_per_second, 3),
        "with batches of": lambda row: row.batches,
        f"s an epoch of {options.training_images:,}": lambda row: known(row.epoch_seconds, 1),
        "published s an epoch": printed("epoch_seconds"),
        "trained on": lambda row: row.trained_on,
        "ms an image": lambda row: known(1000 * row.seconds_an_image, 1),
        f"s for {options.validation_images:,} images": lambda row: known(row.inference_seconds, 1),
        "published s": printed("inference_seconds"),
    }
