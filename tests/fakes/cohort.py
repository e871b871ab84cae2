"""Folders with many volumes, and a cluster as users run their own."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from distributed import Client


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
