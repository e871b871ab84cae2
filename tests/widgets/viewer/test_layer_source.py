"""Slices of every kind of layer: what is read, where it lies, what is refused."""

from __future__ import annotations

import gc
import weakref

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Layer

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.layer_grid import UnsupportedLayerError, same_grid
from napari_metasr.widgets.viewer.layer_source import check_supported, layer_source
from napari_metasr.widgets.viewer.result_layers import reorder

SHAPE = (5, 6, 7)


@pytest.fixture
def data(rng):
    return rng.normal(size=SHAPE)


def shown(viewer, layer):
    return layer_source(layer).view(viewer.dims)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0), (0, 2, 1)])
def test_the_slice_that_is_read_is_the_one_napari_shows(data, order):
    viewer = ViewerModel()
    layer = viewer.add_image(data, scale=(2.5, 1, 0.8), translate=(-3, 4, 5))
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], 2)
    view = shown(viewer, layer)
    source = layer_source(layer)
    image = source.read(view)
    on_screen = image.T if view.transposed else image
    np.testing.assert_array_equal(on_screen, layer._slice.image.raw)
    assert view.shape == image.shape
    assert view.index == (2,)


def test_every_slice_of_a_scaled_layer_is_met_while_scrolling(data):
    viewer = ViewerModel()
    layer = viewer.add_image(data, scale=(2.5, 1, 0.8), translate=(-3, 4, 5))
    for index in range(SHAPE[0]):
        viewer.dims.set_current_step(0, index)
        assert shown(viewer, layer).index == (index,)


@pytest.mark.parametrize("wrap", [np.asarray, lambda a: da.from_array(a, chunks=3)])
def test_time_series_and_lazy_arrays(rng, wrap):
    data = rng.normal(size=(3, *SHAPE))
    viewer = ViewerModel()
    layer = viewer.add_image(wrap(data))
    viewer.dims.set_current_step(0, 2)
    viewer.dims.set_current_step(1, 4)
    source = layer_source(layer)
    view = source.view(viewer.dims)
    assert view.index == (2, 4)
    np.testing.assert_array_equal(source.read(view), data[2, 4])
    assert source.value_range == pytest.approx((data.min(), data.max()))
    assert source.ranges(view)[1] == pytest.approx(
        (data[view.index[0]].min(), data[view.index[0]].max())
    )


def test_zarr(data, tmp_path):
    zarr = pytest.importorskip("zarr")
    array = zarr.open_array(str(tmp_path / "a.zarr"), mode="w", shape=SHAPE, dtype="f8")
    array[:] = data
    viewer = ViewerModel()
    layer = viewer.add_image(array)
    viewer.dims.set_current_step(0, 3)
    source = layer_source(layer)
    assert source.is_lazy
    np.testing.assert_array_equal(source.read(source.view(viewer.dims)), data[3])


def test_a_layer_of_fewer_axes_than_the_viewer(data):
    viewer = ViewerModel()
    viewer.add_image(np.zeros((2, *SHAPE)))
    layer = viewer.add_image(data)
    viewer.dims.set_current_step(1, 3)
    assert shown(viewer, layer).index == (3,)


def test_a_plain_image_has_no_other_axes(rng):
    viewer = ViewerModel()
    layer = viewer.add_image(rng.normal(size=(6, 7)))
    view = shown(viewer, layer)
    assert (view.index, view.shape, view.plane) == ((), (6, 7), None)


def test_outside_the_layer_there_is_no_slice(data):
    viewer = ViewerModel()
    layer = viewer.add_image(data)
    viewer.add_image(np.zeros((20, 6, 7)))
    viewer.dims.set_current_step(0, 15)
    assert shown(viewer, layer) is None


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Image([np.zeros((64, 64)), np.zeros((32, 32))], multiscale=True), "multiscale"),
        (lambda: Image(np.zeros((8, 8, 3), np.uint8), rgb=True), "RGB"),
        (lambda: Image(np.zeros((4, 8, 8)), rotate=(10, 0, 0)), "rotated or sheared"),
        (lambda: Image(np.zeros((4, 8, 8)), shear=(0, 0, 0.3)), "rotated or sheared"),
        (lambda: Image(np.zeros((8, 8), bool)), "bool"),
    ],
    ids=["multiscale", "rgb", "rotated", "sheared", "bool"],
)
@pytest.mark.filterwarnings("ignore:Non-orthogonal slicing")
def test_what_cannot_be_super_resolved_is_refused_by_name(make, reason):
    layer = make()
    layer.name = "odd one"
    with pytest.raises(UnsupportedLayerError, match=f"“odd one”.*{reason}"):
        check_supported(layer)


def test_a_layer_across_the_shown_plane_is_refused():
    viewer = ViewerModel()
    viewer.add_image(np.zeros(SHAPE))
    flat = viewer.add_image(np.zeros((6, 7)), name="flat")
    viewer.dims.order = (2, 0, 1)
    with pytest.raises(UnsupportedLayerError, match="“flat”"):
        layer_source(flat).view(viewer.dims)


