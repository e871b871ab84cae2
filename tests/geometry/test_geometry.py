"""Index and position: integers, one grid, true places."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from napari_metasr.geometry.affines import (
    edges_from_napari,
    middle_index,
    napari_from_edges,
    resampled_affine,
    slice_affine,
)
from napari_metasr.geometry.display import (
    DisplayConvention,
    as_displayed,
    bar_length,
    edge_letters,
)
from napari_metasr.geometry.grids import (
    AxisGrid,
    Convention,
    OutputGrid,
    cell_blocks,
    nominal_scale,
    output_size,
)
from napari_metasr.volume import Plane

SCALES = [tenths / 10 for tenths in range(10, 41)] + [math.pi, math.e, 8 / 3, 8.0]


def test_the_scale_a_person_wrote_is_exact():
    assert nominal_scale(3.7) == Fraction(37, 10)
    assert output_size(30, 1.1) == 33
    assert output_size(64, 3.7) == 237


def test_cells_where_floating_point_misses():
    """33 / 1.1 is 29.999... in floating point; output pixel 33 begins in cell 30."""
    assert int(33 / 1.1) == 29
    assert AxisGrid(100, 110).cells(Convention.CORNER)[33] == 30


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("size", [1, 7, 48, 181])
def test_cells_and_offsets_say_where_the_centre_is(size, scale):
    grid = AxisGrid(size, output_size(size, scale))
    cells, offsets = grid.cells(), grid.offsets()
    for i in range(grid.output):
        centre = (Fraction(i) + Fraction(1, 2)) * size / grid.output
        assert cells[i] == math.floor(centre)
        assert offsets[i] == float(centre - cells[i] - Fraction(1, 2))
    assert offsets.min() >= -0.5
    assert offsets.max() < 0.5


@pytest.mark.parametrize("scale", SCALES)
def test_corner_convention(scale):
    grid = AxisGrid(37, output_size(37, scale))
    for i, (cell, offset) in enumerate(
        zip(grid.cells(Convention.CORNER), grid.offsets(Convention.CORNER), strict=True)
    ):
        position = Fraction(i * 37, grid.output)
        assert cell == math.floor(position)
        assert offset == float(position - cell)


@pytest.mark.parametrize("scale", [0.99, 0, -2, math.nan, math.inf, "big", None, (1, 2, 3)])
def test_scales_that_are_none(scale):
    with pytest.raises(ValueError, match="the scale must be"):
        OutputGrid.at_scale((10, 10), scale)


def test_a_scale_beyond_reason_says_the_size():
    with pytest.raises(ValueError, match="240,000,000,000 pixels"):
        OutputGrid.at_scale((240, 240), 1e9)


def test_windows_select_pixels_by_their_centres():
    grid = OutputGrid.at_scale((10, 12), (2, 3))
    assert grid.pixel_range() == (0, 0, 20, 36)
    assert grid.pixel_range((0, 0, 10, 12)) == (0, 0, 20, 36)
    # row centres lie at 0.25, 0.75, 1.25 ...; column centres at 1/6, 1/2, 5/6 ...
    assert grid.pixel_range((0.25, 0.2, 1.25, 0.9)) == (0, 1, 2, 3)
    assert grid.pixel_range((-5, -5, 50, 50)) == (0, 0, 20, 36)


@pytest.mark.parametrize("split", [0.3, 4, 5.55, 7 / 3])
def test_windows_side_by_side_leave_no_gap(split):
    grid = OutputGrid.at_scale((9, 9), 3.7)
    _, _, i1, _ = grid.pixel_range((0, 0, split, 9))
    i0, _, _, _ = grid.pixel_range((split, 0, 9, 9))
    assert i0 == i1


@pytest.mark.parametrize("window", [(3, 3, 3, 5), (20, 0, 30, 5), (0, 0, 0.01, 5)])
def test_a_window_without_a_pixel(window):
    with pytest.raises(ValueError, match="holds no output pixel"):
        OutputGrid.at_scale((10, 10), 2).pixel_range(window)


@pytest.mark.parametrize("window", [(0, 0, math.nan, 5), (1, 2, 3)])
def test_a_window_that_is_none(window):
    with pytest.raises(ValueError, match="four finite edges"):
        OutputGrid.at_scale((10, 10), 2).pixel_range(window)


def test_the_whole_output_covers_the_field_of_view():
    grid = OutputGrid.at_scale((31, 47), 3.7)
    scale, translate = grid.layer_transform((2.0, 0.5), (10.0, -4.0))
    for axis, (spacing, start) in enumerate([(2.0, 10.0), (0.5, -4.0)]):
        n_in, n_out = grid.input_shape[axis], grid.output_shape[axis]
        first_edge = translate[axis] - scale[axis] / 2
        last_edge = translate[axis] + (n_out - 0.5) * scale[axis]
        assert first_edge == pytest.approx(start - spacing / 2, abs=1e-9)
        assert last_edge == pytest.approx(start + (n_in - 0.5) * spacing, abs=1e-9)


def test_a_window_lies_where_the_contract_says():
    grid = OutputGrid.at_scale((31, 47), 3.7)
    window = (3.3, 10.1, 20.0, 30.7)
    i0, j0, _, _ = grid.pixel_range(window)
    _, translate = grid.layer_transform((1, 1), (0, 0), window)
    n, m = grid.input_shape
    assert translate[0] == pytest.approx((i0 + 0.5) * n / grid.output_shape[0] - 0.5, abs=1e-12)
    assert translate[1] == pytest.approx((j0 + 0.5) * m / grid.output_shape[1] - 0.5, abs=1e-12)


def corners(affine, shape):
    """World positions of the eight corners of a volume's field of view."""
    edges = np.array(np.meshgrid(*[(-0.5, size - 0.5) for size in shape])).reshape(3, -1)
    return affine[:3, :3] @ edges + affine[:3, 3:]


