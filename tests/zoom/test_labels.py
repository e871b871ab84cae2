"""Labels on finer grids: their values, volumes and outlines."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.geometry.grids import AxisGrid
from napari_metasr.zoom.labels import SmoothLabels, margins


def ball(shape, centre, radius, scale=(1, 1, 1), spacing=(1, 1, 1)):
    """Voxels whose centres lie in a ball, given in mm, on a grid ``scale`` times as fine."""
    places = (
        (np.arange(size * times) + 0.5) * step / times
        for size, times, step in zip(shape, scale, spacing, strict=True)
    )
    squares = sum(
        (place - middle) ** 2 for place, middle in zip(np.ix_(*places), centre, strict=True)
    )
    return squares < radius**2


def whole(labels, scale, spacing=(1, 1, 1)):
    grids = [
        AxisGrid(size, round(size * times)) for size, times in zip(labels.shape, scale, strict=True)
    ]
    ranges = [(0, grid.output) for grid in grids]
    return SmoothLabels(labels, spacing).render(grids, ranges)


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint64"])
def test_the_own_grid_gives_the_same_labels(rng, dtype):
    labels = rng.choice(np.array([0, 1, 2, 4], dtype), size=(7, 9, 8))
    found = whole(labels, (1, 1, 1), (3.0, 0.5, 0.7))
    assert found.dtype == labels.dtype
    np.testing.assert_array_equal(found, labels)


def test_no_label_appears_and_the_largest_is_kept():
    labels = np.zeros((12, 13, 14), np.uint16)
    labels[2:8, 2:8, 2:8] = 1
    labels[5:10, 5:11, 6:12] = 65535
    labels[6, 7, 8] = 4
    assert set(np.unique(whole(labels, (2, 3, 1.7)))) == {0, 1, 4, 65535}


@pytest.mark.parametrize(("radius", "most"), [(10, 0.005), (3.3, 0.02), (1.5, 0.05)])
def test_a_ball_keeps_its_volume_and_gets_round(radius, most):
    shape, scale = (26, 26, 26), (3, 3, 3)
    centre = (13.2, 12.9, 13.1)
    low, true = ball(shape, centre, radius), ball(shape, centre, radius, scale)
    found = whole(low.astype(np.uint8) * 2, scale) == 2
    assert np.count_nonzero(found) / 27 == pytest.approx(np.count_nonzero(low), rel=most)
    blocks = np.kron(low, np.ones(scale, bool))
    assert dice(found, true) > dice(blocks, true) + 0.01


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_a_single_voxel_does_not_vanish(scale):
    labels = np.zeros((15, 15, 15), np.uint8)
    labels[7, 7, 7] = 1
    labels[3, 3, 2:10] = 2
    found = whole(labels, (scale,) * 3)
    for label in (1, 2):
        volume = np.count_nonzero(found == label) / scale**3
        assert volume > 0.6 * np.count_nonzero(labels == label)


def test_between_thick_slices_outlines_lie_between():
    shape, scale, spacing = (9, 40, 40), (5, 1, 1), (5.0, 1.0, 1.0)
    centre = (22.1, 20.2, 19.9)
    low, true = (ball(shape, centre, 14, each, spacing) for each in ((1, 1, 1), scale))
    found = whole(low.astype(np.int16), scale, spacing) == 1
    blocks = np.repeat(low, 5, axis=0)
    assert dice(found, true) > 0.97 > dice(blocks, true) + 0.02
    assert np.count_nonzero(found) / 5 == pytest.approx(np.count_nonzero(low), rel=0.04)


def test_nested_and_touching_labels_leave_no_background_between_them():
    shape, centre = (24, 24, 24), (12.1, 11.9, 12.0)
    labels = np.zeros(shape, np.uint8)
    for label, radius in ((2, 9), (3, 6), (1, 3)):
        labels[ball(shape, centre, radius)] = label
    fine = whole(labels, (3, 3, 3))
    inside = ball(shape, centre, 8.2, (3, 3, 3))
    assert fine[inside].min() > 0
    for label in (1, 2, 3):
        count = np.count_nonzero(fine == label) / 27
        assert count == pytest.approx(np.count_nonzero(labels == label), rel=0.03)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (4.0, 0.8, 0.9)])
def test_a_part_gives_what_the_whole_gives(rng, spacing):
    noise = rng.random((40, 20, 22))
    labels = np.where(noise > 0.97, rng.integers(1, 5, noise.shape), 0).astype(np.int16)
    grids = [AxisGrid(40, 71), AxisGrid(20, 47), AxisGrid(22, 22)]
    full = SmoothLabels(labels, spacing).render(grids, [(0, grid.output) for grid in grids])
    start, stop = 30, 41
    cells = grids[0].cells()[start:stop]
    margin = margins(spacing)[0]
    low, high = max(cells[0] - margin, 0), min(cells[-1] + 1 + margin, 40)
    part = SmoothLabels(labels[low:high], spacing, (low, 0, 0), labels.shape)
    found = part.render(grids, [(start, stop), (3, 40), (2, 20)])
    np.testing.assert_array_equal(found, full[start:stop, 3:40, 2:20])


def test_a_slice_has_a_smooth_outline():
    rows, columns = np.indices((30, 30)) - 14.6
    labels = (rows**2 + columns**2 < 81).astype(np.int32) * 7
    grids = [AxisGrid(30, 240), AxisGrid(30, 240)]
    found = SmoothLabels(labels, (0.9, 0.9)).render(grids, [(0, 240), (0, 240)])
    blocks = np.kron(labels, np.ones((8, 8), int))

    def corners(image):
        """Count the places where four neighbours are one against three."""
        inside = (image != 0).astype(int)
        four = inside[1:, 1:] + inside[1:, :-1] + inside[:-1, 1:] + inside[:-1, :-1]
        return np.count_nonzero(four % 2)

    assert np.count_nonzero(found) == pytest.approx(np.count_nonzero(blocks), rel=0.01)
    steps = np.abs(np.diff(np.count_nonzero(found, axis=1))).max()
    assert steps < np.abs(np.diff(np.count_nonzero(blocks, axis=1))).max()
    assert corners(found) > 2 * corners(blocks)  # many small steps in place of few large ones
