"""Both docks in napari's own window, by mouse, on a virtual screen."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.detector import DETECTOR_CARDS, FakeDetector, box
from fakes.mouse import drag_mouse
from fakes.widgets import CARD, FakeEngine, settle
from fakes.window import canvas, drag, main_window, point_of
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_metasr.io.layers import layer_data
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.lesions import detection as lesion_worker
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.viewer.napari_versions import camera_of, grid_of
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.region_border import COLOR

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def detector():
    detector = FakeDetector()
    detector.slices = {k: (box(10, 4, 8, 8, 0.9),) for k in range(8, 13)}
    return detector


@pytest.fixture
def window(make_napari_viewer_proxy, qtbot, phantom_volume, detector, monkeypatch):
    """A viewer with the phantom, the detection dock, and a zoom dock that it opens."""
    monkeypatch.setattr(lesion_worker, "concerns", lambda *_, **__: ())
    viewer = make_napari_viewer_proxy(show=True)
    main_window(viewer).resize(1200, 900)
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    engine, zooms = FakeEngine(), []

    def open_zoom():
        zooms.append(MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD}))
        viewer.window.add_dock_widget(zooms[0], name="Meta-SR Zoom", area="right")

    dock = LesionWidget(viewer, detector.factory, DETECTOR_CARDS, open_zoom)
    viewer.window.add_dock_widget(dock, name="Detect tumour", area="right")
    yield viewer, dock, zooms
    detector.gate.set()
    for each in (dock, *zooms):
        each.coordinator.close()


def search(qtbot, dock):
    dock.scope.setCurrentIndex(1)
    qtbot.mouseClick(dock.detect, LEFT)
    settle(qtbot, dock)
    assert dock.table.rowCount() == 1


def click_row(qtbot, dock, row):
    place = dock.table.visualItemRect(dock.table.item(row, 1)).center()
    qtbot.mouseClick(dock.table.viewport(), LEFT, pos=place)


def test_a_clicked_row_opens_the_zoom_once_on_that_lesion(qtbot, window):
    viewer, dock, zooms = window
    search(qtbot, dock)
    for _ in range(2):
        click_row(qtbot, dock, 0)
        settle(qtbot, dock, *zooms)
    (zoom,) = zooms
    assert zoom.settings.region is RegionMode.LESION
    assert grid_of(viewer).enabled
    assert any("lesion super-resolved" in layer.name for layer in viewer.layers)
    assert "of slice" in zoom.readout.values["saving"].text()
    assert dock.table.isVisible()


def line_pixels(viewer):
    """Where on the canvas the line's colour is, in (row, column)."""
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    wanted = np.array([int(COLOR[k : k + 2], 16) for k in (1, 3, 5)])
    return np.argwhere(np.abs(picture - wanted).max(axis=-1) < 40), picture.shape


def test_the_line_is_drawn_in_both_boxes_and_whole_in_one(qtbot, window):
    viewer, dock, zooms = window
    search(qtbot, dock)
    click_row(qtbot, dock, 0)
    settle(qtbot, dock, *zooms)
    places, (_, width, _) = line_pixels(viewer)
    left, right = places[places[:, 1] < width / 2], places[places[:, 1] > width / 2]
    np.testing.assert_allclose(np.ptp(left, axis=0), np.ptp(right, axis=0), atol=4)
    boxes = dock.coordinator.results.current.boxes.layer
    boxes.visible = False
    zooms[0].comparison.setCurrentText("None (result over source)")
    settle(qtbot, dock, *zooms)
    boxes.visible = False
    places, (height, width, _) = line_pixels(viewer)
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    np.testing.assert_allclose(middle, (height / 2, width / 2), atol=20)


