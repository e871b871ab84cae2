"""Which line is taken for a profile: the newest on the slice, of a layer with its axes."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.widgets import settle

from napari_metasr.geometry.windows import Line
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.zoom.drawn_line import drawn_line
from napari_metasr.widgets.zoom.exports import Export

ROW = np.array([[10.0, 3.0], [10.0, 9.0]])
COLUMN = np.array([[4.0, 9.0], [12.0, 9.0]])


def line_on(viewer, order):
    viewer.dims.order = order
    layer = viewer.layers[0]
    return drawn_line(viewer, layer_source(layer).view(viewer.dims), layer.ndim, None)


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1)])
def test_a_line_in_two_dimensions_lies_in_slices_of_the_last_two_axes_alone(viewer, order):
    viewer.add_shapes([ROW, COLUMN], shape_type="line", ndim=2)
    viewer.dims.set_point((1, 2), (10, 9))
    assert line_on(viewer, (0, 1, 2)) == Line(4.5, 6.5, 12.5, 6.5)
    assert line_on(viewer, order) is None


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_layers_without_the_slice_s_axes_hide_no_line(viewer, order):
    here = np.array(viewer.dims.point)
    ends = np.stack([here, here])
    ends[1, order[1]] += 3
    viewer.add_shapes([ends], shape_type="line", ndim=3)
    own = line_on(viewer, order)
    assert own is not None
    viewer.add_shapes([ROW], shape_type="line", ndim=2)
    assert (line_on(viewer, order) == own) is (order != (0, 1, 2))


def test_what_is_expected_is_told_where_no_line_is_left(qtbot, viewer, dock, notes):
    viewer.add_shapes([ROW], shape_type="line", ndim=2)
    viewer.dims.set_point(1, 10)
    dock.plane_chosen.emit(Plane.CORONAL)
    settle(qtbot, dock)
    dock.exports[Export.PROFILE].trigger()
    assert "in a Shapes layer with the image's axes" in notes[-1]
