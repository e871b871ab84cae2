"""A rendering laid into another one on the same grid."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.zoom.baselines import interpolate
from napari_metasr.zoom.inset import inset

GRID = OutputGrid.at_scale((20, 30), 2.3)
OUTER, INNER = (2.0, 3.0, 18.0, 27.5), (5.25, 7.5, 11.0, 20.0)


@pytest.fixture
def image(rng):
    return rng.normal(size=(20, 30)).astype(np.float32)


def test_an_inset_of_the_same_rendering_changes_nothing(image):
    whole, part = (interpolate(image, 2.3, window=window) for window in (OUTER, INNER))
    np.testing.assert_array_equal(inset(whole, part, GRID, OUTER, INNER), whole)


def test_an_inset_changes_its_window_and_nothing_else(image):
    whole, part = (interpolate(image, 2.3, window=window) for window in (OUTER, INNER))
    laid = inset(whole, part + 1, GRID, OUTER, INNER)
    changed = np.argwhere(laid != whole)
    i0, j0, _, _ = GRID.pixel_range(OUTER)
    low, high = changed.min(axis=0), changed.max(axis=0)
    assert (low[0] + i0, low[1] + j0, high[0] + i0 + 1, high[1] + j0 + 1) == GRID.pixel_range(INNER)
    np.testing.assert_allclose(laid[laid != whole], whole[laid != whole] + 1, rtol=1e-6)


def test_what_does_not_fit_is_refused(image):
    whole, part = (interpolate(image, 2.3, window=window) for window in (OUTER, INNER))
    with pytest.raises(ValueError, match="expected a window within"):
        inset(part, whole, GRID, INNER, OUTER)
    with pytest.raises(ValueError, match="expected images of"):
        inset(whole, part[1:], GRID, OUTER, INNER)
