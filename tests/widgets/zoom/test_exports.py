"""Saving from the dock: the file says what it is, lies where it should, or is not there."""

from __future__ import annotations

import threading
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from fakes.widgets import CARD, SHIFT, FakeDialogs, FakeEngine
from napari.components import ViewerModel
from napari.layers import Layer
from npe2 import PluginManifest
from PIL import Image as Picture
from qtpy.QtCore import Qt

from napari_metasr.figures.size import PrintSize
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.io import read_volume, write_volume
from napari_metasr.io.layers import METADATA_KEY, layer_data
from napari_metasr.io.writer import write_image
from napari_metasr.volume import Plane
from napari_metasr.weights import model_card
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.panels.print_size import NATURAL, PrintSizeDialog
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.rendition import FileKind
from napari_metasr.widgets.zoom.settings import Export
from napari_metasr.zoom.baselines import interpolate
from napari_metasr.zoom.loading import load_model


@pytest.fixture
def saved(qtbot, phantom_volume):
    """Save what the dock shows of the phantom under a name, and wait for it."""
    viewer, engine = ViewerModel(), FakeEngine()
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    qtbot.addWidget(dock)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    dock.scale.set_scale(2.5)

    def save(path, kind, plane=Plane.AXIAL):
        dock.planes[plane].click()
        qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)
        dock.coordinator.exports.dialogs = save.dialogs = FakeDialogs(path, kind)
        qtbot.mouseClick(dock.save, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
        return viewer

    save.dock, save.viewer = dock, viewer
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)
    yield save
    dock.coordinator.close()


@pytest.mark.parametrize("kind", [FileKind.NIFTI_FLOAT, FileKind.FIGURE_PNG])
def test_the_scan_is_never_replaced(saved, tmp_path, phantom_volume, notes, kind):
    path = tmp_path / ("scan.nii" if kind.is_region else "scan.png")
    path.write_bytes(b"mine")
    layer = saved.viewer.layers[0]
    source = replace(phantom_volume.source, path=path)
    layer.metadata[METADATA_KEY] = replace(phantom_volume, source=source)
    saved(path, kind)
    assert "would replace the input" in notes[-1]
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("plane", list(Plane))
def test_the_nifti_covers_the_slice_exactly(saved, tmp_path, phantom_volume, plane):
    path = tmp_path / "zoomed.nii.gz"
    viewer = saved(path, FileKind.NIFTI_FLOAT, plane)
    image = nib.load(path)
    volume = phantom_volume
    layer = viewer.layers[0]
    axis = plane.normal_axis
    index = round((viewer.dims.point[axis] - layer.translate[axis]) / layer.scale[axis])
    low = volume.slice(plane, index)
    grid = OutputGrid.at_scale(low.shape, 2.5)
    expected = interpolate(low, 2.5, method="nearest") + np.float32(SHIFT)
    voxels = np.asarray(image.dataobj).T
    np.testing.assert_allclose(voxels, np.expand_dims(expected, axis), rtol=1e-6)
    assert voxels.dtype == np.float32
    assert image.header.get_xyzt_units()[0] == "mm"
    text = bytes(image.header["descrip"]).decode().rstrip("\0")
    assert "super-resolved" in text.lower()
    assert "Fake-SR" in text
    low_corner, high_corner = np.full(3, -0.5), np.array(image.shape) - 0.5
    first, last = [-0.5] * 3, [n - 0.5 for n in volume.data.shape[::-1]]
    first[2 - axis], last[2 - axis] = index - 0.5, index + 0.5
    np.testing.assert_allclose(
        image.affine @ [*low_corner, 1], volume.affine @ [*first, 1], atol=1e-6
    )
    np.testing.assert_allclose(
        image.affine @ [*high_corner, 1], volume.affine @ [*last, 1], atol=1e-6
    )
    assert grid.output_shape == expected.shape