def test_a_dragged_corner_changes_the_table_and_what_is_super_resolved(qtbot, window):
    viewer, dock, zooms = window
    search(qtbot, dock)
    click_row(qtbot, dock, 0)
    settle(qtbot, dock, *zooms)
    zooms[0].comparison.setCurrentText("None (result over source)")
    qtbot.mouseClick(dock.edit, LEFT)
    settle(qtbot, dock, *zooms)
    layer = dock.coordinator.results.current.boxes.layer
    shown = int(viewer.dims.current_step[0])
    number = next(k for k, data in enumerate(layer.data) if data[0, 0] == shown)
    layer.mode = "direct"
    layer.selected_data = {number}
    corner = layer.data_to_world(layer.data[number][2])
    start = point_of(viewer, *corner[-2:])
    QTest.qWait(100)
    far = -round(1.5 * camera_of(viewer).zoom)  # one voxel and a half
    drag_mouse(canvas(viewer), start, start + QPoint(far, far))
    settle(qtbot, dock, *zooms)
    assert dock.table.item(0, 1).text() == "0.90, edited"
    enhanced = zooms[0].coordinator.presenter.stage.pairs[0].enhanced
    bicubic = zooms[0].coordinator.presenter.stage.pairs[0].bicubic
    different = np.argwhere(np.abs(enhanced.data - bicubic.data)[0] > 0)
    grown = np.ptp(different, axis=0) + 1
    assert grown[0] * enhanced.scale[1] > 8 * 1.0 + 0.5


def test_editing_pauses_the_comparison_and_a_row_brings_it_back(qtbot, window):
    viewer, dock, zooms = window
    search(qtbot, dock)
    for _ in range(2):
        click_row(qtbot, dock, 0)
        settle(qtbot, dock, *zooms)
        assert grid_of(viewer).enabled
        assert not dock.edit.isChecked()
        qtbot.mouseClick(dock.edit, LEFT)
        settle(qtbot, dock, *zooms)
        boxes = dock.coordinator.results.current.boxes.layer
        assert not grid_of(viewer).enabled
        assert boxes.visible
        assert viewer.layers[-1] == boxes
        assert viewer.layers.selection.active == boxes
        assert dock.edit.isChecked()


def test_a_box_is_drawn_with_the_mouse(qtbot, window):
    viewer, dock, _ = window
    viewer.dims.set_current_step(0, 9)
    qtbot.mouseClick(dock.add, LEFT)
    QTest.qWait(100)
    drag(viewer, (4, -3), (-6, 3))
    qtbot.waitUntil(lambda: dock.table.rowCount() == 1, timeout=10_000)
    assert dock.table.item(0, 1).text() == "manual"
    layer = dock.coordinator.results.current.boxes.layer
    qtbot.waitUntil(lambda: not dock.add.isChecked())
    assert (str(layer.mode), dock.edit.isChecked()) == ("select", True)


def test_closing_both_docks_leaves_the_image_and_the_boxes(qtbot, window):
    viewer, dock, zooms = window
    search(qtbot, dock)
    click_row(qtbot, dock, 0)
    settle(qtbot, dock, *zooms)
    viewer.window.remove_dock_widget(dock)
    settle(qtbot, *zooms)
    assert "Plugins > Meta-SR > Detect tumour" in zooms[0].notice.text()
    viewer.window.remove_dock_widget(zooms[0])
    assert [layer.name for layer in viewer.layers] == ["phantom", "tumour regions (1) · phantom"]
    assert not grid_of(viewer).enabled


def test_the_dock_is_narrow_and_its_controls_explain_themselves(qtbot, window):
    from qtpy.QtWidgets import QAbstractButton, QComboBox

    _, dock, _ = window
    assert dock._scroll.widget().minimumSizeHint().width() <= 300
    for kind in (QAbstractButton, QComboBox):
        for control in dock._scroll.widget().findChildren(kind):
            hidden = control.objectName().startswith("qt_") or not control.isVisibleTo(dock)
            assert hidden or control.toolTip() or control.parent() is dock.table, control


def test_texts_come_and_go_without_moving_anything(qtbot, window):
    _, dock, _ = window
    before = [each.geometry() for each in (dock.table, dock.add, dock.labels)]
    dock.show_status("No tumour found in axial slice 77 at score ≥ 0.5.")
    dock.show_concerns(["Trained on axial slices, asked for coronal ones.", "Another doubt."])
    dock.show_progress("Looking for tumour", 3, 155)
    QTest.qWait(50)
    assert [each.geometry() for each in (dock.table, dock.add, dock.labels)] == before
