"""From a run folder and an experiment's id to ``RUN/evaluation/ID``, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from metasr_training.catalogue import experiment, recipe
from metasr_training.datasets.cache import default_folder
from metasr_training.datasets.slices import load_slices
from metasr_training.detector import find_detector, trained_weights
from metasr_training.evaluation.about import EvaluationAbout, describe, write_about
from metasr_training.evaluation.bench import Bench
from metasr_training.evaluation.detection.remembering import remembering
from metasr_training.evaluation.kinds import KINDS
from metasr_training.trained import load_trained, run_record
from napari_metasr.files import making_folders, replacing_folder

if TYPE_CHECKING:
    from metasr_training.datasets.slices import Slice, Split
    from metasr_training.trained import TrainedNetwork
    from napari_metasr.lesions.detector import Detector

EVALUATION = "evaluation"


def evaluation_folder(run: Path, name: str) -> Path:
    """Return where a run keeps the evaluation of an experiment."""
    return run / EVALUATION / name


def evaluate_experiment(
    name: str,
    run: Path,
    *,
    data: Path | None = None,
    images: int | None = None,
    sources: tuple[str, ...] = (),
    split: Split = "val",
    device: str = "cpu",
    options: Mapping[str, Any] = MappingProxyType({}),
) -> EvaluationAbout:
    """Evaluate an experiment of a run, and write scores, tables and figures.

    Parameters
    ----------
    name
        The experiment's id.
    run
        A run folder of ``metasr-train``.
    data
        The data folder; by default the one that the run was trained on, split as it was then.
    images
        How many images of each source; by default what the experiment says for the preset.
    sources
        Which data sets; those of the experiment, or all, where empty.
    split
        Which patients. ``test`` is for the end.
    device
        A torch device.
    options
        Over those of the experiment.

    Raises
    ------
    ValueError
        If there is no such experiment (the nearest is suggested), or nothing to evaluate it on.
    FileNotFoundError
        If the folder is no run, or lacks a network or the data.
    """
    wanted = experiment(name)
    wanted = wanted.model_copy(update={"options": {**wanted.options, **options}})
    record = run_record(run)
    trained_on = Path(record["data"])
    folder = trained_on if data is None else data
    preset = str(record["preset"])

    @cache
    def load(network: str) -> TrainedNetwork:
        return load_trained(run, network, device=device)

    for method in wanted.methods:
        for condition in wanted.conditions if method.recipe else ():
            load(recipe(str(method.recipe)).network_name(condition))

    def of_split(one: Split) -> list[Slice]:
        return load_slices(
            folder,
            one,
            sources or wanted.sources or None,
            unreadable=record.get("unreadable", "stop"),
            split_file=run / "split.json" if folder.resolve() == trained_on.resolve() else None,
            cache=default_folder(),
        )

    def detector(network: str) -> Detector:
        return trained_weights(run, network, device).detector(device, wrapped=remembering)

    slices = of_split(split)
    started = time.perf_counter()
    output_folder = evaluation_folder(run, name)
    with making_folders([output_folder.parent]), replacing_folder(output_folder) as output:
        bench = Bench(
            experiment=wanted,
            preset=preset,
            run=run,
            data=folder,
            slices=tuple(slices),
            images=wanted.images[preset] if images is None else images,
            load=load,
            finder=lambda: find_detector(run, device),
            detector=detector,
            output=output,
            split=split,
            of_split=of_split,
        )
        findings = KINDS[wanted.kind](bench)
        about = describe(
            wanted,
            findings,
            record,
            data=folder,
            split=split,
            device=device,
            seconds=time.perf_counter() - started,
        )
        write_about(output, about)
    return about
