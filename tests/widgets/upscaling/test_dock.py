"""The dock for whole volumes in a viewer model: settings, work, cancel, errors, results."""

from __future__ import annotations

import threading

import nibabel as nib
import numpy as np
import pytest
from fakes import dicom as dicom_fakes
from fakes.upscale_dock import PARTS, FakeWork
from fakes.upscaling import small_models
from fakes.widgets import FakeDialogs
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils._proxies import PublicOnlyProxy
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_metasr.io import read_volume
from napari_metasr.io.reader import get_reader, read_layers
from napari_metasr.io.writer import write_volume
from napari_metasr.upscaling.workspace import Workspace
from napari_metasr.volume import Plane
from napari_metasr.weights import model_card
from napari_metasr.widgets.upscaling import coordinator as upscale_coordinator
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.settings import FOUND, WHOLE, NumberType, Setting
from napari_metasr.widgets.upscaling.target import Target
from napari_metasr.widgets.upscaling.task import file_of
from napari_metasr.widgets.upscaling.widget import UpscaleWidget
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.result_layers import ROLE

LEFT = Qt.MouseButton.LeftButton
OUTPUT = "head_res-0p8mm_desc-metasr.nii.gz"


@pytest.fixture
def work():
    return FakeWork()


@pytest.fixture
def path(tmp_path, phantom_volume):
    """The phantom's file, in an order of its own: 2.5 mm slices, 0.8 x 1 mm in plane."""
    path = tmp_path / "head.nii.gz"
    affine = np.array([[0, 0, -0.8, 7], [-1.0, 0, 0, 9], [0, 2.5, 0, 21], [0, 0, 0, 1]])
    source = phantom_volume.source
    object.__setattr__(source, "affine", affine)
    return write_volume(path, phantom_volume.data, phantom_volume.affine, source)


@pytest.fixture
def make_dock(qtbot, work):
    docks = []

    def make(viewer, prepare=work, measure=lambda model, device: 1e-8, **options):
        dock = UpscaleWidget(viewer, prepare, measure=measure, **options)
        qtbot.addWidget(dock)
        dock.device.setCurrentIndex(dock.device.findData("cpu"))
        docks.append(dock)
        return dock

    yield make
    work.go()
    for dock in docks:
        dock.coordinator.close()


@pytest.fixture
def viewer(path):
    viewer = ViewerModel()
    for data in read_layers(str(path)):
        viewer.add_layer(Layer.create(*data))
    return viewer


@pytest.fixture
def dock(make_dock, viewer):
    return make_dock(viewer)


def settle(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)


def run(qtbot, dock, button="start"):
    qtbot.mouseClick(getattr(dock, button), LEFT)
    settle(qtbot, dock)


def choose(combo, data):
    combo.setCurrentIndex(combo.findData(data))


