"""What a user does in the first hour never leaves a state that contradicts itself."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.detector import DETECTOR_CARDS, FakeDetector, box
from fakes.widgets import results, settle
from fakes.window import LEFT, click, delete, main_window, picture, press, qt_viewer, wheel
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions import detection
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.zoom import messages
from napari_metasr.widgets.zoom.dock import ZoomDock

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SLICE = 12


def zoom_docks(viewer):
    return main_window(viewer).findChildren(ZoomDock)


def test_3d_and_back_by_napari_s_button_shows_the_slice_again(qtbot, viewer, dock):
    viewer.dims.set_current_step(0, SLICE)
    settle(qtbot, dock)
    before = picture(viewer)
    for ndisplay in (3, 2):
        click(qt_viewer(viewer).viewerButtons.ndisplayButton)
        settle(qtbot, dock)
        assert viewer.dims.ndisplay == ndisplay
        assert viewer.dims.current_step[0] == SLICE
    qtbot.wait(100)
    after = picture(viewer)
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("first", ["a row of the table", "the menu"])
def test_there_is_one_zoom_dock_whatever_opens_it(qtbot, viewer, monkeypatch, first):
    monkeypatch.setattr(detection, "concerns", lambda *_, **__: ())
    detector = FakeDetector()
    detector.everywhere = (box(10, 4, 8, 8, 0.9),)
    lesions = LesionWidget(viewer, detector.factory, DETECTOR_CARDS)
    viewer.window.add_dock_widget(lesions, name="Detect tumour", area="right")
    click(lesions.detect)
    settle(qtbot, lesions)

    def row():
        place = lesions.table.visualItemRect(lesions.table.item(0, 1)).center()
        qtbot.mouseClick(lesions.table.viewport(), LEFT, pos=place)

    def menu():
        viewer.window.add_plugin_dock_widget("napari-metasr", "Meta-SR Zoom")

    for act in (row, menu) if first == "a row of the table" else (menu, row):
        act()
        qtbot.waitUntil(lambda: any(zoom.isVisible() for zoom in zoom_docks(viewer)))
        qtbot.waitUntil(lambda: len(zoom_docks(viewer)) == 1, timeout=20_000)
        settle(qtbot, zoom_docks(viewer)[0])
    (zoom,) = zoom_docks(viewer)
    click(zoom.scale.presets[3.0])
    settle(qtbot, zoom)
    own = [layer.name for layer in viewer.layers if "×3.00" in layer.name]
    assert len(own) == 2
    assert not any(layer.name.endswith("]") for layer in viewer.layers)


def test_the_next_patient_after_all_layers_were_deleted(qtbot, viewer, dock, phantom_volume):
    settle(qtbot, dock)
    delete(viewer, *viewer.layers)
    settle(qtbot, dock)
    assert len(viewer.layers) == 0
    assert dock.notice.text() == messages.NO_IMAGE
    viewer.add_layer(Layer.create(*layer_data(phantom_volume, name="next")))
    settle(qtbot, dock)
    assert "next" in results(dock)[1].name
    assert "removed" not in dock.notice.text()
    click(dock.planes[Plane.SAGITTAL])
    settle(qtbot, dock)
    assert dock.planes[Plane.SAGITTAL].isChecked()


def test_a_kept_result_is_not_taken_for_an_original(qtbot, viewer, dock):
    source = viewer.layers["sub-01_T1c"]
    click(dock.keep)
    settle(qtbot, dock)
    delete(viewer, source)
    settle(qtbot, dock)
    assert [layer.name.startswith("kept: ") for layer in viewer.layers] == [True]
    assert dock.notice.text() == messages.NO_ORIGINAL


def test_keys_go_through_slices_one_by_one_beside_a_kept_result(qtbot, viewer, dock, notes):
    click(dock.scale.presets[3.0])
    settle(qtbot, dock)
    steps = viewer.dims.nsteps
    press(viewer, Qt.Key.Key_K)
    settle(qtbot, dock)
    assert notes[-1].startswith("Kept as the layer “kept: ")
    assert not any(layer.name.endswith("]") for layer in viewer.layers)
    click(dock.planes[Plane.CORONAL])
    settle(qtbot, dock)
    assert viewer.dims.nsteps == steps
    at = viewer.dims.current_step[Plane.CORONAL.normal_axis]
    for further in (1, 2):
        press(viewer, Qt.Key.Key_Right)
        settle(qtbot, dock)
        assert viewer.dims.current_step[Plane.CORONAL.normal_axis] == at + further


def test_the_camera_that_is_followed_is_moved_by_slider_and_presets(qtbot, viewer, dock):
    click(dock.follow_camera)
    assert not dock.move_camera.isEnabled()
    zoom = camera_of(viewer).zoom
    wheel(viewer, 3)
    qtbot.waitUntil(lambda: camera_of(viewer).zoom > zoom, timeout=10_000)
    settle(qtbot, dock)
    low, high = sorted(map(abs, (0.8, 1.0)))
    shown = dock.scale.number.value()
    assert shown == pytest.approx(camera_of(viewer).zoom * (low * high) ** 0.5, abs=0.02)
    click(dock.scale.presets[4.0])
    settle(qtbot, dock)
    assert dock.scale.number.value() == pytest.approx(4, abs=0.02)
    assert camera_of(viewer).zoom * (low * high) ** 0.5 == pytest.approx(4, rel=1e-3)
    true = [float(text.strip("×")) for text in dock.readout.values["scale"].text().split(" · ")]
    assert np.prod(true) ** 0.5 == pytest.approx(4, rel=0.01)
    for _ in range(12):
        wheel(viewer, -3)
    settle(qtbot, dock)
    click(dock.follow_camera)
    settle(qtbot, dock)
    assert dock.move_camera.isEnabled()
    assert camera_of(viewer).zoom > 1  # the slice fills the view again


def test_layers_opened_while_comparing_are_seen_or_told_of(qtbot, viewer, dock, notes):
    source = viewer.layers["sub-01_T1c"]
    place = {"scale": source.scale, "translate": source.translate, "units": source.units}
    image = viewer.add_image(source.data[::-1], name="flair", **place)
    mask = viewer.add_labels((source.data > 800).astype(int), name="mask", **place)
    settle(qtbot, dock)
    assert image.visible
    over = {each.name: each.visible for each in viewer.layers if "mask over" in each.name}
    assert over == {f"mask over {name}": True for name in ("bicubic", "super-resolved", "flair")}
    points = viewer.add_points([source.data_to_world((9, 13, 11))], name="here")
    settle(qtbot, dock)
    assert not points.visible
    assert notes[-1].startswith("“here” is hidden while images are compared side by side")
    dock.comparison.setCurrentText("Swipe")
    settle(qtbot, dock)
    assert points.visible
    viewer.window.remove_dock_widget("all")
    assert all(layer.visible for layer in (source, image, mask, points))
