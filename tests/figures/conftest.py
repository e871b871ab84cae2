"""A slice to draw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage


@pytest.fixture
def head() -> np.ndarray:
    """A slice of 82 x 99 pixels with detail, 0..1000."""
    noise = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=(82, 99)), 1.5)
    y, x = np.mgrid[-1:1:82j, -1:1:99j]
    return np.where(y**2 + x**2 < 0.8, 500 + 3000 * noise, 0).clip(0, 1000)