def begin(qtbot, dock, work, parts):
    """Start, and wait until so many parts are done."""
    work.hold(parts)
    work.done.clear()
    qtbot.mouseClick(dock.start, LEFT)
    qtbot.waitUntil(lambda: dock.progress.value() == 1000 * parts // PARTS, timeout=20_000)


def test_a_volume_becomes_a_finer_one_in_its_place(qtbot, viewer, dock, path):
    (source,) = viewer.layers
    viewer.dims.set_point(0, 21 + 2.5 * 7)
    run(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == [
        "head",
        f"research use · super-resolved · {OUTPUT.removesuffix('.nii.gz')}",
    ]
    result = viewer.layers[-1]
    ((data, keywords, _),) = read_layers(str(path.with_name(OUTPUT)))
    np.testing.assert_array_equal(result.data, data)
    np.testing.assert_allclose(result.scale, (0.8, 0.8, 0.8), rtol=1e-6)
    np.testing.assert_allclose(result.translate, keywords["translate"])
    assert [str(unit) for unit in result.units] == ["millimeter"] * 3
    assert result.contrast_limits == source.contrast_limits
    assert result.metadata["volume"].source.path == path.with_name(OUTPUT)
    low = np.subtract(source.translate, source.scale / 2)
    np.testing.assert_allclose(low, np.subtract(result.translate, result.scale / 2), atol=0.41)
    assert viewer.dims.point[0] == pytest.approx(21 + 2.5 * 7)
    assert viewer.layers.selection.active is result
    assert dock.progress.value() == 1000
    assert dock.status.text().startswith("Done in 0:0")
    assert sorted(each.name for each in path.parent.iterdir()) == ["head.nii.gz", OUTPUT]


def edges(layer):
    """Where a layer begins and ends in the window, along z, y, x."""
    scale, low = np.asarray(layer.scale), np.subtract(layer.translate, np.divide(layer.scale, 2))
    return low, low + scale * layer.data.shape


def test_the_result_of_an_oblique_scan_covers_it_in_the_window(qtbot, make_dock, tmp_path, rng):
    path, tilt = tmp_path / "oblique.nii", np.deg2rad(20)
    affine = np.eye(4)
    affine[1:3, 1:3] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    affine = affine @ np.diag([0.5, 0.5, 5.0, 1.0])
    affine[:3, 3] = (-50, -60, -40)
    nib.save(nib.Nifti1Image(rng.integers(0, 900, (9, 10, 6)).astype(np.int16), affine), path)
    viewer = ViewerModel()
    for data in read_layers(str(path)):
        viewer.add_layer(Layer.create(*data))
    run(qtbot, make_dock(viewer))
    source, result = viewer.layers
    for own, other in zip(edges(source), edges(result), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-4)
    output = read_volume(result.metadata["volume"].source.path)
    assert file_of(result) == output.source.path
    np.testing.assert_allclose(layer_volume(layer_source(result)).affine, output.affine, atol=1e-5)


def test_the_result_of_a_layer_that_was_moved_and_stretched_covers_it(
    qtbot, dock, viewer, work, tmp_path
):
    source = viewer.layers[0]
    source.scale, source.translate = (5.0, 1.0, 0.8), (1.0, 2.0, 3.0)
    assert "voxels of 0.8 × 1 × 5 mm" in dock.plan.text().replace("\N{NO-BREAK SPACE}", " ")
    seg = viewer.add_labels(
        (source.data > 800).astype(np.uint8), scale=source.scale, translate=source.translate
    )
    dock.within.setCurrentIndex(FOUND + 1)
    dock.target.show_target(Target("spacing", (0.5,) * 3, same=True))
    dock.coordinator.choice.set_output(tmp_path / "out.nii")
    run(qtbot, dock)
    result = viewer.layers[-1]
    assert result is not seg
    np.testing.assert_allclose(work.inputs[0].spacing, (5.0, 1.0, 0.8), rtol=1e-6)
    np.testing.assert_allclose(result.scale, (0.5,) * 3)
    for own, other in zip(edges(source), edges(result), strict=True):
        np.testing.assert_allclose(own, other, atol=0.26)


def test_the_result_is_shown_like_its_source(qtbot, dock, viewer):
    source = viewer.layers[0]
    source.contrast_limits, source.gamma, source.colormap = (100, 300), 0.7, "magma"
    run(qtbot, dock)
    result = viewer.layers[-1]
    assert result.contrast_limits == [100, 300]
    assert (result.gamma, result.colormap.name) == (0.7, "magma")


def test_a_path_may_hold_spaces_and_be_cleared(qtbot, dock, tmp_path):
    dock.output.selectAll()
    qtbot.keyClicks(dock.output, f" {tmp_path}/My Data/out.nii ")
    assert dock.output.text() == f" {tmp_path}/My Data/out.nii "
    assert dock.coordinator.choice.output == tmp_path / "My Data" / "out.nii"
    dock.output.selectAll()
    qtbot.keyClick(dock.output, Qt.Key.Key_Backspace)
    assert dock.output.text() == ""
    assert dock.coordinator.choice.output is None
    assert dock.start.isEnabled()


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("~nobody-of-this-name/out", "no such user"), ("/tmp/" + 300 * "a", "name too long")],
)
def test_an_output_that_cannot_be_is_refused_in_the_dock(qtbot, dock, typed, reason, work, notes):
    dock.output.setText(typed)
    dock.output.textEdited.emit(typed)
    assert reason in dock.plan.text()
    assert not dock.start.isEnabled()
    dock.start_requested.emit()
    assert reason in notes[-1]
    assert not work.jobs


