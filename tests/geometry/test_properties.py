"""Rules that hold for every grid and window."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_metasr.geometry.affines import box_corners, resampled_affine, world_of_edges
from napari_metasr.geometry.grids import AxisGrid, output_size
from napari_metasr.geometry.windows import Window

EDGES = st.floats(-100, 100, allow_nan=False)
SIZES = st.integers(1, 64)
SCALES = st.decimals(1, 8, places=2).map(float)
WINDOWS = st.builds(
    lambda top, left, height, width: Window.at(top, left, height, width),
    EDGES, EDGES, st.floats(0.01, 100), st.floats(0.01, 100),
)  # fmt: skip
SHAPES = st.tuples(SIZES, SIZES)


@given(WINDOWS, WINDOWS)
def test_what_two_windows_share_lies_in_both_and_does_not_depend_on_their_order(first, second):
    shared = first.intersection(second)
    assert shared == second.intersection(first)
    assert first.overlap(second) == second.overlap(first) <= min(first.area, second.area)
    if shared is not None:
        assert shared.intersection(first) == shared.intersection(second) == shared


@given(WINDOWS, SHAPES)
def test_the_pixels_of_a_window_cover_what_of_it_lies_in_the_slice(window, shape):
    part = window.intersection(Window.whole(shape))
    if part is not None:
        top, left, bottom, right = window.pixels(shape)
        assert top <= part.top < part.bottom <= bottom
        assert left <= part.left < part.right <= right
        assert bottom - top < part.height + 2
        assert 0 <= top < bottom <= shape[0]


@given(SIZES, SCALES)
def test_cells_are_those_that_exact_arithmetic_gives(size, scale):
    output = output_size(size, scale)
    grid = AxisGrid(size, output)
    cells = grid.cells()
    exact = [Fraction(2 * i + 1, 2) * Fraction(size, output) for i in range(output)]
    assert cells.tolist() == [math.floor(position) for position in exact]
    assert (np.diff(cells) >= 0).all()
    assert set(cells.tolist()) == set(range(size))


@given(st.tuples(SIZES, SIZES, SIZES), SCALES)
def test_a_resampled_volume_keeps_its_corners(shape, scale):
    affine = np.array([[0.9, 0.1, 0, 5], [-0.1, 1.1, 0.2, -3], [0, -0.2, 2.5, 7], [0, 0, 0, 1.0]])
    output = tuple(output_size(size, scale) for size in shape)
    new = resampled_affine(affine, shape, output)
    before = world_of_edges(affine, box_corners([(0, size) for size in shape]))
    after = world_of_edges(new, box_corners([(0, size) for size in output]))
    np.testing.assert_allclose(after, before, atol=1e-9)