def test_the_source_s_number_type_can_be_chosen(saved, tmp_path):
    path = tmp_path / "zoomed.nii"
    saved(path, FileKind.NIFTI_SOURCE)
    assert nib.load(path).get_data_dtype() == np.int16


@pytest.mark.parametrize(
    ("name", "kind"), [("f.png", FileKind.FIGURE_PNG), ("f.pdf", FileKind.FIGURE_PDF)]
)
def test_figures(saved, tmp_path, name, kind):
    path = tmp_path / name
    saved(path, kind)
    if path.suffix == ".png":
        picture = np.asarray(Picture.open(path).convert("RGB"))
        assert picture.shape[1] > picture.shape[0] > 300
        assert picture.std() > 5
    else:
        assert path.read_bytes().startswith(b"%PDF")


def test_a_figure_is_as_large_as_asked_for_and_the_next_is_offered_the_same(
    qtbot, saved, tmp_path, npe2pm
):
    npe2pm.register(PluginManifest.from_distribution("napari-metasr"))
    saved(tmp_path / "natural.png", FileKind.FIGURE_PNG)
    offered, has_dpi, has_width = saved.dialogs.sizes[0]
    assert (offered, has_dpi, has_width) == (PrintSize(300, None), True, True)
    dock = saved.dock
    dock.coordinator.exports.dialogs = FakeDialogs(
        tmp_path / "f.png", FileKind.FIGURE_PNG, size=PrintSize(150, 85.0)
    )
    dock.save.click()
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    with Picture.open(tmp_path / "f.png") as picture:
        assert picture.width == pytest.approx(85 / 25.4 * 150, abs=1)
        assert picture.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    saved(tmp_path / "f.pdf", FileKind.FIGURE_PDF)
    assert saved.dialogs.sizes == [(PrintSize(150, 85.0), False, True)]
    saved(tmp_path / "f.nii", FileKind.NIFTI_FLOAT)
    assert saved.dialogs.sizes == []


def test_the_size_is_asked_for_in_a_dialog(qtbot):
    dialog = PrintSizeDialog(PrintSize(600, None), has_dpi=True, has_width=True)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.width_mm.text() == NATURAL
    assert dialog.size_chosen == PrintSize(600, None)
    dialog.width_mm.setFocus()
    dialog.width_mm.selectAll()
    qtbot.keyClicks(dialog.width_mm, "85")
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == dialog.DialogCode.Accepted
    assert dialog.size_chosen == PrintSize(600, 85.0)


@pytest.mark.parametrize(
    ("kind", "suffix"), [(FileKind.BLINK_GIF, "gif"), (FileKind.BLINK_MP4, "mp4")]
)
def test_before_and_after_in_turn(qtbot, saved, tmp_path, notes, kind, suffix):
    if kind is FileKind.BLINK_MP4:
        pytest.importorskip("imageio_ffmpeg")
    path, dock = tmp_path / f"blink.{suffix}", saved.dock
    dock.coordinator.exports.dialogs = FakeDialogs(path, kind)
    dock.exports[Export.BLINK].trigger()
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    assert any("Saved" in note for note in notes)
    if kind is FileKind.BLINK_GIF:
        with Picture.open(path) as film:
            assert film.n_frames == 2
            assert b"research use" in film.info["comment"]
    else:
        assert b"ftyp" in path.read_bytes()[:12]


def test_a_folder_that_is_not_there_is_a_notification_and_nothing_is_written(
    saved, tmp_path, notes
):
    path = tmp_path / "nowhere" / "zoomed.nii.gz"
    viewer = saved(path, FileKind.NIFTI_FLOAT)
    assert any("nowhere" in note for note in notes)
    assert list(tmp_path.iterdir()) == []
    assert len(viewer.layers) == 3