def test_what_was_no_file_is_not_named_as_the_source(qtbot, dock, viewer, work, tmp_path):
    assert work.plan is None
    run(qtbot, dock)
    assert work.source.names == ("head.nii.gz",)
    viewer.layers["head"].data = viewer.layers["head"].data + 1
    dock.coordinator.choice.set_output(tmp_path / "out.nii")
    run(qtbot, dock)
    assert work.source.names == ()


def test_a_speed_is_learned_from_long_work_alone(qtbot, dock, monkeypatch):
    speeds = dock.coordinator._speeds
    qtbot.waitUntil(lambda: list(speeds.values()) == [1e-8])
    run(qtbot, dock)
    assert list(speeds.values()) == [1e-8]
    monkeypatch.setattr(upscale_coordinator, "LONG_ENOUGH", 0.0)
    dock.coordinator.dialogs = FakeDialogs()
    run(qtbot, dock)
    assert list(speeds) == [("meta-srgan", "cpu")]
    assert speeds["meta-srgan", "cpu"] != 1e-8


def test_the_time_is_told_as_measured_here(qtbot, make_dock, viewer):
    asked = []
    dock = make_dock(viewer, measure=lambda *key: asked.append(key) or 1.0)
    assert "roughly" in dock.plan.text()
    qtbot.waitUntil(lambda: "about" in dock.plan.text())
    dock.settings_changed.emit(Setting.DTYPE)
    assert asked == [("meta-srgan", "cpu")] or asked[-1] == ("meta-srgan", "cpu")
    assert len(set(asked)) == len(asked)


def test_what_is_likely_for_thick_slices_is_set_at_first(dock, path):
    assert dock.settings.plane is Plane.AXIAL
    assert dock.settings.target == Target("spacing", (0.8, 0.8, 0.8), same=True)
    assert dock.target.isotropic.text() == "Isotropic, 0.8 mm"
    assert dock.settings.output == str(path.with_name(OUTPUT))
    label = dock.findChild(QLabel, "metasr_research_use")
    assert label.text() == "For research use, not for diagnosis."


def test_the_work_is_what_is_set(qtbot, dock, work, path, tmp_path):
    choose(dock.plane, Plane.CORONAL)
    dock.target.show_target(Target("scale", (1.0, 2.0, 1.5), same=False))
    choose(dock.model, "ms-gan-x4")
    dock.dtype.setCurrentEnum(NumberType.FLOAT)
    dock.thickness.setValue(1.2)
    dock.output.selectAll()
    qtbot.keyClicks(dock.output, str(tmp_path / "mine"))
    run(qtbot, dock)
    (job,) = work.jobs
    assert (job.input, job.output) == (path, tmp_path / "mine.nii.gz")
    options = job.options
    assert options.scale == (2.0, 1.0, 1.5)  # of the file's own axes: P, S, L
    assert options.spacing is None
    assert (options.plane, options.model) == (Plane.CORONAL, "ms-gan-x4")
    assert options.through_plane_model == "meta-srgan-through-plane"
    assert (options.dtype, options.thickness, job.device) == ("float32", 1.2, "cpu")
    assert (job.overwrite, job.resume, job.within) == (False, False, None)


def test_scale_and_spacing_change_into_each_other(dock):
    choose(dock.target.kind, "scale")
    assert dock.settings.target == Target("scale", (3.125, 1.25, 1.0), same=False)
    choose(dock.target.kind, "spacing")
    assert dock.settings.target == Target("spacing", (0.8, 0.8, 0.8), same=True)


def test_a_button_makes_cubes_of_the_finest_spacing(qtbot, dock):
    dock.target.show_target(Target("scale", (2.0, 2.0, 2.0), same=True))
    qtbot.mouseClick(dock.target.isotropic, LEFT)
    assert dock.settings.target == Target("spacing", (0.8, 0.8, 0.8), same=True)


def test_models_can_be_chosen_where_they_are_needed(qtbot, dock):
    def usable(z, y, x):
        dock.target.show_target(Target("scale", (z, y, x), same=False))
        dock.settings_changed.emit(Setting.TARGET)
        return dock.model.isEnabled(), dock.through_plane_model.isEnabled()

    assert usable(2, 2, 2) == (True, True)
    assert usable(1, 2, 2) == (True, False)
    assert usable(2, 1, 1) == (False, True)
    assert usable(1, 1, 1)[0] is not None
    assert not dock.start.isEnabled()
    assert "the requested grid equals the input's" in dock.plan.text()
    assert usable(1, 2, 1) == (True, False)
    assert dock.start.isEnabled()


