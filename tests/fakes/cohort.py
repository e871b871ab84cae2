"""Folders with many volumes, and a cluster as users run their own."""

from __future__ import annotations

import json
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import Client


NAME = "sub-{0:02d}/ses-1/anat/sub-{0:02d}_ses-1_acq-x{1}_T1w{2}"
MADE = "_res-1p5x1x1x_desc-metasr"


@contextmanager
def cluster(count: int) -> Iterator[Client]:
    """Worker processes whose scheduler lets every program in that knows its address."""
    import dask
    from distributed import Client, LocalCluster

    quietly = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        LocalCluster(n_workers=count, threads_per_worker=1, memory_limit=0, **quietly) as made,
        Client(made, set_as_default=False) as client,
    ):
        yield client


def dataset(root: Path, names=(), **description) -> Path:
    """A folder with a dataset's description, and empty files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    root.mkdir(exist_ok=True)
    told = {"Name": "Heads", "BIDSVersion": "1.10.0", **description}
    (root / "dataset_description.json").write_text(json.dumps(told))
    return root


def source(root: Path, number: int) -> Path:
    return root / NAME.format(number, "", ".nii.gz")


def result(output: Path, number: int, suffix: str = ".nii.gz", made: str = MADE) -> Path:
    return output / NAME.format(number, made, suffix)


def heads(root: Path, count: int, shape: tuple[int, int, int]) -> Path:
    dataset(root)
    for number in range(count):
        path = source(root, number)
        path.parent.mkdir(parents=True)
        stored(path, smooth(shape, seed=number), affine_with("LPS"))
        path.with_name(path.name.replace("T1w.nii.gz", "mask.nii.gz")).touch()
    return root


def lines(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / "logs/cohort.jsonl").read_text().splitlines()]


def states(printed: str) -> dict[str, str]:
    """Outcome by file, from the table."""
    rows = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 2 and "/" in row[0]}
