"""``scales``: one low-resolution input, upscaled to one size after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field
from tqdm import tqdm

from metasr_training.datasets.eight_bits import EIGHT_BITS
from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.cases import Case, RegionOptions, degrade_slice
from metasr_training.evaluation.contestants import contestants
from metasr_training.evaluation.curves import add_curves
from metasr_training.evaluation.output.plots import Line, Panel, save_plot
from metasr_training.evaluation.output.sheets import Tile, compared_tile, save_sheet
from metasr_training.evaluation.scores import ALL, average_rows, measure, upscaled
from metasr_training.evaluation.standing import standing
from metasr_training.tables import markdown_table, mean_text, write_rows
from napari_metasr.degradations import degrade
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import contrast_limits
from napari_metasr.quality.metrics import brain_box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from metasr_training.condition import Condition
    from metasr_training.datasets.slices import Slice
    from metasr_training.evaluation.contestants import Contestant
    from metasr_training.evaluation.scores import AverageRow, ImageScore


class ScaleOptions(RegionOptions, frozen=True):
    """What a figure over scales takes.

    Attributes
    ----------
    scales
        By which the one input is upscaled, rising; the truth at each is the slice reduced by the
        input's own scale over it.
    """

    scales: tuple[float, ...] = Field((1.5, 2.0, 2.5, 3.0, 3.5, 4.0), min_length=1)


def scale_cases(one: Slice, condition: Condition, scales: Sequence[float]) -> Iterator[Case]:
    """Reduce a slice once by the condition's scale and yield a case, with its truth, per scale.

    Raises
    ------
    ValueError
        If a scale is larger than the condition's: of that there is no truth.
    """
    if max(scales) > condition.scale:
        raise ValueError(
            f"expected scales up to the condition's {condition.scale:g}, found {max(scales):g}"
        )
    one, finest, low_resolution, _ = degrade_slice(one, condition)
    for scale in scales:
        grid = OutputGrid.at_scale(low_resolution.shape, scale)
        truth = degrade(finest, grid.output_shape, condition.degradation)
        whole = Window.whole(grid.output_shape)
        regions: dict[str, Window] = {"slice": whole, "brain": Window(*brain_box(truth))}
        same = replace(one, mask=None)
        yield Case(same, f"x{scale:g}", truth, low_resolution, grid, regions)


def evaluate_scales(bench: Bench) -> EvaluationOutput:
    """Measure every method at every scale; draw one slice and the curves."""
    options = bench.options(ScaleOptions)
    condition = bench.experiment.conditions[0]
    methods = contestants(bench.experiment, condition, bench.load)
    findings = EvaluationOutput()
    findings.took_part(one.network for one in methods)
    scores: list[ImageScore] = []
    slices = bench.chosen()
    for one in tqdm(slices, unit="slice"):
        for case in scale_cases(one, condition, options.scales):
            for label, output in upscaled(case, methods):
                scores += measure(case, label, output)
    findings.images = len(slices)
    for scale in dict.fromkeys(score.condition for score in scores):
        here = [score for score in scores if score.condition == scale]
        findings.ranking[scale], below = standing(here, methods)
        if below:
            findings.not_converged[scale] = below
    rows = average_rows(scores)
    write_rows(bench.output / "scores.csv", scores)
    write_rows(bench.output / "table.csv", rows)
    whole = [row for row in rows if (row.region, row.source) == ("slice", ALL)]
    findings.tables.append(("Mean over the slices", markdown_table(_columns(), whole)))
    first = [one for one in slices if one.source == slices[0].source]
    _draw(bench, options, condition, first[len(first) // 2], methods)
    caption = (
        f"One slice reduced by {condition.scale:g} and upscaled to one size after another, "
        f"{methods[0].label} above and {methods[-1].label} below, each with PSNR and SSIM against "
        "the slice reduced to that size."
    )
    findings.figures.append(("scales.png", caption))
    save_plot(bench.output / "over-scales.png", _panels(whole, options.scales), "Over scales")
    findings.figures.append(("over-scales.png", "PSNR and SSIM over the scale, whole slices."))
    add_curves(bench, findings, {"all scales": methods})
    return findings


def _draw(
    bench: Bench,
    options: ScaleOptions,
    condition: Condition,
    one: Slice,
    methods: Sequence[Contestant],
) -> None:
    lines: dict[str, list[Tile]] = {method.label: [] for method in methods}
    for case in scale_cases(one, condition, options.scales):
        for label, output in upscaled(case, methods):
            tile = compared_tile(output, case.truth, EIGHT_BITS, f"{label} {case.condition}")
            lines[label].append(tile)
    low: NDArray[np.float32] = case.low_resolution
    for line in lines.values():
        line.insert(0, Tile(low, contrast_limits(low), "Input"))
    width = case.truth.shape[1]
    save_sheet(
        bench.output / "scales.png",
        list(lines.values()),
        f"{bench.experiment.title}: {one.source}",
        width=width,
        magnify=False,
    )


def _columns() -> dict[str, Callable[[AverageRow], str]]:
    return {
        "scale": lambda row: row.condition,
        "method": lambda row: row.method,
        "images": lambda row: str(row.images),
        "PSNR (dB)": lambda row: mean_text(row.psnr, row.psnr_std, 2),
        "SSIM": lambda row: mean_text(row.ssim, row.ssim_std, 3),
    }


def _panels(rows: Sequence[AverageRow], scales: Sequence[float]) -> list[Panel]:
    """Make panels of PSNR and SSIM over the scale; each method's rows are in order of scales."""
    panels = []
    for field, y_label in (("psnr", "PSNR (dB)"), ("ssim", "SSIM")):
        lines = tuple(
            Line(label, scales, [getattr(row, field) for row in rows if row.method == label])
            for label in dict.fromkeys(row.method for row in rows)
        )
        panels.append(Panel(y_label, "scale", y_label, lines))
    return panels