def test_models_are_told_apart_by_what_they_are_for(dock):
    names = {
        name: [combo.itemData(row) for row in range(combo.count())]
        for name, combo in (("slices", dock.model), ("between", dock.through_plane_model))
    }
    assert names["slices"][0] == "meta-srgan"
    assert names["between"] == ["meta-srgan-through-plane"]
    assert not set(names["slices"]) & set(names["between"])
    assert not {"ld", "ld-plus"} & set(names["slices"])


def test_settings_of_a_person_stay_when_another_volume_is_chosen(dock, viewer, tmp_path):
    wanted = Target("scale", (1.0, 3.0, 3.0), same=False)
    dock.target.show_target(wanted)
    dock.settings_changed.emit(Setting.TARGET)
    dock.output.setText(str(tmp_path / "mine.nii"))
    dock.output.textEdited.emit(dock.output.text())
    viewer.add_image(np.zeros((4, 5, 6)), name="other", scale=(3, 1, 1))
    dock.source.setCurrentIndex(1)
    assert dock.settings.target == wanted
    assert dock.settings.output == ""


def test_a_coarser_grid_is_refused_in_the_dock(dock):
    dock.target.show_target(Target("spacing", (0.8, 0.8, 1.5), same=False))
    dock.settings_changed.emit(Setting.TARGET)
    assert "expected a spacing of at most 0.8 mm, the file's own" in dock.plan.text()
    assert not dock.start.isEnabled()


def sentence(make_dock, viewer):
    dock = make_dock(viewer)
    assert not dock.start.isEnabled()
    return dock.plan.text()


def test_what_is_no_volume_is_refused_in_a_sentence(make_dock):
    viewer = ViewerModel()
    assert sentence(make_dock, viewer) == words.NO_IMAGE
    viewer.add_labels(np.zeros((4, 5, 6), int))
    assert sentence(make_dock, viewer) == words.NO_IMAGE
    for data, options, expected in (
        (np.zeros((5, 6)), {"name": "a"}, words.NO_VOLUME.format(name="a")),
        (np.zeros((1, 2, 3, 4, 5)), {"name": "b"}, words.TOO_MANY_AXES.format(name="b", count=5)),
        (np.zeros((4, 5, 6, 3)), {"rgb": True}, "is RGB: a gray image is needed"),
        (np.zeros((4, 5, 6)), {"shear": (0, 0, 0.3)}, "is rotated or sheared by its transform"),
        ([np.zeros((4, 6, 8)), np.zeros((2, 3, 4))], {"multiscale": True}, "is multiscale"),
        (np.zeros((4, 5, 6), bool), {}, "holds bool values"),
    ):
        viewer = ViewerModel()
        viewer.add_image(data, **options)
        assert expected in sentence(make_dock, viewer)


def test_the_zoom_s_results_are_not_offered(dock, viewer):
    viewer.add_image(np.zeros((4, 5, 6)), name="mine")
    viewer.add_image(np.zeros((4, 5, 6)), name="shown by the zoom", metadata={ROLE: True})
    assert [dock.source.itemText(row) for row in range(dock.source.count())] == ["head", "mine"]


def test_a_layer_that_is_no_file_is_written_first_in_its_place(
    qtbot, make_dock, work, tmp_path, rng
):
    viewer = ViewerModel()
    data = rng.normal(100, 20, (6, 8, 10))
    viewer.add_image(data, name="made: up", scale=(3, 1, 1), translate=(5, -2, 7), units="mm")
    dock = make_dock(viewer)
    assert dock.settings.output == ""
    dock.coordinator.dialogs = dialogs = FakeDialogs()
    run(qtbot, dock)
    assert not work.jobs
    output = tmp_path / "out.nii.gz"
    dialogs.answer = output
    run(qtbot, dock)
    assert dialogs.suggestions == ["made_ up_res-1mm_desc-metasr.nii.gz"] * 2
    (volume,) = work.inputs
    np.testing.assert_array_equal(volume.data, data.astype(np.float32))
    np.testing.assert_allclose(volume.affine[:3, 3], (7, -2, 5))
    np.testing.assert_allclose(volume.spacing, (3, 1, 1))
    assert work.jobs[0].input.name == "made_ up.nii"
    assert [each.name for each in tmp_path.iterdir()] == ["out.nii.gz"]
    result = viewer.layers[-1]
    np.testing.assert_allclose(result.translate, (4, -2, 7))
    assert dock.settings.output == str(output)