def test_what_napari_saves_of_a_kept_result_lies_in_the_scanner_s_space(
    qtbot, saved, tmp_path, phantom_volume
):
    viewer = saved(tmp_path / "own.nii.gz", FileKind.NIFTI_FLOAT)
    dock = saved.dock
    qtbot.mouseClick(dock.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)
    [kept] = [layer for layer in viewer.layers if layer.name.startswith("kept")]
    data, meta, _ = kept.as_layer_data_tuple()
    write_image(str(tmp_path / "kept.nii.gz"), data, meta)
    own, theirs = (nib.load(tmp_path / f"{name}.nii.gz") for name in ("own", "kept"))
    np.testing.assert_allclose(theirs.affine, own.affine, atol=1e-6)
    np.testing.assert_allclose(theirs.get_fdata(), own.get_fdata(), rtol=1e-6)


def test_a_region_is_saved_beside_its_source_under_a_name_of_its_kind(
    qtbot, tmp_path, phantom_volume
):
    scan = write_volume(
        tmp_path / "scan.nii.gz", phantom_volume.data, phantom_volume.affine, phantom_volume.source
    )
    viewer, engine = ViewerModel(), FakeEngine()
    viewer.add_layer(Layer.create(*layer_data(read_volume(scan))))
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    qtbot.addWidget(dock)
    dock.scale.set_scale(2.5)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)
    name = f"scan_axial-{dock.coordinator._shown.view.index[-1]}_res-2p5x_desc-metasr"
    dialogs = FakeDialogs()
    dock.coordinator.exports.dialogs = dialogs
    qtbot.mouseClick(dock.save, Qt.MouseButton.LeftButton)
    assert dialogs.suggestions == [str(tmp_path / f"{name}.nii.gz")]
    dialogs.answer, dialogs.kind = tmp_path / f"{name}.nii.gz", FileKind.FIGURE_PNG
    qtbot.mouseClick(dock.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    with Picture.open(tmp_path / f"{name}.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    dialogs.kind, dialogs.yes = FileKind.NIFTI_FLOAT, False
    (tmp_path / f"{name}.json").write_text("mine")
    qtbot.mouseClick(dock.save, Qt.MouseButton.LeftButton)
    assert dialogs.asked == [[tmp_path / f"{name}.json"]]
    assert not (tmp_path / f"{name}.nii.gz").exists()
    dock.coordinator.close()


def test_a_page_is_exported_from_the_menu(qtbot, tmp_path, phantom_volume, notes):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = MetaSRZoomWidget(viewer, load_model, {"meta-srgan": model_card("meta-srgan")})
    qtbot.addWidget(dock)
    dock.scale.set_scale(2.5)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    dialogs = FakeDialogs(tmp_path / "page.html")
    dock.coordinator.exports.dialogs = dialogs
    dock.exports[Export.PAGE].trigger()
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    assert dialogs.suggestions[0].endswith("_res-2p5x_desc-metasr.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '"scale": 2.5' in text
    assert '"letters": {"top": "A"' in text
    assert any("Saved" in note for note in notes)
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]
    dock.coordinator.close()


def test_a_page_of_a_model_that_cannot_make_one_is_refused_in_a_notification(
    qtbot, saved, tmp_path, notes
):
    qtbot.waitUntil(lambda: not saved.dock.coordinator.is_waiting, timeout=60_000)
    saved.dock.coordinator.exports.dialogs = FakeDialogs(tmp_path / "page.html")
    qtbot.waitUntil(lambda: not saved.dock.coordinator.is_waiting, timeout=60_000)
    saved.dock.exports[Export.PAGE].trigger()
    qtbot.waitUntil(lambda: not saved.dock.coordinator.is_waiting, timeout=60_000)
    assert any("needs a model that gives every scale" in note for note in notes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "form"), [(FileKind.GIF, "GIF"), (FileKind.MP4, "MP4")])
def test_an_animated_zoom_tells_how_far_it_is(qtbot, saved, tmp_path, notes, kind, form):
    if kind is FileKind.MP4:
        pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / f"zoom{kind.endings[0]}"
    dock, told = saved.dock, []
    show = dock.show_busy
    dock.show_busy = lambda holder, text, busy: (told.append(text), show(holder, text, busy))
    dock.coordinator.exports.dialogs = FakeDialogs(path, kind)
    dock.exports[Export.ANIMATION].trigger()
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=120_000)
    assert any("24 of 48" in text for text in told)
    assert any("Saved" in note for note in notes)
    start = path.read_bytes()[:12]
    assert start.startswith(b"GIF8") if form == "GIF" else b"ftyp" in start


