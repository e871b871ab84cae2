"""From a run folder and an experiment's id to ``RUN/evaluation/ID``, whole or not at all."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from metasr_training.catalogue import experiment, recipe
from metasr_training.datasets.cache import default_folder
from metasr_training.datasets.slices import load_slices
from metasr_training.detector import find_detector
from metasr_training.evaluation.about import EvaluationAbout, describe, write_about
from metasr_training.evaluation.bench import Bench
from metasr_training.evaluation.kinds import KINDS
from metasr_training.trained import load_trained, run_record

if TYPE_CHECKING:
    from metasr_training.datasets.slices import Split
    from metasr_training.trained import TrainedNetwork

EVALUATION = "evaluation"


def evaluation_folder(run: Path, name: str) -> Path:
    """Where a run keeps the evaluation of an experiment."""
    return run / EVALUATION / name


def evaluate_experiment(
    name: str,
    run: Path,
    *,
    data: Path | None = None,
    images: int | None = None,
    split: Split = "val",
    device: str = "cpu",
) -> EvaluationAbout:
    """Evaluate an experiment of a run, and write scores, tables and figures.

    Parameters
    ----------
    name
        The experiment's id.
    run
        A run folder of ``metasr-train``.
    data
        The data folder; by default the one that the run was trained on.
    images
        How many images of each source; by default what the experiment says for the preset.
    split
        Which patients. ``test`` is for the end.
    device
        A torch device.

    Raises
    ------
    ValueError
        If there is no such experiment (the nearest is suggested), or nothing to evaluate it on.
    FileNotFoundError
        If the folder is no run, or lacks a network or the data.
    """
    wanted = experiment(name)
    record = run_record(run)
    folder = Path(record["data"]) if data is None else data
    preset = str(record["preset"])

    @cache
    def load(network: str) -> TrainedNetwork:
        try:
            return load_trained(run, network, device=device)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{error}. {name} needs it: metasr-train {name} --preset {preset} --data {folder} "
                f"--output {run} --resume"
            ) from None

    for method in wanted.methods:
        for condition in wanted.conditions if method.recipe else ():
            load(recipe(str(method.recipe)).network_name(condition))
    slices = load_slices(
        folder,
        split,
        wanted.sources or None,
        split_file=run / "split.json",
        cache=default_folder(),
    )
    started = time.perf_counter()
    with replacing_folder(evaluation_folder(run, name)) as output:
        bench = Bench(
            experiment=wanted,
            preset=preset,
            run=run,
            data=folder,
            slices=tuple(slices),
            images=wanted.images[preset] if images is None else images,
            load=load,
            finder=lambda: find_detector(run, device),
            output=output,
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


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder beside ``folder``, which takes its place at the end; or stays away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new, old = (folder.with_name(f".{uuid.uuid4().hex}.{folder.name}") for _ in range(2))
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
