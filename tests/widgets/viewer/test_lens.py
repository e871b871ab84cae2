"""What a pane shows of a slice, and where."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.widgets import FakeEngine
from hypothesis import given
from hypothesis import strategies as st

from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.layer_source import SliceView
from napari_metasr.widgets.viewer.lens import Lens, facing
from napari_metasr.widgets.viewer.magnified import Network, interpolated, super_resolved
from napari_metasr.zoom.baselines import interpolate

SHAPE = (24, 30)
places = st.floats(-50, 400)
both_ways = st.sampled_from((-1, 1))


def lens_of(*, transposed=False, ways=(1, 1), density=(6.0, 3.0), centre=(10.0, 14.0)):
    view = SliceView((1, 2), (3,), SHAPE, (2.0, 1.0), (0.0, 0.0), transposed)
    return Lens(view, centre, density, (200.0, 300.0), ways)


@given(places, places, st.booleans(), both_ways, both_ways)
def test_spots_and_edges_are_each_other_s_reverse(down, right, transposed, vertical, horizontal):
    lens = lens_of(transposed=transposed, ways=(vertical, horizontal))
    np.testing.assert_allclose(lens.spot(lens.edges((down, right))), (down, right), atol=1e-9)


def test_the_middle_of_the_pane_is_the_centre():
    lens = lens_of(transposed=True, ways=(-1, 1))
    assert lens.edges((100, 150)) == lens.centre


@pytest.mark.parametrize("transposed", [False, True])
def test_the_window_is_what_the_pane_shows_of_the_slice(transposed):
    lens = lens_of(transposed=transposed, density=(20.0, 20.0))
    rows, columns = (15.0, 10.0) if transposed else (10.0, 15.0)
    expected = Window(10 - rows / 2, 14 - columns / 2, 10 + rows / 2, 14 + columns / 2)
    assert lens.window() == pytest.approx(expected)
    assert lens.rectangle(lens.window()) == pytest.approx((0, 0, 200, 300))
    half = lens.rectangle(lens.window(start=1 / 2))
    assert half == pytest.approx((0, 150, 200, 300))


def test_a_window_outside_the_slice_is_none():
    assert lens_of(centre=(500.0, 0.0)).window() is None


def test_the_screen_s_first_row_is_where_the_axis_points_to():
    view = SliceView((1, 2), (0,), SHAPE, (2.0, -1.0), (0.0, 0.0))
    assert facing(view, ("up", "left")) == (-1, 1)
    assert facing(view, ("down", "right")) == (1, -1)
    image = np.arange(6).reshape(2, 3)
    assert lens_of(transposed=True, ways=(-1, 1)).turned(image).tolist() == [[2, 5], [1, 4], [0, 3]]


def test_pieces_are_parts_of_the_whole_rendering(rng):
    image = rng.normal(size=SHAPE).astype(np.float32)
    lens = lens_of(density=(4.0, 5.0))
    piece = interpolated(image, lens, Window(5.5, 6.25, 12.0, 20.0))
    whole = interpolate(image, (4.0, 5.0))
    top, left, bottom, right = (
        round(edge * scale) for edge, scale in zip(piece.window, (4, 5, 4, 5), strict=True)
    )
    np.testing.assert_array_equal(piece.image, whole[top:bottom, left:right])
    assert piece.window.top <= 5.5
    assert piece.window.right >= 20


def test_across_slices_the_other_axis_is_interpolated(rng):
    image = rng.normal(size=SHAPE).astype(np.float32)
    engine = FakeEngine()
    encoded = engine.encode(image, value_range=(float(image.min()), float(image.max())))
    across = Network("across", "Across", (6.0, 1.0))
    piece = super_resolved(engine, encoded, lens_of(), Window(4.0, 10.0, 9.0, 16.0), across)
    assert piece.scale == (6.0, 1.0)
    rows, columns = piece.window.height, piece.window.width
    assert piece.image.shape == (round(6 * rows), round(3 * columns))


def test_a_piece_of_a_slice_without_values_has_none():
    piece = interpolated(np.full(SHAPE, np.nan), lens_of(), Window(5.5, 6.25, 12.0, 20.0))
    assert np.isnan(piece.image).all()