@pytest.mark.parametrize("order", [(1, 2, 0, 3), (2, 3, 0, 1), (3, 1, 2, 0)])
def test_time_is_no_side_of_a_slice(rng, order):
    """Two presses of napari's button that rolls the axes show a series along time."""
    layer = Image(rng.normal(size=(3, 4, 5, 6)), name="series")
    viewer = ViewerModel()
    viewer.add_layer(layer)
    viewer.dims.order = order
    with pytest.raises(UnsupportedLayerError, match="“series” is shown along time"):
        layer_source(layer).view(viewer.dims)
    viewer.dims.order = (0, 2, 1, 3)
    assert layer_source(layer).view(viewer.dims).shape == (4, 6)


def test_an_affine_that_only_scales_and_shifts_counts(data):
    affine = np.diag([3.0, 2.0, 0.5, 1.0])
    affine[:3, 3] = 1, 2, 3
    viewer = ViewerModel()
    layer = viewer.add_image(data, affine=affine, scale=(1, 2, 1))
    view = shown(viewer, layer)
    assert view.scale == (4.0, 0.5)
    assert view.translate == (2.0, 3.0)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_a_window_lies_in_its_place_within_a_millionth_of_a_voxel(data, order):
    viewer = ViewerModel()
    layer = viewer.add_image(data, scale=(2.5, 1, 0.8), translate=(-3, 4, 5))
    viewer.dims.order = order
    source = layer_source(layer)
    view = source.view(viewer.dims)
    grid = OutputGrid.at_scale(view.shape, 3.7)
    window = (1.2, 2.3, 4.0, 5.0)
    scale, translate = source.placed(
        view, *grid.layer_transform(view.scale, view.translate, window)
    )
    i0, j0, i1, j1 = grid.pixel_range(window)
    for axis, first, last, n, big in zip(
        view.axes, (i0, j0), (i1, j1), grid.input_shape, grid.output_shape, strict=True
    ):
        step, start = layer.scale[axis], layer.translate[axis]
        for position, pixel in ((0, first), (last - first - 1, last - 1)):
            exact = start + step * ((pixel + 0.5) * n / big - 0.5)
            assert abs(translate[axis] + scale[axis] * position - exact) < 1e-6 * step
    other = order[0]
    assert translate[other] == pytest.approx(
        layer.translate[other] + view.index[0] * layer.scale[other]
    )


def test_our_reader_s_layers_know_their_plane_and_patient_position(phantom_volume):
    viewer = ViewerModel()
    layer = viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    source = layer_source(layer)
    for plane in Plane:
        viewer.dims.order = (plane.normal_axis, plane.row_axis, plane.column_axis)
        assert source.view(viewer.dims).plane is plane
    corner = layer.data_to_world((0, 0, 0))
    assert source.describe(corner) == "L 9.0  P 14.0  S 21.0 mm"


def test_layers_on_the_same_grid(data):
    one = Image(data, scale=(2, 1, 1))
    assert same_grid(one, Image(data * 2, scale=(2, 1, 1)))
    assert not same_grid(one, Image(data, scale=(1, 1, 1)))
    assert not same_grid(one, Image(data[:, :-1], scale=(2, 1, 1)))


def test_the_source_of_a_layer_is_always_the_same():
    layer = Image(np.zeros((4, 4)))
    assert layer_source(layer) is layer_source(layer)
    assert layer_source(Image(np.zeros((4, 4)))).token != layer_source(layer).token


def test_layers_brought_into_an_order_are_told_of_once():
    viewer = ViewerModel()
    layers = [viewer.add_image(np.zeros((2, 3)), name=name) for name in "abcd"]
    told = []
    viewer.layers.events.reordered.connect(lambda event: told.append(list(viewer.layers)))
    wanted = [layers[place] for place in (2, 0, 3, 1)]
    for _ in range(2):  # nothing is left to be told
        reorder(viewer.layers, wanted)
        assert list(viewer.layers) == wanted
        assert told == [wanted]


def test_what_was_measured_of_a_layer_is_forgotten_when_its_numbers_or_place_change(data):
    viewer = ViewerModel()
    layer = viewer.add_image(data)
    source = layer_source(layer)
    assert source.value_range == (data.min(), data.max())
    layer.data = data * 10
    assert source.value_range == (10 * data.min(), 10 * data.max())
    changes, measured = source.changes, source.measured
    layer.scale = (3, 1, 1)
    assert source.changes > changes
    assert source.measured is not measured
    changes, measured = source.changes, source.measured
    layer.contrast_limits = (0, 1)
    layer.name = "another"
    assert (source.changes, source.measured) == (changes, measured)


def test_a_source_is_gone_with_its_layer():
    layer = Image(np.zeros((4, 4)))
    held = weakref.ref(layer), weakref.ref(layer_source(layer))
    del layer
    gc.collect()
    assert [reference() for reference in held] == [None, None]
