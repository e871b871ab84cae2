"""The slices of a run are read once, and let go when they have served."""

from __future__ import annotations

import gc
import weakref

import numpy as np

from metasr_training.catalogue import recipe
from metasr_training.condition import Condition
from metasr_training.datasets.slices import Slice
from metasr_training.run_data import RunData


def test_slices_are_read_once_until_they_are_let_go(tmp_path):
    asked = []

    def read(split, domain, contrasts):
        asked.append(split)
        return [Slice(np.zeros((8, 8), np.float32), (0.0, 1.0), "scans", split, f"{split}:0")]

    data = RunData(tmp_path, tmp_path / "split.json", read=read)
    config = recipe("mse").resolve("smoke", Condition())
    first = weakref.ref(data.images(config)["train"][0])
    data.images(config)
    assert sorted(asked) == ["train", "val"]
    data.forget()
    gc.collect()
    assert first() is None
    data.images(config)
    assert sorted(asked) == ["train", "train", "val", "val"]
