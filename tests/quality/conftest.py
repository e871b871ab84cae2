"""A study of three methods."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.quality.rating import (
    prepare,
)


@pytest.fixture
def images(rng):
    """Three slices of two sizes; the interpolated one is flat, the truth is noise."""
    shapes = {"a": (20, 24), "b": (16, 16), "c": (20, 24)}
    return {
        name: {
            "bicubic": np.full(shape, 40.0 + place),
            "truth": rng.uniform(0, 200, shape),
            "network": rng.uniform(0, 150, shape),
        }
        for place, (name, shape) in enumerate(shapes.items())
    }


@pytest.fixture
def study(images, tmp_path):
    return prepare(images, tmp_path / "study", seed=7, limits=dict.fromkeys(images, (0.0, 200.0)))
