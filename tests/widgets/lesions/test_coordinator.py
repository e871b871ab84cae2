"""The detection dock in a viewer model: searching, editing, results, segmentations."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.detector import DETECTOR_CARDS, FakeDetector, box
from fakes.dicom import save, series, voxels
from fakes.widgets import FakeDialogs
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils._proxies import PublicOnlyProxy
from pydicom import dcmread
from qtpy.QtCore import Qt

from napari_metasr.io import read_volume
from napari_metasr.io.layers import layer_data
from napari_metasr.io.reader import read_dicom_layers
from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions import detection as lesion_worker
from napari_metasr.widgets.lesions.dock import SearchScope
from napari_metasr.widgets.lesions.export import FIGURES, MOSAICS, RTSTRUCT, SEG
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.viewer.focus import lesion_focus
from napari_metasr.widgets.viewer.result_layers import ROLE

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def _no_head_is_needed(monkeypatch):
    """For images of noise that are looked through: they are nothing like a head."""
    monkeypatch.setattr(lesion_worker, "concerns", lambda *_, **__: ("A doubt.", "Another one."))


@pytest.fixture
def detector():
    detector = FakeDetector()
    detector.everywhere = (box(4, 6, 8, 10, 0.93), box(14, 2, 4, 6, 0.61))
    detector.slices = {k: (box(4, 6, 8 + k, 10, 0.9),) for k in range(1, 5)}
    return detector


@pytest.fixture
def make_lesion_dock(qtbot, detector):
    docks = []

    def make(viewer, **options):
        options = {"cards": DETECTOR_CARDS, "open_zoom": lambda: None} | options
        dock = LesionWidget(viewer, detector.factory, **options)
        qtbot.addWidget(dock)
        docks.append(dock)
        return dock

    yield make
    detector.gate.set()
    for dock in docks:
        dock.coordinator.close()


@pytest.fixture
def lesion_dock(make_lesion_dock, viewer):
    viewer.dims.set_current_step(0, 2)
    return make_lesion_dock(viewer)


def settle(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)


def search(qtbot, dock, scope=SearchScope.SLICE):
    dock.scope.setCurrentEnum(scope)
    qtbot.mouseClick(dock.detect, LEFT)
    settle(qtbot, dock)


def rows(dock):
    return [
        tuple(dock.table.item(row, column).text() for column in range(4))
        for row in range(dock.table.rowCount())
    ]


def box_layers(viewer):
    return [layer for layer in viewer.layers if layer.name.startswith("tumour regions")]


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


@pytest.mark.usefixtures("_no_head_is_needed")
def test_export_writes_both_files_and_asks_before_it_replaces(
    qtbot, viewer, lesion_dock, tmp_path, notes
):
    search(qtbot, lesion_dock)
    (layer,) = box_layers(viewer)
    layer.events.data(value=layer.data, action="changed", data_indices=(1,), vertex_indices=((),))
    path, mask = tmp_path / "t1c_label-tumor_rois.json", tmp_path / "t1c_label-tumor_mask.nii.gz"
    export = lesion_dock.coordinator.export
    export.dialogs = dialogs = FakeDialogs(path, yes=False)
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    assert dialogs.suggestions == [path.name]
    document = json.loads(path.read_text())
    assert [one["score"] for one in document["lesions"]] == [0.93, None]
    assert document["found_by"]["name"] == "ld-plus"
    assert document["concerns"][-1] == "1 of 2 rectangles were drawn or changed by a person"
    voxels = read_volume(mask).data
    assert voxels.shape == viewer.layers[0].data.shape
    assert voxels.sum() == 8 * 10 + 4 * 6
    before = path.stat().st_mtime_ns
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    assert dialogs.asked == [[path, mask]]
    assert path.stat().st_mtime_ns == before
    dialogs.yes = True
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    assert path.stat().st_mtime_ns > before
    dialogs.answer = tmp_path / "missing" / "x.json"
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    assert "does not exist" in notes[-1]


@pytest.mark.usefixtures("_no_head_is_needed")
@pytest.mark.parametrize("kind", [SEG, RTSTRUCT])
def test_regions_of_a_series_are_exported_as_dicom(
    qtbot, make_lesion_dock, tmp_path, notes, rng, kind
):
    folder = save(tmp_path / "series", series(voxels((6, 24, 32))))
    viewer = ViewerModel()
    for data in read_dicom_layers(str(folder)):
        viewer.add_layer(Layer.create(*data))
    dock = make_lesion_dock(viewer)
    search(qtbot, dock)
    path = tmp_path / "regions.dcm"
    dock.coordinator.export.dialogs = FakeDialogs(path, kind)
    qtbot.mouseClick(dock.export, LEFT)
    settle(qtbot, dock)
    assert f"Saved {path}" in notes
    dataset = dcmread(path)
    assert dataset.Modality == ("SEG" if kind == SEG else "RTSTRUCT")
    if kind == SEG:
        assert [one.SegmentLabel for one in dataset.SegmentSequence] == ["Lesion 1", "Lesion 2"]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_regions_of_no_series_are_not_exported_as_dicom(qtbot, lesion_dock, tmp_path, notes):
    search(qtbot, lesion_dock)
    lesion_dock.coordinator.export.dialogs = FakeDialogs(tmp_path / "regions.dcm", SEG)
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    assert "expected a DICOM series" in notes[-1]
    assert not (tmp_path / "regions.dcm").exists()


@pytest.mark.usefixtures("_no_head_is_needed")
@pytest.mark.parametrize("kind", [FIGURES, MOSAICS])
def test_figures_of_all_regions_are_drawn_in_one_go(
    qtbot, viewer, lesion_dock, tmp_path, notes, kind
):
    search(qtbot, lesion_dock)
    before = lesion_dock.status.text()
    export = lesion_dock.coordinator.export
    export.dialogs = dialogs = FakeDialogs(tmp_path / "tumour.png", kind)
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    names = ["tumour-1.png", "tumour-2.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert notes[-1] == f"Saved {tmp_path / names[0]} to {names[1]}"
    assert lesion_dock.status.text() == before
    assert not lesion_dock.cancel.isEnabled()
    dialogs.yes = False
    qtbot.mouseClick(lesion_dock.export, LEFT)
    assert [path.name for path in dialogs.asked[0]] == names


@pytest.mark.usefixtures("_no_head_is_needed")
def test_a_clicked_row_moves_the_viewer_to_the_lesion(qtbot, viewer, make_lesion_dock):
    opened = []
    dock = make_lesion_dock(viewer, open_zoom=lambda: opened.append(True))
    viewer.canvas.size = (300, 400)
    search(qtbot, dock, SearchScope.VOLUME)
    viewer.dims.order = (1, 0, 2)
    item = dock.table.visualItemRect(dock.table.item(0, 1))
    qtbot.mouseClick(dock.table.viewport(), LEFT, pos=item.center())
    assert viewer.dims.displayed == (1, 2)
    assert viewer.dims.current_step[0] == 4
    top, left, bottom, right = lesion_focus(viewer).lesion.detections[4].region
    np.testing.assert_allclose(
        viewer.scene.camera.center[-2:], ((top + bottom - 1) / 2, 1.5 * (left + right - 1) / 2)
    )
    assert viewer.scene.camera.zoom * (bottom - top) <= 300
    assert viewer.layers.selection.active is viewer.layers[0]
    assert opened == [True]


def square(index, row, column, size=6.0):
    """Corners of a square of a slice."""
    return np.array(
        [
            [*index, r, c]
            for r, c in (
                (row, column),
                (row, column + size),
                (row + size, column + size),
                (row + size, column),
            )
        ],
        float,
    )


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


@pytest.mark.parametrize(("units", "heading"), [("pixel", "Size (px)"), ("mm", "Size (mm)")])
@pytest.mark.usefixtures("_no_head_is_needed")
def test_sizes_are_in_the_unit_of_the_image(qtbot, make_lesion_dock, rng, units, heading):
    viewer = ViewerModel()
    viewer.add_image(rng.normal(size=(40, 50)), units=units)
    dock = make_lesion_dock(viewer)
    search(qtbot, dock)
    assert dock.table.horizontalHeaderItem(3).text() == heading


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
