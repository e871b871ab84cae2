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
from qtpy.QtTest import QTest

from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Plane
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.viewport import RegionMode


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
    assert not viewer.canvas.grid.enabled
    viewer.dims.ndisplay = 2
    settle(qtbot, dock)
    assert "super-resolved" in results(dock)[1].name


def test_the_slider_moves_the_camera_unless_switched_off(qtbot, viewer, dock):
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.CENTRE))
    settle(qtbot, dock)
    zoom = viewer.scene.camera.zoom
    dock.scale.set_scale(4)
    settle(qtbot, dock)
    assert viewer.scene.camera.zoom == pytest.approx(2 * zoom, rel=1e-2)
    dock.move_camera.setChecked(False)
    dock.scale.set_scale(8)
    settle(qtbot, dock)
    assert viewer.scene.camera.zoom == pytest.approx(2 * zoom, rel=1e-2)


def test_a_new_layer_or_name_does_not_move_the_camera(qtbot, viewer, dock):
    settle(qtbot, dock)
    viewer.scene.camera.center, viewer.scene.camera.zoom = (0, 3, 4), 7
    viewer.add_points([(1, 2, 3)])
    viewer.layers[0].name = "new t1c"
    settle(qtbot, dock)
    assert viewer.scene.camera.zoom == 7
    assert dock.source.currentText() == "new t1c"
    assert all("new t1c" in layer.name for layer in results(dock))


def test_following_the_camera_renders_what_is_visible_at_the_screen_s_resolution(
    qtbot, viewer, dock, engine
):
    dock.follow_camera.setChecked(True)
    viewer.scene.camera.zoom = 20
    viewer.scene.camera.center = (0, 12, 24)
    settle(qtbot, dock)
    (scale, window) = engine.rendered[-1]
    assert scale == (20, 30)
    height, width = viewer.canvas.viewbox_size(viewer.layers)
    assert window[2] - window[0] <= min(height / 20 + 4, 24) + 1e-6
    assert window[3] - window[1] <= min(width / 30 + 4, 32) + 1e-6
    viewer.scene.camera.zoom = 0.5
    settle(qtbot, dock)
    assert "nothing to super-resolve" in dock.notice.text()
    assert "super-resolved" not in results(dock)[1].name


def test_only_what_is_visible_is_rendered_at_high_scales(qtbot, viewer, dock, engine):
    dock.move_camera.setChecked(False)
    viewer.scene.camera.zoom = 200
    viewer.scene.camera.center = (0, 12, 24)
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


def test_shortcuts_on_the_dock(qtbot, dock):
    settle(qtbot, dock)
    before = dock.scale.scale
    QTest.keyClick(dock.keep, "]")
    assert dock.scale.scale > before
    QTest.keyClick(dock.keep, "[")
    assert dock.scale.scale == pytest.approx(before, abs=0.02)
    title = dock.comparison.currentText()
    QTest.keyClick(dock.keep, "c")
    assert dock.comparison.currentText() != title
    settle(qtbot, dock)


def test_keep_pins_the_region_as_a_layer_of_its_own(qtbot, viewer, dock):
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    shown = results(dock)[1]
    qtbot.mouseClick(dock.keep, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    kept = [layer for layer in viewer.layers if "super-resolved" in layer.name][-1]
    assert kept is not shown
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
