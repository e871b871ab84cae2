"""The rectangle that is drawn: its button and its layer agree, whichever plane or image comes."""

from __future__ import annotations

import numpy as np
from fakes.widgets import SHAPE, settle

from napari_metasr.volume import Plane
from napari_metasr.widgets.zoom.region_layer import NAME


def draw(qtbot, dock, layer, corners):
    layer.add_rectangles(np.array(corners, float))
    settle(qtbot, dock)


def rectangle_of(viewer):
    """The layer that is drawn in, and how it is set."""
    layer = viewer.layers[NAME]
    assert viewer.layers.selection.active is layer
    return layer, str(layer.mode), len(layer.data)


AXIAL = [[6, 5, 6], [6, 5, 18], [6, 15, 18], [6, 15, 6]]
CORONAL = [[3, 12, 6], [3, 12, 30], [12, 12, 30], [12, 12, 6]]


def test_another_plane_is_drawn_in_or_dragged_in(qtbot, viewer, dock):
    dock.draw.click()
    settle(qtbot, dock)
    layer, mode, count = rectangle_of(viewer)
    assert (mode, count) == ("add_rectangle", 0)
    draw(qtbot, dock, layer, AXIAL)
    assert not dock.draw.isChecked()
    dock.draw.click()
    settle(qtbot, dock)
    assert rectangle_of(viewer)[1:] == ("select", 1)
    dock.plane_chosen.emit(Plane.CORONAL)
    settle(qtbot, dock)
    assert dock.draw.isChecked()
    layer, mode, count = rectangle_of(viewer)
    assert (mode, count) == ("add_rectangle", 0)
    dock.plane_chosen.emit(Plane.AXIAL)
    settle(qtbot, dock)
    layer, mode, count = rectangle_of(viewer)
    assert (mode, count, set(layer.selected_data)) == ("select", 1, {0})
    dock.plane_chosen.emit(Plane.CORONAL)
    settle(qtbot, dock)
    draw(qtbot, dock, layer, CORONAL)
    assert not dock.draw.isChecked()
    assert NAME not in viewer.layers
    region, shown = dock.coordinator._region, dock.coordinator._shown
    assert region.window(shown.source, shown.view) is not None


def test_a_slice_further_what_is_set_stays(qtbot, viewer, dock):
    dock.draw.click()
    settle(qtbot, dock)
    layer, _, _ = rectangle_of(viewer)
    layer.mode = "pan_zoom"
    viewer.dims.set_current_step(0, 1)
    settle(qtbot, dock)
    assert rectangle_of(viewer)[1:] == ("pan_zoom", 0)


def test_another_image_is_drawn_on(qtbot, viewer, dock, rng):
    other = viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    dock.draw.click()
    settle(qtbot, dock)
    draw(qtbot, dock, rectangle_of(viewer)[0], AXIAL)
    dock.draw.click()
    settle(qtbot, dock)
    dock.source.setCurrentIndex(dock.source.findText("flair"))
    settle(qtbot, dock)
    layer, mode, count = rectangle_of(viewer)
    assert (mode, count) == ("add_rectangle", 0)
    draw(qtbot, dock, layer, AXIAL)
    assert not dock.draw.isChecked()
    region, shown = dock.coordinator._region, dock.coordinator._shown
    assert shown.source.layer is other
    assert region.window(shown.source, shown.view) is not None