def test_a_layer_whose_numbers_were_changed_is_not_its_file(qtbot, dock, viewer, work, tmp_path):
    viewer.layers[0].data = viewer.layers[0].data + 1000
    dock.coordinator.dialogs = FakeDialogs(tmp_path / "out.nii")
    run(qtbot, dock)
    assert work.inputs[0].data.min() >= 900
    np.testing.assert_allclose(
        nib.load(tmp_path / "out.nii").affine[:3, :3] != 0,
        nib.load(tmp_path / "head.nii.gz").affine[:3, :3] != 0,
    )


def test_a_dicom_series_is_written_first_and_nobody_is_named(qtbot, make_dock, work, tmp_path):
    folder = tmp_path / "Mustermann_Erika"
    folder.mkdir()
    dicom_fakes.save(folder, dicom_fakes.series(dicom_fakes.voxels((5, 9, 8))))
    viewer = ViewerModel()
    for each in get_reader(str(folder))(str(folder)):
        viewer.add_layer(Layer.create(*each))
    dock = make_dock(viewer)
    assert dock.settings.output == ""
    dock.coordinator.dialogs = dialogs = FakeDialogs(tmp_path / "out.nii.gz")
    run(qtbot, dock)
    (source, result), (written,) = viewer.layers, work.inputs
    np.testing.assert_array_equal(written.data, source.data)
    np.testing.assert_allclose(written.affine, source.metadata["volume"].affine, atol=1e-4)
    assert len(result.data) > len(source.data)
    assert not [
        text for text in (*dialogs.suggestions, work.jobs[0].input.name) if "Muster" in text
    ]