def test_resampling_keeps_the_field_of_view(rng):
    affine = np.eye(4)
    affine[:3] = rng.normal(size=(3, 4))
    resampled = resampled_affine(affine, (20, 31, 7), (54, 31, 25))
    np.testing.assert_allclose(
        corners(resampled, (54, 31, 25)), corners(affine, (20, 31, 7)), atol=1e-9
    )


@pytest.mark.parametrize("plane", list(Plane))
def test_a_slice_keeps_its_place_in_the_volume(plane, rng):
    shape = (11, 14, 17)  # z, y, x
    affine = np.eye(4)
    affine[:3] = rng.normal(size=(3, 4))
    sizes = shape[plane.row_axis], shape[plane.column_axis]
    grid = OutputGrid.at_scale(sizes, 2.3)
    window = (2.2, 3.1, 8.0, 9.9)
    sliced = slice_affine(affine, shape, plane, 5, grid, window)
    i0, j0, _, _ = grid.pixel_range(window)
    # the first rendered pixel's centre, in (z, y, x) voxels of the source
    voxel = np.zeros(3)
    voxel[plane.normal_axis] = 5
    voxel[plane.row_axis] = (i0 + 0.5) * sizes[0] / grid.output_shape[0] - 0.5
    voxel[plane.column_axis] = (j0 + 0.5) * sizes[1] / grid.output_shape[1] - 0.5
    np.testing.assert_allclose(
        sliced[:3, 3], affine[:3, :3] @ voxel[::-1] + affine[:3, 3], atol=1e-9
    )


def test_letters_of_the_three_planes():
    axial = edge_letters(1, 2)
    assert axial == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    coronal = edge_letters(0, 2)
    assert coronal == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    sagittal = edge_letters(0, 1)
    assert sagittal == {"top": "S", "bottom": "I", "left": "A", "right": "P"}
    neurological = edge_letters(1, 2, DisplayConvention.NEUROLOGICAL.orientation2d)
    assert neurological == {"top": "A", "bottom": "P", "left": "L", "right": "R"}


