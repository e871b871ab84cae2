"""What the detection dock has found: whose it is, where it goes, what stays of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.lesion_dock import LEFT, box_layers, rows, search, square
from fakes.widgets import FakeDialogs, resize_canvas, settle
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils._proxies import PublicOnlyProxy

from napari_metasr.io.layers import layer_data
from napari_metasr.widgets.lesions.dock import SearchScope
from napari_metasr.widgets.viewer.focus import lesion_focus
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.result_layers import ROLE


@pytest.mark.usefixtures("_no_head_is_needed")
def test_earlier_results_are_hidden_and_come_back(qtbot, viewer, lesion_dock):
    search(qtbot, lesion_dock)
    search(qtbot, lesion_dock, SearchScope.VOLUME)
    assert [layer.visible for layer in box_layers(viewer)] == [False, True]
    assert lesion_dock.results.count() == 2
    lesion_dock.results.setCurrentIndex(0)
    assert [layer.visible for layer in box_layers(viewer)] == [True, False]
    assert len(rows(lesion_dock)) == 2
    assert lesion_focus(viewer).lesion.detections.keys() == {2}


@pytest.mark.usefixtures("_no_head_is_needed")
def test_removing_the_boxes_goes_back_to_the_result_before(qtbot, viewer, lesion_dock):
    search(qtbot, lesion_dock)
    search(qtbot, lesion_dock, SearchScope.VOLUME)
    viewer.layers.remove(box_layers(viewer)[-1])
    assert len(rows(lesion_dock)) == 2
    assert [layer.visible for layer in box_layers(viewer)] == [True]
    viewer.layers.remove(box_layers(viewer)[-1])
    assert rows(lesion_dock) == []
    assert not lesion_dock.export.isEnabled()
    assert lesion_focus(viewer).lesion is None


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_clicked_row_moves_the_viewer_to_the_lesion(qtbot, viewer, make_lesion_dock):
    opened = []
    dock = make_lesion_dock(viewer, open_zoom=lambda: opened.append(True))
    resize_canvas(viewer, (300, 400))
    search(qtbot, dock, SearchScope.VOLUME)
    viewer.dims.order = (1, 0, 2)
    item = dock.table.visualItemRect(dock.table.item(0, 1))
    qtbot.mouseClick(dock.table.viewport(), LEFT, pos=item.center())
    assert viewer.dims.displayed == (1, 2)
    assert viewer.dims.current_step[0] == 4
    top, left, bottom, right = lesion_focus(viewer).lesion.detections[4].region
    np.testing.assert_allclose(
        camera_of(viewer).center[-2:], ((top + bottom - 1) / 2, 1.5 * (left + right - 1) / 2)
    )
    assert camera_of(viewer).zoom * (bottom - top) <= 300
    assert viewer.layers.selection.active is viewer.layers[0]
    assert opened == [True]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_what_is_found_belongs_to_the_image_it_was_looked_for_in(
    qtbot, viewer, lesion_dock, detector, rng
):
    """Another image is chosen, and drawn on, while the first one is looked through."""
    other = viewer.add_image(rng.normal(size=(6, 24, 32)), name="t2", scale=(3, 1, 2))
    detector.gate.clear()
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    lesion_dock.source.setCurrentIndex(1)
    qtbot.mouseClick(lesion_dock.add, LEFT)
    detector.gate.set()
    settle(qtbot, lesion_dock)
    drawn, found = box_layers(viewer)
    assert (drawn.name, found.name) == ("tumour regions (0) · t2", "tumour regions (2) · t1c")
    assert tuple(drawn.scale) == tuple(other.scale)
    assert tuple(found.scale) == tuple(viewer.layers[0].scale)
    assert lesion_focus(viewer).layer is viewer.layers[0]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_what_is_found_stays_at_its_time_point(qtbot, make_lesion_dock, detector, rng):
    viewer = ViewerModel()
    viewer.add_image(rng.normal(size=(2, 3, 40, 50)), name="series")
    viewer.dims.set_current_step(0, 0)
    dock = make_lesion_dock(viewer)
    detector.gate.clear()
    qtbot.mouseClick(dock.detect, LEFT)
    viewer.dims.set_current_step(0, 1)
    qtbot.mouseClick(dock.add, LEFT)
    detector.gate.set()
    settle(qtbot, dock)
    assert set(box_layers(viewer)[-1].data[0][:, 0]) == {0.0}


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_box_of_another_time_point_begins_a_result(qtbot, make_lesion_dock, rng):
    viewer = ViewerModel()
    viewer.add_image(rng.normal(size=(3, 6, 40, 50)), name="series")
    viewer.dims.set_current_step(0, 0)
    dock = make_lesion_dock(viewer)
    search(qtbot, dock)
    viewer.dims.set_current_step(0, 1)
    qtbot.mouseClick(dock.add, LEFT)
    box_layers(viewer)[-1].add_rectangles([square((1, 2), 10, 10)])
    assert rows(dock) == [("1", "manual", "2", "6 × 6")]
    qtbot.mouseClick(dock.add, LEFT)
    assert dock.results.count() == 2


@pytest.mark.usefixtures("_no_head_is_needed")
def test_boxes_go_where_their_image_goes(qtbot, viewer, lesion_dock):
    search(qtbot, lesion_dock)
    image, (layer,) = viewer.layers[0], box_layers(viewer)
    image.scale, image.translate = (3, 2, 3), (0, 50, 60)
    assert tuple(layer.scale) == (3, 2, 3)
    assert tuple(layer.translate) == (0, 50, 60)
    assert rows(lesion_dock)[0][3] == "16 × 30"


@pytest.mark.usefixtures("_no_head_is_needed")
def test_an_image_whose_data_are_replaced_is_looked_through_anew(
    qtbot, make_lesion_dock, detector, phantom_volume
):
    viewer = ViewerModel()
    image = viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = make_lesion_dock(viewer)
    seen = []
    detector.detect = lambda slice_, *_, **__: seen.append(slice_.mean()) or ()
    search(qtbot, dock)
    image.data = image.data * 0 + 7
    search(qtbot, dock)
    assert seen[0] != 7
    assert seen[1] == 7


def test_removing_the_first_image_while_results_are_the_first_layers(
    qtbot, viewer, lesion_dock, rng
):
    viewer.add_image(rng.normal(size=(24, 32)), name="bicubic", metadata={ROLE: True})
    viewer.add_image(rng.normal(size=(24, 32)), name="t2")
    viewer.layers.remove("t1c")
    assert lesion_dock.source.currentText() == "t2"
    assert lesion_dock.detect.isEnabled()


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_lesion_that_cannot_be_shown_is_notified(qtbot, viewer, lesion_dock, notes):
    search(qtbot, lesion_dock)
    viewer.layers[0].rotate = [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]
    lesion_dock.table.cellClicked.emit(0, 0)
    assert "is rotated or sheared" in notes[-1]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_results_outlive_their_dock_and_edits_meanwhile_count(
    qtbot, viewer, lesion_dock, make_lesion_dock
):
    search(qtbot, lesion_dock)
    (layer,) = box_layers(viewer)
    lesion_dock.close()
    layer.events.data(value=layer.data, action="changed", data_indices=(1,), vertex_indices=((),))
    dock = make_lesion_dock(PublicOnlyProxy(viewer))
    assert [row[:2] for row in rows(dock)] == [("1", "0.93"), ("2", "manual")]
    assert dock.results.count() == 1
    assert dock.export.isEnabled()
    layer.selected_data = {0}
    layer.remove_selected()
    assert [row[:2] for row in rows(dock)] == [("1", "manual")]
    dock.close()
    viewer.layers.remove(layer)
    assert rows(make_lesion_dock(viewer)) == []


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_result_without_its_image_is_seen_and_exported(qtbot, viewer, lesion_dock, tmp_path):
    search(qtbot, lesion_dock)
    viewer.layers.remove("t1c")
    assert len(rows(lesion_dock)) == 2
    assert lesion_focus(viewer).lesion is None
    lesion_dock.table.cellClicked.emit(0, 0)
    lesion_dock.coordinator.export.dialogs = FakeDialogs(tmp_path / "t1c_label-tumor_rois.json")
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    assert (tmp_path / "t1c_label-tumor_rois.json").exists()


@pytest.mark.usefixtures("_no_head_is_needed")
def test_the_table_and_the_file_have_the_same_numbers_and_scores(
    qtbot, viewer, lesion_dock, tmp_path
):
    search(qtbot, lesion_dock)
    (layer,) = box_layers(viewer)
    layer.selected_data = {0}
    layer.remove_selected()
    layer.add_rectangles([square((4,), 10, 20)])
    lesion_dock.coordinator.export.dialogs = FakeDialogs(tmp_path / "t1c_label-tumor_rois.json")
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    document = json.loads((tmp_path / "t1c_label-tumor_rois.json").read_text())
    assert [row[:3] for row in rows(lesion_dock)] == [("1", "0.61", "2"), ("2", "manual", "4")]
    assert [
        (one["number"], one["score"], one["middle"], one["regions"][0]["by_hand"])
        for one in document["lesions"]
    ] == [(1, 0.61, 2, False), (2, None, 4, True)]
    np.testing.assert_allclose(document["lesions"][0]["regions"][0]["stored"][0], (2, 8))


@pytest.mark.parametrize(("units", "heading"), [("pixel", "Size (px)"), ("mm", "Size (mm)")])
@pytest.mark.usefixtures("_no_head_is_needed")
def test_sizes_are_in_the_unit_of_the_image(qtbot, make_lesion_dock, rng, units, heading):
    viewer = ViewerModel()
    viewer.add_image(rng.normal(size=(40, 50)), units=units)
    dock = make_lesion_dock(viewer)
    search(qtbot, dock)
    assert dock.table.horizontalHeaderItem(3).text() == heading
