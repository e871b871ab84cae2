"""How much of a result lies beyond the range of the scan's pixels around it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.quality.artefacts import count_artefacts, head_of
from napari_metasr.quality.local_range import LocalRange
from napari_metasr.zoom.baselines import interpolate


@pytest.fixture
def head(rng):
    """A round head of 100 with texture, in air."""
    y, x = np.mgrid[:48, :40] - np.array([23.5, 19.5])[:, None, None]
    image = np.where(np.hypot(y, x) < 17, 100 + rng.normal(0, 8, (48, 40)), 0)
    return image.astype(np.float32)


def test_it_counts_what_the_measure_of_artefacts_counts(head):
    grid, result = OutputGrid.at_scale(head.shape, 3), interpolate(head, 3, method="lanczos")
    tissue = head_of(head)
    median = float(np.median(head[tissue]))
    counts = count_artefacts(result, head, grid, tissue, median)
    share = LocalRange.of(head).share_beyond(result, grid, grid.pixel_range())
    assert share == pytest.approx((counts.over + counts.under) / counts.inside)
    assert 0 < share < 0.2


def test_a_window_counts_as_that_part_of_the_whole(head):
    grid, local = OutputGrid.at_scale(head.shape, 2), LocalRange.of(head)
    result = interpolate(head, 2, method="nearest")
    assert local.share_beyond(result, grid, grid.pixel_range()) == 0
    part = (40, 30, 60, 50)
    result[40:50, 30:50] += 1000
    inside = local.share_beyond(result[40:60, 30:50], grid, part)
    assert inside == pytest.approx(0.5)


@pytest.mark.parametrize(
    "image", [np.full((20, 20), 7.0), np.full((20, 20), np.nan), np.zeros((3, 4))]
)
def test_a_slice_without_tissue_has_none(image):
    assert LocalRange.of(image) is None


def test_air_is_not_counted(head):
    grid, local = OutputGrid.at_scale(head.shape, 2), LocalRange.of(head)
    assert local.share_beyond(np.zeros((4, 4)), grid, (0, 0, 4, 4)) is None
