"""The detection dock in a viewer model: searching, drawing, editing, segmentations."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.detector import box
from fakes.lesion_dock import LEFT, box_layers, rows, search
from fakes.widgets import FakeDialogs, settle
from napari.components import ViewerModel

from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions import detection as lesion_worker
from napari_metasr.widgets.lesions.dock import SearchScope
from napari_metasr.widgets.viewer.focus import lesion_focus


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_slice_gives_rectangles_with_scores_and_a_table_in_their_order(
    qtbot, viewer, lesion_dock, detector
):
    search(qtbot, lesion_dock)
    assert rows(lesion_dock) == [
        ("1", "0.93", "2", "8 × 15"),
        ("2", "0.61", "2", "4 × 9"),
    ]
    (layer,) = box_layers(viewer)
    assert layer.name == "tumour regions (2) · t1c"
    assert tuple(layer.scale) == (3, 1, 1.5)
    np.testing.assert_allclose(layer.data[0][:, 0], 2)
    np.testing.assert_allclose(layer.data[0].min(axis=0)[1:], (3.5, 5.5))
    np.testing.assert_allclose(layer.data[0].max(axis=0)[1:], (11.5, 15.5))
    assert list(layer.features["label"]) == ["1 · 0.93", "2 · 0.61"]
    assert lesion_dock.status.text() == "2 regions in axial slice 2 at score ≥ 0.5; best 0.93."
    assert lesion_dock.concerns.text() == "A doubt.\nAnother one."
    assert detector.loads == [("ld-plus", "auto")]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_volume_gives_one_row_for_a_lesion_of_many_slices(qtbot, viewer, lesion_dock):
    search(qtbot, lesion_dock, SearchScope.VOLUME)
    assert rows(lesion_dock) == [("1", "0.90", "1–4", "12 × 15 × 12")]
    (layer,) = box_layers(viewer)
    assert len(layer.data) == 4
    assert set(layer.features["lesion"]) == {1}


@pytest.mark.usefixtures("_no_head_is_needed")
def test_nothing_found_is_said_and_no_box_drawn(qtbot, viewer, lesion_dock, detector):
    detector.everywhere = ()
    search(qtbot, lesion_dock)
    assert lesion_dock.status.text() == "No tumour found in axial slice 2 at score ≥ 0.5."
    assert rows(lesion_dock) == []
    (layer,) = box_layers(viewer)
    assert not len(layer.data)
    assert lesion_focus(viewer).lesion is None


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_dragged_box_is_manual_and_its_lesion_follows(qtbot, viewer, lesion_dock):
    search(qtbot, lesion_dock)
    (layer,) = box_layers(viewer)
    moved = [data + np.array([0, 2, 3]) if k == 0 else data for k, data in enumerate(layer.data)]
    with layer.events.data.blocker():
        layer.data = moved
    layer.events.data(value=layer.data, action="changed", data_indices=(0,), vertex_indices=((),))
    assert rows(lesion_dock)[0] == ("1", "manual", "2", "8 × 15")
    assert layer.features["label"][0] == "1 · manual"
    assert rows(lesion_dock)[1][1] == "0.61"
    assert lesion_focus(viewer).lesion.detections[2].region == (6, 9, 14, 19)


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_lesion_with_one_edited_slice_says_so(qtbot, viewer, lesion_dock):
    search(qtbot, lesion_dock, SearchScope.VOLUME)
    (layer,) = box_layers(viewer)
    layer.events.data(value=layer.data, action="changed", data_indices=(1,), vertex_indices=((),))
    assert rows(lesion_dock)[0][1] == "0.90, edited"
    assert list(layer.features["label"]) == ["1 · 0.90", "1 · manual", "1 · 0.90", "1 · 0.90"]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_deleted_box_leaves_the_table_and_the_focus(qtbot, viewer, lesion_dock):
    search(qtbot, lesion_dock)
    (layer,) = box_layers(viewer)
    layer.selected_data = {0}
    layer.remove_selected()
    assert [row[:2] for row in rows(lesion_dock)] == [("1", "0.61")]
    assert list(layer.features["label"]) == ["1 · 0.61"]
    assert layer.name == "tumour regions (1) · t1c"
    assert lesion_focus(viewer).lesion.score == pytest.approx(0.61)
    layer.selected_data = {0}
    layer.remove_selected()
    assert rows(lesion_dock) == []
    assert lesion_focus(viewer).lesion is None


def test_a_box_drawn_without_any_detection_is_a_region(qtbot, viewer, make_lesion_dock):
    dock = make_lesion_dock(viewer, cards={})
    assert not dock.detect.isEnabled()
    assert "No detector" in dock.status.text()
    qtbot.mouseClick(dock.add, LEFT)
    (layer,) = box_layers(viewer)
    assert str(layer.mode) == "add_rectangle"
    layer.add_rectangles([np.array([[3, 2, 2], [3, 2, 9], [3, 8, 9], [3, 8, 2]], float)])
    assert rows(dock) == [("1", "manual", "3", "6 × 10")]
    qtbot.waitUntil(lambda: not dock.add.isChecked())
    assert str(layer.mode) == "select"
    assert dock.edit.isChecked()


def test_a_segmentation_s_parts_are_regions_without_scores(qtbot, viewer, lesion_dock):
    labels = np.zeros(viewer.layers[0].data.shape, np.uint8)
    labels[1:4, 5:12, 8:20] = 3
    labels[0, 0:4, 0:4] = 1
    viewer.add_labels(labels, name="seg", scale=(3, 1, 1.5))
    qtbot.mouseClick(lesion_dock.take, LEFT)
    settle(qtbot, lesion_dock)
    assert rows(lesion_dock) == [
        ("1", "labels", "1–3", "7 × 18 × 9"),
        ("2", "labels", "0", "4 × 6"),
    ]
    assert lesion_dock.status.text() == "2 regions taken from “seg”."


def test_a_segmentation_of_another_grid_is_refused(qtbot, viewer, lesion_dock, notes):
    viewer.add_labels(np.ones(viewer.layers[0].data.shape, np.uint8), name="seg")
    qtbot.mouseClick(lesion_dock.take, LEFT)
    assert "expected “seg” on the grid of “t1c”" in notes[-1]
    assert box_layers(viewer) == []


@pytest.mark.usefixtures("_no_head_is_needed")
def test_cancel_adds_nothing(qtbot, viewer, lesion_dock, detector):
    detector.gate.clear()
    lesion_dock.scope.setCurrentIndex(1)
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    qtbot.waitUntil(lambda: lesion_dock.cancel.isEnabled())
    qtbot.mouseClick(lesion_dock.cancel, LEFT)
    detector.gate.set()
    settle(qtbot, lesion_dock)
    assert lesion_dock.status.text() == "Cancelled."
    assert not lesion_dock.progress.isVisibleTo(lesion_dock)
    assert box_layers(viewer) == []


@pytest.mark.usefixtures("_no_head_is_needed")
def test_progress_counts_slices(qtbot, lesion_dock, detector):
    seen = []
    show = lesion_dock.show_progress
    lesion_dock.show_progress = lambda *numbers: (seen.append(numbers[1:]), show(*numbers))
    search(qtbot, lesion_dock, SearchScope.VOLUME)
    assert [done for done, total in seen if total == 6] == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_the_newest_search_wins(qtbot, viewer, lesion_dock, detector):
    detector.gate.clear()
    lesion_dock.scope.setCurrentIndex(1)
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    lesion_dock.scope.setCurrentIndex(0)
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    detector.gate.set()
    settle(qtbot, lesion_dock)
    qtbot.wait(50)
    assert len(box_layers(viewer)) == 1
    assert len(rows(lesion_dock)) == 2


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_failure_is_notified_and_the_next_search_works(qtbot, lesion_dock, detector, notes):
    detector.error = ValueError("expected slices of at least 32 x 32 square pixels, found 24 x 32")
    search(qtbot, lesion_dock)
    assert "at least 32 x 32" in notes[-1]
    detector.error = None
    search(qtbot, lesion_dock)
    assert len(rows(lesion_dock)) == 2


def test_an_image_that_is_too_small_is_refused(qtbot, viewer, lesion_dock, notes):
    search(qtbot, lesion_dock)
    assert "at least 32 x 32 square pixels" in notes[-1]
    assert box_layers(viewer) == []


@pytest.mark.usefixtures("_no_head_is_needed")
def test_removing_the_image_while_detecting_stops_it(qtbot, viewer, lesion_dock, detector):
    detector.gate.clear()
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    viewer.layers.clear()
    detector.gate.set()
    settle(qtbot, lesion_dock)
    qtbot.wait(50)
    assert len(viewer.layers) == 0
    assert "removed" in lesion_dock.status.text()
    assert not lesion_dock.detect.isEnabled()


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: setattr(layer, "data", layer.data[::-1] * 7),
        lambda layer: setattr(layer, "translate", (50, 0, 0)),
    ],
    ids=["numbers", "place"],
)
@pytest.mark.usefixtures("_no_head_is_needed")
def test_what_is_found_in_an_image_that_has_changed_meanwhile_is_dropped(
    qtbot, viewer, lesion_dock, detector, change
):
    detector.gate.clear()
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    change(viewer.layers[0])
    assert lesion_dock.status.text() == "The image was changed: stopped. Start again."
    assert not lesion_dock.progress.isVisibleTo(lesion_dock)
    detector.gate.set()
    settle(qtbot, lesion_dock)
    qtbot.wait(50)
    assert box_layers(viewer) == []
    search(qtbot, lesion_dock)
    assert len(rows(lesion_dock)) == 2


@pytest.mark.usefixtures("_no_head_is_needed")
def test_another_image_that_changes_does_not_stop_the_search(
    qtbot, viewer, lesion_dock, detector, rng
):
    other = viewer.add_image(rng.normal(size=(3, 40, 50)), name="other")
    detector.gate.clear()
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    other.data = other.data + 1
    detector.gate.set()
    settle(qtbot, lesion_dock)
    assert len(rows(lesion_dock)) == 2


@pytest.mark.usefixtures("_no_head_is_needed")
def test_closing_the_dock_while_detecting_leaves_the_viewer_alone(
    qtbot, viewer, lesion_dock, detector
):
    detector.gate.clear()
    qtbot.mouseClick(lesion_dock.detect, LEFT)
    lesion_dock.close()
    detector.gate.set()
    qtbot.wait(50)
    assert len(viewer.layers) == 1


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.usefixtures("_no_head_is_needed")
def test_all_planes_are_searched_as_they_are_shown(qtbot, viewer, lesion_dock, plane):
    viewer.dims.order = (plane.normal_axis, plane.row_axis, plane.column_axis)
    viewer.dims.set_current_step(plane.normal_axis, 3)
    lesion_dock.coordinator._detectors.get("ld-plus", "auto").everywhere = (box(1, 2, 3, 5, 0.8),)
    search(qtbot, lesion_dock)
    (layer,) = box_layers(viewer)
    (data,) = layer.data
    assert np.ptp(data[:, plane.normal_axis]) == 0
    assert data[0, plane.normal_axis] == 3
    assert np.ptp(data[:, plane.row_axis]) == 3
    assert np.ptp(data[:, plane.column_axis]) == 5
    assert lesion_focus(viewer).lesion.plane is plane


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_picture_and_a_time_series_have_regions_too(qtbot, make_lesion_dock, rng):
    viewer = ViewerModel()
    picture = viewer.add_image(rng.normal(size=(40, 50)), name="picture")
    dock = make_lesion_dock(viewer)
    search(qtbot, dock)
    assert box_layers(viewer)[-1].data[0].shape == (4, 2)
    assert dock.status.text().startswith("2 regions in the image")
    viewer.layers.remove(picture)
    viewer.add_image(rng.normal(size=(2, 3, 40, 50)), name="series")
    viewer.dims.set_current_step(0, 1)
    viewer.dims.set_current_step(1, 2)
    search(qtbot, dock)
    np.testing.assert_allclose(box_layers(viewer)[-1].data[0][:, :2], [[1, 2]] * 4)


def test_three_dimensions_on_the_screen_are_refused(qtbot, viewer, lesion_dock, notes):
    viewer.dims.ndisplay = 3
    search(qtbot, lesion_dock)
    assert "switch it to 2-D" in notes[-1]


def test_a_segmentation_by_any_name_is_a_segmentation(qtbot, viewer, lesion_dock, tmp_path):
    labels = np.zeros(viewer.layers[0].data.shape, np.uint8)
    labels[1:4, 5:12, 8:20] = 1
    viewer.add_labels(labels, name="by hand", scale=(3, 1, 1.5))
    qtbot.mouseClick(lesion_dock.take, LEFT)
    settle(qtbot, lesion_dock)
    assert lesion_dock.status.text() == "1 region taken from “by hand”."
    lesion_dock.coordinator.export.dialogs = FakeDialogs(tmp_path / "t1c_label-tumor_rois.json")
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    document = json.loads((tmp_path / "t1c_label-tumor_rois.json").read_text())
    assert document["found_by"]["kind"] == "segmentation"


def test_doubts_are_looked_for_once_while_the_image_stays_as_it_is(
    qtbot, viewer, lesion_dock, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        lesion_worker, "concerns", lambda *given, **_: asked.append(given[0]) or ("A doubt.",)
    )
    for step in (2, 3, 4):
        viewer.dims.set_current_step(0, step)
        search(qtbot, lesion_dock)
        assert lesion_dock.concerns.text() == "A doubt."
    assert len(asked) == 1
    viewer.layers[0].data = viewer.layers[0].data + 1
    search(qtbot, lesion_dock)
    assert len(asked) == 2
    assert asked[0] is not asked[1]


def test_the_default_detector_is_the_first_one(lesion_dock):
    assert lesion_dock.detector.currentData() == DEFAULT_DETECTOR
