"""Regions of the detection dock as files and figures."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from fakes.dicom import save, series, voxels
from fakes.lesion_dock import LEFT, box_layers, search
from fakes.widgets import PATIENCE_MS, FakeDialogs, settle
from napari.components import ViewerModel
from napari.layers import Layer
from PIL import Image as Picture
from pydicom import dcmread

from napari_metasr.io import read_volume
from napari_metasr.io.layers import layer_data
from napari_metasr.io.reader import read_dicom_layers, read_layers
from napari_metasr.io.writer import write_volume
from napari_metasr.lesions.boxes import boxes_of
from napari_metasr.lesions.labelled import lesions_in
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions import export
from napari_metasr.widgets.lesions.detection import Origin, Scope, SearchResult
from napari_metasr.widgets.lesions.export import FIGURES, MOSAICS, RTSTRUCT, SEG, figures
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.models import ModelCache, load_zoom_model


@pytest.mark.usefixtures("_no_head_is_needed")
def test_an_export_is_offered_beside_the_file_of_the_scan(
    qtbot, make_lesion_dock, tmp_path, rng, phantom_volume
):
    scan = tmp_path / "scan.nii.gz"
    write_volume(scan, rng.normal(100, 20, (6, 24, 32)), np.eye(4), phantom_volume.source)
    viewer = ViewerModel()
    for data in read_layers(str(scan)):
        viewer.add_layer(Layer.create(*data))
    dock = make_lesion_dock(viewer)
    viewer.dims.set_current_step(0, 2)
    search(qtbot, dock)
    dock.coordinator.export.dialogs = dialogs = FakeDialogs()
    qtbot.mouseClick(dock.export, LEFT)
    assert dialogs.suggestions == [str(tmp_path / "scan_label-tumor_rois.json")]


@pytest.mark.usefixtures("_no_head_is_needed")
def test_export_writes_both_files_and_asks_before_it_replaces(
    qtbot, viewer, lesion_dock, tmp_path, notes
):
    search(qtbot, lesion_dock)
    (layer,) = box_layers(viewer)
    layer.events.data(value=layer.data, action="changed", data_indices=(1,), vertex_indices=((),))
    path, mask = tmp_path / "t1c_label-tumor_rois.json", tmp_path / "t1c_label-tumor_mask.nii.gz"
    lesion_dock.coordinator.export.dialogs = dialogs = FakeDialogs(path, yes=False)
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    assert dialogs.suggestions == [path.name]
    document = json.loads(path.read_text())
    assert [one["score"] for one in document["lesions"]] == [0.93, None]
    assert document["found_by"]["name"] == "ld-plus"
    assert document["concerns"][-1] == "1 of 2 rectangles were drawn or changed by a person"
    with pytest.warns(UserWarning, match="no orientation"):  # of a plain layer none is known
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
    dialogs = FakeDialogs(tmp_path / "tumour.png", kind)
    lesion_dock.coordinator.export.dialogs = dialogs
    qtbot.mouseClick(lesion_dock.export, LEFT)
    settle(qtbot, lesion_dock)
    names = ["tumour-1.png", "tumour-2.png"]
    records = [f"{name}.json" for name in names]
    assert {path.name for path in tmp_path.iterdir()} == {*names, *records}
    assert notes[-1] == f"Saved 2 figures: {tmp_path / names[0]} to {names[1]}"
    assert lesion_dock.status.text() == before
    assert not lesion_dock.cancel.isEnabled()
    dialogs.yes = False
    qtbot.mouseClick(lesion_dock.export, LEFT)
    assert [path.name for path in dialogs.asked[0]] == [*names, *records]


@pytest.fixture
def held_figures(monkeypatch):
    """Figures of which the first is drawn at once, and the second when the event is set."""
    go = Event()

    def slow(path, *_):
        yield 1, 2
        go.wait(PATIENCE_MS / 1000)
        yield path.with_name("a-1.png"), path.with_name("a-2.png")

    monkeypatch.setattr(export, "figures", slow)
    yield go
    go.set()


@pytest.mark.usefixtures("_no_head_is_needed")
def test_figures_are_told_of_until_they_are_drawn(
    qtbot, viewer, lesion_dock, tmp_path, held_figures
):
    """Also when a search ends meanwhile, and when the image is removed."""
    dock = lesion_dock
    search(qtbot, dock)
    writing = dock.coordinator.export
    writing.dialogs = FakeDialogs(tmp_path / "a.png", FIGURES)
    qtbot.mouseClick(dock.export, LEFT)
    qtbot.waitUntil(lambda: writing.drawn == (1, 2), timeout=PATIENCE_MS)
    qtbot.mouseClick(dock.detect, LEFT)
    qtbot.waitUntil(lambda: not dock.coordinator.searcher.is_running, timeout=PATIENCE_MS)
    assert dock.results.count() == 2
    for _ in range(2):
        assert dock.status.text() == "Drawing figures: 1 of 2"
        assert not dock.progress.isHidden()
        assert dock.cancel.isEnabled()
        viewer.layers.remove(viewer.layers[0])
        viewer.add_image(np.zeros((4, 8, 8)))
    held_figures.set()
    settle(qtbot, dock)
    assert dock.progress.isHidden()
    assert not dock.cancel.isEnabled()
    assert "in axial slice" in dock.status.text()


@pytest.mark.usefixtures("_no_head_is_needed")
def test_nothing_else_is_exported_while_a_file_is_written(
    qtbot, lesion_dock, tmp_path, held_figures
):
    """A name that was asked for and not used would be lost work."""
    search(qtbot, lesion_dock)
    lesion_dock.coordinator.export.dialogs = dialogs = FakeDialogs(tmp_path / "a.png", FIGURES)
    qtbot.mouseClick(lesion_dock.export, LEFT)
    writing = lesion_dock.coordinator.export
    qtbot.waitUntil(lambda: writing.drawn == (1, 2), timeout=PATIENCE_MS)
    assert not lesion_dock.export.isEnabled()
    qtbot.mouseClick(lesion_dock.export, LEFT)
    assert len(dialogs.suggestions) == 1
    held_figures.set()
    settle(qtbot, lesion_dock)
    assert lesion_dock.export.isEnabled()


def drawn(path, layer, leading=()):
    """The pixels of a mosaic of one region of a layer."""
    source = layer_source(layer)
    mask = np.zeros(layer.data.shape[-3:], np.uint8)
    mask[2:4, 6:16, 6:16] = 1
    lesions = lesions_in(mask, Plane.AXIAL)
    scope = Scope(source, layer_volume(source), Plane.AXIAL, leading)
    found = SearchResult(lesions, scope, Origin.SEGMENTATION, None, "seg")
    *_, (path,) = figures(
        path, MOSAICS, found, boxes_of(lesions), ModelCache(load_zoom_model), "cpu"
    )
    with Picture.open(path) as picture:
        return np.asarray(picture)


def test_figures_of_another_reader_s_image_have_no_letters(tmp_path, phantom_volume):
    """They are what a scan that says that it knows no sides would get."""
    data, place, _ = layer_data(phantom_volume)
    plain = Layer.create(data, {**place, "metadata": {}})
    source = replace(phantom_volume.source, is_oriented=False)
    unknown = Layer.create(*layer_data(replace(phantom_volume, source=source)))
    scan = Layer.create(*layer_data(phantom_volume))
    pictures = [
        drawn(tmp_path / f"{number}.png", layer)
        for number, layer in enumerate((plain, unknown, scan))
    ]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


def test_figures_of_a_time_point_have_its_contrast(tmp_path, phantom_volume):
    dark = (phantom_volume.data / 20).astype(np.float32)
    bright = 20 * dark
    alone = Layer.create(*layer_data(replace(phantom_volume, data=dark)))
    series = Layer.create(*layer_data(replace(phantom_volume, data=np.stack([bright, dark]))))
    expected = drawn(tmp_path / "alone.png", alone)
    np.testing.assert_array_equal(drawn(tmp_path / "series.png", series, (1,)), expected)