def test_a_cancelled_animation_leaves_nothing(qtbot, saved, tmp_path):
    dock = saved.dock
    dock.coordinator.exports.dialogs = FakeDialogs(tmp_path / "zoom.gif", FileKind.GIF)
    dock.exports[Export.ANIMATION].trigger()
    qtbot.waitUntil(lambda: "of 48" in dock.status.text(), timeout=60_000)
    qtbot.mouseClick(dock.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_stays_told_and_can_be_cancelled_while_slices_are_scrolled(qtbot, saved):
    dock, gate = saved.dock, threading.Event()

    def page():  # which tells nothing until it is written
        gate.wait(20)
        yield "a.html"

    written = []
    dock.coordinator.exports._start("Saving a.html", written.append, page)
    saved.viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(lambda: not dock.coordinator._updates.is_due, timeout=60_000)
    qtbot.waitUntil(lambda: not dock.coordinator.slices.is_running, timeout=60_000)
    assert dock.status.text() == "Saving a.html …"
    assert dock.busy.isVisibleTo(dock)
    qtbot.mouseClick(dock.cancel, Qt.MouseButton.LeftButton)
    gate.set()
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    assert not dock.busy.isVisibleTo(dock)
    assert not dock.cancel.isEnabled()
    assert written == []


def test_of_several_things_that_are_done_the_newest_is_told(saved):
    dock = saved.dock
    dock.show_busy("film", "Saving: 1 of 9", busy=True)
    dock.show_busy("slice", "Encoding", busy=True)
    dock.show_busy("film", "Saving: 2 of 9", busy=True)
    assert dock.status.text() == "Encoding"
    dock.show_busy("slice", "Cancelled", busy=False)
    assert dock.status.text() == "Saving: 2 of 9"
    assert dock.cancel.isEnabled()
    dock.show_busy("film", "", busy=False)
    assert dock.status.text() == "Cancelled"
    assert not dock.cancel.isEnabled()
    dock.show_busy("slice", "Encoding", busy=True)
    dock.show_busy("slice", "", busy=False)
    assert dock.status.text() == ""


def test_a_profile_runs_along_the_line_that_was_drawn(qtbot, saved, tmp_path, notes):
    dock, viewer = saved.dock, saved.viewer
    export = dock.exports[Export.PROFILE]
    dock.coordinator.exports.dialogs = FakeDialogs(tmp_path / "line.png")
    export.trigger()
    assert "Draw a line inside the slice first" in notes[-1]
    point = viewer.dims.point[0]
    origin, step = viewer.layers[0].translate[1:], viewer.layers[0].scale[1:]
    here = [[point, *(origin + step * place)] for place in ((1.5, 2.5), (19.5, 14.5))]
    elsewhere = [[point + 5, *place[1:]] for place in here]
    drawn = viewer.add_shapes([here, elsewhere], shape_type="line", ndim=3)
    qtbot.waitUntil(lambda: not drawn.visible, timeout=20_000)  # while results are side by side
    export.trigger()
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=60_000)
    rows = (tmp_path / "line.csv").read_text().splitlines()
    assert rows[0] == "distance,row,column,acquired,bicubic,super_resolved"
    for row, edges in ((rows[1], (2.0, 3.0)), (rows[-1], (20.0, 15.0))):
        np.testing.assert_allclose([float(one) for one in row.split(",")[1:3]], edges, rtol=1e-5)
    with Picture.open(tmp_path / "line.png") as picture:
        assert picture.width > 1000