@pytest.mark.parametrize(
    ("longest", "length"), [(80, 50), (21.3, 20), (5.7, 5), (1.06, 1), (0.3, 0.2), (1000, 1000)]
)
def test_scale_bars_are_round_and_fit(longest, length):
    assert bar_length(longest) == pytest.approx(length)


def test_a_scale_bar_fits_where_a_logarithm_is_rounded_up():
    assert bar_length(math.nextafter(1000, 0)) == 500


def test_pictures_are_turned_as_the_letters_say():
    right_anterior = np.zeros((3, 3))
    right_anterior[2, 2] = 1  # the last row is anterior, the last column is right
    assert as_displayed(right_anterior)[0, 0] == 1
    neurological = DisplayConvention.NEUROLOGICAL.orientation2d
    assert as_displayed(right_anterior, neurological)[0, 2] == 1


def test_edges_and_napari_coordinates_are_half_a_pixel_apart():
    assert edges_from_napari(0.0, 1.0, 0.0) == 0.5
    assert (middle_index(5), middle_index(4)) == (2.0, 1.5)
    assert napari_from_edges(edges_from_napari(7.3, 0.8, 5), 0.8, 5) == (pytest.approx(7.3))


def test_cell_blocks_cover_every_index_once():
    cells = AxisGrid(200, 740).cells()[13:700]
    blocks = list(cell_blocks(cells, 64))
    assert [first for _, first, _ in blocks][1:] == [last for _, _, last in blocks][:-1]
    assert (blocks[0][1], blocks[-1][2]) == (0, len(cells))
    for tile, first, last in blocks:
        assert set(cells[first:last] // 64) == {tile}


@pytest.mark.parametrize(
    ("size", "output", "step"), [(30, 43, "0.7"), (7, 8, "0.9"), (5, 9, "0.6")]
)
def test_an_exact_step_keeps_the_middle_where_it_is(size, output, step):
    step = Fraction(step)
    grid = AxisGrid(size, output, step)
    positions = grid.positions()
    np.testing.assert_allclose(positions + positions[::-1], size, rtol=1e-12)
    np.testing.assert_allclose(np.diff(positions), float(step), rtol=1e-12)
    np.testing.assert_allclose(grid.cells() + 0.5 + grid.offsets(), positions, rtol=1e-12)
    assert grid.scale == 1 / step
    spacing, first = grid.place(2.0, 10.0)
    assert spacing == pytest.approx(2 * float(step))
    assert first == pytest.approx(10 + 2 * (positions[0] - 0.5))


def test_an_exact_step_of_the_same_field_of_view_is_no_other_grid():
    plain, exact = AxisGrid(6, 15), AxisGrid(6, 15, Fraction(2, 5))
    for convention in Convention:
        assert np.array_equal(plain.cells(convention), exact.cells(convention))
        assert np.array_equal(plain.offsets(convention), exact.offsets(convention))
    assert [plain.pixel_range(k, k + 2) for k in range(5)] == [
        exact.pixel_range(k, k + 2) for k in range(5)
    ]
    assert plain.refined(3).positions() == pytest.approx(exact.refined(3).positions())


def test_output_pixels_outside_the_input_are_refused():
    with pytest.raises(ValueError, match="expected 12 output pixels inside 10 input pixels"):
        AxisGrid(10, 12, Fraction(1))


@pytest.mark.parametrize("pixels", [None, (3, 5, 17, 20), (16, 0, 17, 4)])
def test_images_in_cells_are_each_cell_s_value_at_its_output_pixels(rng, pixels):
    image = rng.integers(0, 9, (7, 9))
    grid = OutputGrid.at_scale(image.shape, (2.4, 2.3))
    i0, j0, i1, j1 = pixels or (0, 0, *grid.output_shape)
    expected = [
        [image[(2 * i + 1) * 7 // (2 * 17), (2 * j + 1) * 9 // (2 * 21)] for j in range(j0, j1)]
        for i in range(i0, i1)
    ]
    found = grid.in_cells(image, pixels)
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found, expected)