def test_time_points_stay(qtbot, make_dock, work, tmp_path, phantom_volume):
    path = tmp_path / "series.nii"
    data = np.stack([phantom_volume.data, phantom_volume.data // 2])
    write_volume(path, data, phantom_volume.affine, phantom_volume.source)
    viewer = ViewerModel()
    for each in read_layers(str(path)):
        viewer.add_layer(Layer.create(*each))
    viewer.dims.set_point(0, 1)
    dock = make_dock(viewer)
    assert "× 2 voxels" in dock.plan.text()
    run(qtbot, dock)
    assert viewer.layers[-1].data.shape[0] == 2
    assert viewer.dims.point[0] == 1


def test_progress_time_left_and_slices_are_shown_while_it_works(
    qtbot, dock, viewer, work, monkeypatch
):
    begin(qtbot, dock, work, 2)
    assert dock.status.text().startswith("In plane · about ")
    assert not dock.form.isEnabled()
    assert not dock.start.isEnabled()
    shown = dock.preview.pair
    np.testing.assert_array_equal(shown.before, viewer.layers[0].data[:, 7])
    assert shown.contrast_limits == tuple(viewer.layers[0].contrast_limits)
    assert shown.orientation2d == ("up", "left")
    assert shown.letters == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    assert shown.text == "coronal slice 8 of 26"
    assert shown.proportion == pytest.approx(22 * 0.8 / (18 * 2.5), rel=0.05)
    work.go()
    settle(qtbot, dock)
    assert dock.form.isEnabled()
    assert dock.start.isEnabled()
    assert dock.preview.pair.before.any()  # the last slice is empty


def test_an_array_s_sides_are_not_named(qtbot, make_dock, work, tmp_path):
    viewer = ViewerModel()
    viewer.add_image(np.ones((6, 30, 10)), scale=(3, 1, 1))
    dock = make_dock(viewer)
    dock.coordinator.dialogs = FakeDialogs(tmp_path / "out.nii")
    run(qtbot, dock)
    assert dock.preview.pair.letters == {}
    assert dock.preview.pair.orientation2d == ("down", "right")


def test_nothing_jumps_while_it_works(qtbot, dock, work):
    sizes = set()

    def note():
        sizes.add((dock.preview.size().height(), dock.progress.y(), dock.status.y()))

    dock.resize(330, 700)
    dock.show()
    note()
    begin(qtbot, dock, work, 2)
    note()
    qtbot.mouseClick(dock.cancel, LEFT)
    work.go()
    settle(qtbot, dock)
    note()
    run(qtbot, dock, "resume")
    note()
    assert len(sizes) == 1


def test_cancelled_work_is_kept_and_can_be_gone_on_with(qtbot, dock, viewer, work, path):
    begin(qtbot, dock, work, 2)
    qtbot.mouseClick(dock.cancel, LEFT)
    assert dock.status.text() == words.STOPPING
    work.go()
    settle(qtbot, dock)
    assert work.ended.is_set()
    assert len(viewer.layers) == 1
    assert "what is done is kept" in dock.status.text()
    assert dock.progress.value() > 0
    assert f"{dock.progress.value() / 10:.0f} %" in dock.status.text()
    assert not dock.resume.isHidden()
    assert dock.start.text() == "Start over"
    done = len(work.done)
    assert done < PARTS
    run(qtbot, dock, "resume")
    assert work.jobs[-1].resume
    assert work.done == [1, 2, 3, 4]
    assert len(viewer.layers) == 2
    assert dock.resume.isHidden()
    assert not list(path.parent.glob(".*"))


def test_cancelled_work_can_be_begun_anew(qtbot, dock, work):
    begin(qtbot, dock, work, 2)
    qtbot.mouseClick(dock.cancel, LEFT)
    work.go()
    settle(qtbot, dock)
    work.done.clear()
    run(qtbot, dock)
    assert work.done == [1, 2, 3, 4]


def test_cancelled_work_can_be_discarded(qtbot, dock, viewer, work, path):
    begin(qtbot, dock, work, 1)
    qtbot.mouseClick(dock.cancel, LEFT)
    work.go()
    settle(qtbot, dock)
    qtbot.mouseClick(dock.discard, LEFT)
    assert dock.status.text() == words.DISCARDED
    assert dock.discard.isHidden()
    assert dock.start.text() == "Start"
    assert [each.name for each in path.parent.iterdir()] == ["head.nii.gz"]


def test_unfinished_work_of_another_time_is_offered(qtbot, make_dock, viewer, work, path):
    first = make_dock(viewer)
    begin(qtbot, first, work, 1)
    first.coordinator.close()
    work.go()
    assert work.ended.wait(10)
    second = make_dock(viewer)
    assert not second.resume.isHidden()
    run(qtbot, second, "resume")
    assert path.with_name(OUTPUT).exists()


def test_what_another_process_works_on_is_not_discarded(qtbot, dock, work, path, notes):
    workspace = Workspace(path.with_name(OUTPUT))
    with workspace.opened("a plan", resume=False):
        dock.settings_changed.emit(Setting.TARGET)
        qtbot.mouseClick(dock.discard, LEFT)
    assert notes[-1] == f"Upscale volume: {words.IN_USE}"
    assert workspace.is_begun


@pytest.mark.parametrize(
    "error", [ValueError("a bad slice"), RuntimeError("out of memory"), OSError("disk full")]
)
def test_errors_are_told_and_the_dock_goes_on(qtbot, dock, viewer, work, notes, error):
    work.error = error
    run(qtbot, dock)
    assert any(str(error) in note and note.startswith("Upscale volume: ") for note in notes)
    assert dock.status.text().startswith("Failed at 0 %")
    assert len(viewer.layers) == 1
    work.error = None
    run(qtbot, dock)
    assert len(viewer.layers) == 2


def test_warnings_are_told(qtbot, make_dock, viewer, work, notes):
    def prepare(job):
        import warnings

        warnings.warn("3 voxels are NaN", stacklevel=2)
        return work(job)

    run(qtbot, make_dock(viewer, prepare))
    assert "Upscale volume: 3 voxels are NaN" in notes


def test_an_existing_output_is_replaced_if_that_is_wanted(qtbot, dock, viewer, work, path):
    output = path.with_name(OUTPUT)
    output.write_bytes(b"mine")
    dock.coordinator.dialogs = dialogs = FakeDialogs(yes=False)
    run(qtbot, dock)
    assert dialogs.asked == [[output]]
    assert output.read_bytes() == b"mine"
    assert not work.jobs
    dock.coordinator.dialogs = FakeDialogs()
    run(qtbot, dock)
    assert work.jobs[0].overwrite
    assert read_volume(output).data.shape == viewer.layers[-1].data.shape


def test_the_input_is_never_replaced(qtbot, dock, path, notes, work):
    before = path.read_bytes()
    dock.coordinator.dialogs = FakeDialogs()
    dock.output.setText(str(path))
    run(qtbot, dock)
    assert "would replace the input" in notes[-1]
    assert path.read_bytes() == before
    assert not work.jobs


def test_what_would_be_very_large_is_asked_about(qtbot, dock, work):
    dock.target.show_target(Target("scale", (90.0, 90.0, 90.0), same=True))
    dock.settings_changed.emit(Setting.TARGET)
    dock.coordinator.dialogs = dialogs = FakeDialogs(yes=False)
    run(qtbot, dock)
    assert "1980 × 2340 × 1620 voxels (x, y, z), 14 GiB" in dialogs.asked[0]
    assert not work.jobs


def test_a_folder_that_does_not_exist_is_told_before_anything_is_written(
    qtbot, dock, tmp_path, notes, work
):
    dock.output.setText(str(tmp_path / "nowhere" / "out.nii.gz"))
    run(qtbot, dock)
    assert "nowhere does not exist" in notes[-1]
    assert not work.jobs


def test_networks_work_within_labels(qtbot, dock, viewer, work, notes, phantom_volume):
    data = (phantom_volume.data > 800).astype(np.uint8)
    source = viewer.layers["head"]
    viewer.add_labels(data, name="seg", scale=source.scale, translate=source.translate)
    viewer.add_labels(data, name="elsewhere")
    assert [dock.within.itemText(row) for row in range(dock.within.count())] == [
        words.WHOLE,
        words.FOUND,
        "seg",
    ]
    masks = []
    work_on = work.__call__
    dock.coordinator._prepare = lambda job: masks.append(read_volume(job.within)) or work_on(job)
    dock.within.setCurrentIndex(FOUND + 1)
    assert "everything outside the boxes around the lesions" in dock.plan.text()
    run(qtbot, dock)
    np.testing.assert_array_equal(masks[0].data, data)
    zs, ys, xs = (np.flatnonzero(data.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    ((z, y, x),) = work.plan.options.boxes
    assert (z, y, x) == tuple((one.min(), one.max() + 1) for one in (zs, ys, xs))
    viewer.layers.remove("seg")
    assert dock.settings.within == WHOLE
    assert any(words.NOT_WITHIN in note for note in notes)
    assert not list(work.jobs[0].output.parent.glob(".*"))


def test_networks_work_within_lesions_that_are_looked_for(qtbot, dock, work):
    dock.within.setCurrentIndex(FOUND)
    jobs = []
    dock.coordinator._prepare = lambda job: (
        jobs.append(job) or work(job.model_copy(update={"within": None}))
    )
    run(qtbot, dock)
    assert jobs[0].within == "lesion"


def test_labels_without_lesions_are_refused(qtbot, dock, viewer, notes, work):
    source = viewer.layers["head"]
    empty = np.zeros(source.data.shape, int)
    viewer.add_labels(empty, name="empty", scale=source.scale, translate=source.translate)
    dock.within.setCurrentIndex(FOUND + 1)
    run(qtbot, dock)
    assert "expected lesions in “empty”, found none" in notes[-1]
    assert not work.jobs


def test_an_output_is_not_read_if_that_is_not_wanted(qtbot, dock, viewer, path):
    dock.opens.setChecked(False)
    run(qtbot, dock)
    assert path.with_name(OUTPUT).exists()
    assert len(viewer.layers) == 1


def test_a_source_that_is_removed_meanwhile_hinders_nothing(qtbot, dock, viewer, work):
    begin(qtbot, dock, work, 1)
    viewer.layers.clear()
    work.go()
    settle(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == [OUTPUT.removesuffix(".nii.gz")]


def test_closing_stops_the_work_and_keeps_it(qtbot, dock, viewer, work, path):
    begin(qtbot, dock, work, 1)
    dock.close()
    work.go()
    assert work.ended.wait(10)
    qtbot.wait(50)
    assert len(viewer.layers) == 1
    assert work.done[-1] < PARTS
    names = sorted(each.name for each in path.parent.iterdir())
    assert names == [f".{OUTPUT}.unfinished", "head.nii.gz"]


def test_nothing_is_computed_in_the_gui_thread(qtbot, dock, work):
    threads = []
    prepare = dock.coordinator._prepare
    dock.coordinator._prepare = lambda job: (
        threads.append(threading.current_thread()) or prepare(job)
    )
    run(qtbot, dock)
    assert threads[0] is not threading.main_thread()


def test_it_works_with_the_viewer_that_napari_hands_to_plugins(qtbot, make_dock, viewer):
    dock = make_dock(PublicOnlyProxy(viewer))
    run(qtbot, dock)
    assert len(viewer.layers) == 2


def test_a_real_volume_is_really_upscaled(qtbot, viewer, tmp_path, path):
    """With small networks, from the first click to the layer and the sidecar."""
    models = small_models(tmp_path)
    cards = {name: model_card(name) for name in models.values()}
    dock = UpscaleWidget(viewer, cards=cards)
    qtbot.addWidget(dock)
    dock.device.setCurrentIndex(dock.device.findData("cpu"))
    dock.target.show_target(Target("scale", (1.0, 1.5, 1.5), same=False))
    dock.settings_changed.emit(Setting.TARGET)
    run(qtbot, dock)
    result = viewer.layers[-1]
    assert result.data.shape == (18, 39, 33)
    assert result.data.dtype == np.int16
    np.testing.assert_allclose(result.scale, (2.5, 1 / 1.5, 0.8 / 1.5), rtol=1e-6)
    name = "head_res-1p5x1x1p5x_desc-metasr"
    assert result.name == f"research use · super-resolved · {name}"
    assert (path.parent / f"{name}.json").exists()
    pair = dock.preview.pair
    assert pair.before.shape == (26, 22)
    assert pair.after.shape == (39, 33)
    dock.coordinator.close()


def test_segmentations_come_along(qtbot, viewer, tmp_path, path, notes):
    (source,) = viewer.layers
    place = {"scale": source.scale, "translate": source.translate}
    drawn = np.zeros(source.data.shape, np.uint8)
    drawn[7:11, 9:16, 8:15] = 4
    viewer.add_labels(drawn, name="drawn", **place)
    viewer.add_labels(np.ones((2, 3, 4), int), name="elsewhere")
    models = small_models(tmp_path)
    dock = UpscaleWidget(viewer, cards={name: model_card(name) for name in models.values()})
    qtbot.addWidget(dock)
    dock.device.setCurrentIndex(dock.device.findData("cpu"))
    dock.target.show_target(Target("scale", (1.0, 1.5, 1.5), same=False))
    dock.settings_changed.emit(Setting.TARGET)
    assert "Segmentations on the new grid too: drawn." in dock.plan.text()
    run(qtbot, dock)
    result, labels = viewer.layers[-2:]
    name = "head_res-1p5x1x1p5x_desc-metasr"
    assert (type(labels).__name__, labels.name) == ("Labels", f"{name}_drawn")
    assert viewer.layers.selection.active is result
    assert set(np.unique(labels.data)) == {0, 4}
    assert labels.data.dtype == np.uint8
    np.testing.assert_allclose(labels.scale, result.scale)
    np.testing.assert_allclose(labels.translate, result.translate)
    assert any(f"{name}_drawn.nii.gz, ml before → after: 4: " in note for note in notes)
    files = {each.name for each in path.parent.glob("head*")}
    assert files == {"head.nii.gz", f"{name}.json", f"{name}.nii.gz", f"{name}_drawn.nii.gz"}
    dock.coordinator.dialogs = FakeDialogs(yes=False)
    run(qtbot, dock)
    assert path.parent / f"{name}_drawn.nii.gz" in dock.coordinator.dialogs.asked[0]
    dock.labels.setChecked(False)
    assert "Segmentations" not in dock.plan.text()
    dock.coordinator.close()
