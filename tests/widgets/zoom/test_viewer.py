"""The dock and its viewer: the camera, planes, keys, and layers that are kept or go away."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from fakes.widgets import CARD, results, settle
from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_metasr.geometry.windows import Window
from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Plane
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.napari_versions import camera_of, grid_of, viewbox_size
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom import messages
from napari_metasr.widgets.zoom.readout import NOTHING


def all_gone(held):
    """Whether nothing of all this exists any more."""
    gc.collect()
    return [reference() for reference in held if reference() is not None] == []


def test_in_3d_the_dock_pauses_and_comes_back(qtbot, viewer, dock):
    settle(qtbot, dock)
    viewer.dims.ndisplay = 3
    settle(qtbot, dock)
    assert "3-D" in dock.notice.text()
    assert [layer.name for layer in viewer.layers] == ["t1c"]
    assert viewer.layers[0].visible
    assert not grid_of(viewer).enabled
    viewer.dims.ndisplay = 2
    settle(qtbot, dock)
    assert "super-resolved" in results(dock)[1].name


def test_in_3d_and_back_the_slice_stays(qtbot, viewer, dock):
    viewer.dims.set_current_step(0, 4)
    settle(qtbot, dock)
    for ndisplay in (3, 2):
        viewer.dims.ndisplay = ndisplay
        settle(qtbot, dock)
        assert viewer.dims.current_step[0] == 4
    assert camera_of(viewer).center[0] == 0


def test_a_second_dock_takes_the_place_of_the_first(qtbot, viewer, make_dock):
    first = make_dock(viewer)
    closed = []
    first.closed.connect(lambda: closed.append(1))
    second = make_dock(viewer)
    assert closed
    assert len(viewer.layers) == 3
    second.scale.set_scale(3)
    settle(qtbot, second)
    assert "×3.00" in results(second)[1].name


def test_the_next_patient_is_shown_after_all_layers_were_cleared(qtbot, viewer, dock, rng):
    settle(qtbot, dock)
    viewer.layers.clear()
    settle(qtbot, dock)
    assert dock.notice.text() == messages.NO_IMAGE
    viewer.add_image(rng.normal(100, 20, (5, 20, 22)), name="next")
    settle(qtbot, dock)
    assert "super-resolved" in results(dock)[1].name
    assert "next" in results(dock)[1].name
    assert all(button.isEnabled() for button in dock.planes.values())


def test_a_kept_result_is_a_source_only_if_it_is_chosen(qtbot, viewer, dock):
    settle(qtbot, dock)
    qtbot.mouseClick(dock.keep, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    viewer.layers.remove(viewer.layers["t1c"])
    settle(qtbot, dock)
    (kept,) = viewer.layers
    assert kept.name.startswith("kept: ")
    assert dock.source.currentIndex() == -1
    assert dock.notice.text() == messages.NO_ORIGINAL
    dock.source.setCurrentIndex(0)
    settle(qtbot, dock)
    assert "super-resolved already" in dock.notice.text()


def test_a_kept_result_leaves_the_sliders_on_the_source_s_slices(qtbot, viewer, dock):
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    steps, point = viewer.dims.nsteps, viewer.dims.point
    qtbot.mouseClick(dock.keep, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    source = viewer.layers["t1c"]  # napari works out its sliders from all layers
    viewer.add_image(source.data, scale=source.scale, name="again")
    settle(qtbot, dock)
    assert viewer.dims.nsteps == steps
    assert viewer.dims.point == point
    kept = next(layer for layer in viewer.layers if layer.name.startswith("kept"))
    assert kept.as_layer_data_tuple()[2] == "image"


def test_the_scale_moves_the_camera_that_is_followed_and_shows_where_it_is(qtbot, viewer, dock):
    settle(qtbot, dock)
    dock.follow_camera.setChecked(True)
    assert not dock.move_camera.isEnabled()
    camera_of(viewer).zoom = 10
    settle(qtbot, dock)
    assert dock.scale.number.value() == pytest.approx((10 * 15) ** 0.5, abs=0.02)
    qtbot.mouseClick(dock.scale.presets[4.0], Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    assert camera_of(viewer).zoom * 1.5**0.5 == pytest.approx(4, rel=1e-6)
    assert dock.scale.number.value() == pytest.approx(4, abs=0.02)
    camera_of(viewer).zoom = 0.001
    settle(qtbot, dock)
    dock.follow_camera.setChecked(False)
    settle(qtbot, dock)
    assert dock.move_camera.isEnabled()
    assert camera_of(viewer).zoom > 1


def test_planes_across_thick_slices_say_so(qtbot, phantom_volume, make_dock):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = make_dock(viewer)
    assert "Across the slices" not in dock.notice.text()
    qtbot.mouseClick(dock.planes[Plane.CORONAL], Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    assert "Across the slices, which are 2.5 mm apart (0.8 mm within)." in dock.notice.text()


def test_the_slider_moves_the_camera_unless_switched_off(qtbot, viewer, dock):
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.CENTRE))
    settle(qtbot, dock)
    zoom = camera_of(viewer).zoom
    dock.scale.set_scale(4)
    settle(qtbot, dock)
    assert camera_of(viewer).zoom == pytest.approx(2 * zoom, rel=1e-2)
    dock.move_camera.setChecked(False)
    dock.scale.set_scale(8)
    settle(qtbot, dock)
    assert camera_of(viewer).zoom == pytest.approx(2 * zoom, rel=1e-2)


def test_a_new_layer_or_name_does_not_move_the_camera(qtbot, viewer, dock):
    settle(qtbot, dock)
    camera_of(viewer).center, camera_of(viewer).zoom = (0, 3, 4), 7
    viewer.add_points([(1, 2, 3)])
    viewer.layers[0].name = "new t1c"
    settle(qtbot, dock)
    assert camera_of(viewer).zoom == 7
    assert dock.source.currentText() == "new t1c"
    assert all("new t1c" in layer.name for layer in results(dock))


def test_following_the_camera_renders_what_is_visible_at_the_screen_s_resolution(
    qtbot, viewer, dock, engine
):
    dock.follow_camera.setChecked(True)
    camera_of(viewer).zoom = 20
    camera_of(viewer).center = (0, 12, 24)
    settle(qtbot, dock)
    (scale, window) = engine.rendered[-1]
    assert scale == (20, 30)
    height, width = viewbox_size(viewer)
    assert window[2] - window[0] <= min(height / 20 + 4, 24) + 1e-6
    assert window[3] - window[1] <= min(width / 30 + 4, 32) + 1e-6
    camera_of(viewer).zoom = 0.5
    settle(qtbot, dock)
    assert "nothing to super-resolve" in dock.notice.text()
    assert "super-resolved" not in results(dock)[1].name


def test_only_what_is_visible_is_rendered_at_high_scales(qtbot, viewer, dock, engine):
    dock.move_camera.setChecked(False)
    camera_of(viewer).zoom = 200
    camera_of(viewer).center = (0, 12, 24)
    dock.scale.set_scale(8)
    settle(qtbot, dock)
    _, window = engine.rendered[-1]
    assert window[2] - window[0] < 10
    assert window[3] - window[1] < 10


def test_planes_by_button(qtbot, phantom_volume, make_dock):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = make_dock(viewer)
    before = viewer.dims.point
    for plane in (Plane.CORONAL, Plane.SAGITTAL, Plane.AXIAL):
        qtbot.mouseClick(dock.planes[plane], Qt.MouseButton.LeftButton)
        settle(qtbot, dock)
        assert viewer.dims.order == (plane.normal_axis, plane.row_axis, plane.column_axis)
        assert dock.planes[plane].isChecked()
        assert results(dock)[1].data.shape[plane.normal_axis] == 1
        assert viewer.dims.point == before


def test_a_plane_that_an_image_lies_across_is_left_by_button(qtbot, viewer, dock, rng):
    """Buttons that are dead there would leave no way back in the dock."""
    viewer.dims.order = (1, 0, 2)
    viewer.add_image(rng.normal(size=(24, 32)), name="slice")
    settle(qtbot, dock)
    dock.source.setCurrentIndex(1)
    settle(qtbot, dock)
    assert "lies across the plane" in dock.notice.text()
    qtbot.mouseClick(dock.planes[Plane.AXIAL], Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    assert viewer.dims.order == (0, 1, 2)
    assert "slice" in results(dock)[1].name


def test_where_the_mouse_was_is_not_told_of_the_next_patient(qtbot, viewer, dock, rng):
    settle(qtbot, dock)
    viewer.cursor.position = (3.0, 4.0, 5.0)
    assert dock.readout.values["cursor"].text() != NOTHING
    viewer.layers.clear()
    settle(qtbot, dock)
    assert dock.readout.values["cursor"].text() == NOTHING


def test_keep_pins_the_region_as_a_layer_of_its_own(qtbot, viewer, dock):
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    shown = results(dock)[1]
    qtbot.mouseClick(dock.keep, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    own = [layer for layer in viewer.layers if "super-resolved" in layer.name]
    (kept,) = (layer for layer in own if layer is not shown)
    np.testing.assert_array_equal(kept.data, shown.data)
    np.testing.assert_allclose(kept.translate, shown.translate)
    dock.coordinator.close()
    assert kept in viewer.layers
    assert kept.visible
    assert shown not in viewer.layers


def test_removing_the_source_while_it_works_is_safe_and_frees_the_memory(
    qtbot, viewer, make_dock, engine
):
    engine.gate.clear()
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    qtbot.addWidget(dock)
    qtbot.waitUntil(lambda: dock.cancel.isEnabled(), timeout=20_000)
    del viewer.layers[0]
    engine.gate.set()
    settle(qtbot, dock)
    assert len(viewer.layers) == 0
    assert len(dock.coordinator.slices.session) == 0
    held = [weakref.ref(encoded) for encoded in engine.encoded]
    engine.encoded.clear()
    qtbot.waitUntil(lambda: all_gone(held), timeout=10_000)
    dock.coordinator.close()


def test_removing_a_result_does_not_bring_it_back_until_something_is_set(qtbot, viewer, dock):
    settle(qtbot, dock)
    viewer.layers.remove(results(dock)[1])
    settle(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == ["t1c"]
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    assert len(viewer.layers) == 3


def test_closing_while_it_works_frees_everything(qtbot, viewer, engine):
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    settle(qtbot, dock)
    engine.gate.clear()
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(dock.cancel.isEnabled, timeout=20_000)
    held = [weakref.ref(thing) for thing in (dock.coordinator, *results(dock), *engine.encoded)]
    dock.close()
    engine.gate.set()
    assert [layer.name for layer in viewer.layers] == ["t1c"]
    engine.encoded.clear()
    dock.deleteLater()
    del dock

    qtbot.waitUntil(lambda: all_gone(held), timeout=10_000)


def test_ctrl_z_takes_the_last_change_of_the_rectangle_back(qtbot, viewer, dock):
    region = dock.coordinator._region
    shown = dock.coordinator._shown
    source, view = shown.source, shown.view
    first, second = Window(2.0, 3.0, 12.0, 15.0), Window(4.0, 5.0, 14.0, 20.0)
    region.set_window(source, view, first)
    region.set_window(source, view, second)
    dock.draw.click()
    settle(qtbot, dock)
    layer = viewer.layers.selection.active
    undo = next(act for key, act in layer.keymap.items() if str(key) == "Ctrl+Z")
    undo(layer)
    settle(qtbot, dock)
    assert region.window(source, view) == first
    assert len(layer.data) == 1
    undo(layer)  # there is nothing before
    assert region.window(source, view) == first
