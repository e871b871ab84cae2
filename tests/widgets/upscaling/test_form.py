"""The form of the dock for whole volumes: what is likely, what is set, what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
from fakes.upscale_dock import LEFT, OUTPUT, choose, run
from fakes.widgets import FakeDialogs
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_metasr.io import read_volume
from napari_metasr.volume import Plane
from napari_metasr.widgets.upscaling import coordinator as upscale_coordinator
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.settings import FOUND, WHOLE, NumberType, Setting
from napari_metasr.widgets.upscaling.target import Target, TargetKind
from napari_metasr.widgets.viewer.result_layers import ROLE


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


@pytest.mark.parametrize(("head", "time"), [(1.0, r"about \d+ min"), (0.2, r"about \d+ s\.")])
def test_the_time_told_does_not_count_air(qtbot, make_dock, viewer, head, time):
    shape = (8, 400, 500)
    inside = tuple(slice(1, max(round(size * head), 2) - 1) for size in shape)
    data = np.zeros(shape, np.float32)
    data[inside] = 1
    viewer.layers[0].data = data
    dock = make_dock(viewer, measure=lambda model, device: 1e-6)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting)
    assert re.search(time, dock.plan.text())


def test_what_is_likely_for_thick_slices_is_set_at_first(dock, path):
    assert dock.settings.plane is Plane.AXIAL
    assert dock.settings.target == Target(TargetKind.SPACING, (0.8, 0.8, 0.8), same=True)
    assert dock.target.isotropic.text() == "Isotropic, 0.8 mm"
    assert dock.settings.output == str(path.with_name(OUTPUT))
    label = dock.findChild(QLabel, "metasr_research_use")
    assert label.text() == "For research use, not for diagnosis."


def test_the_work_is_what_is_set(qtbot, dock, work, path, tmp_path):
    choose(dock.plane, Plane.CORONAL)
    dock.target.show_target(Target(TargetKind.SCALE, (1.0, 2.0, 1.5), same=False))
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
    choose(dock.target.kind, TargetKind.SCALE)
    assert dock.settings.target == Target(TargetKind.SCALE, (3.125, 1.25, 1.0), same=False)
    choose(dock.target.kind, TargetKind.SPACING)
    assert dock.settings.target == Target(TargetKind.SPACING, (0.8, 0.8, 0.8), same=True)


def test_a_button_makes_cubes_of_the_finest_spacing(qtbot, dock):
    dock.target.show_target(Target(TargetKind.SCALE, (2.0, 2.0, 2.0), same=True))
    qtbot.mouseClick(dock.target.isotropic, LEFT)
    assert dock.settings.target == Target(TargetKind.SPACING, (0.8, 0.8, 0.8), same=True)


def test_models_can_be_chosen_where_they_are_needed(qtbot, dock):
    def usable(z, y, x):
        dock.target.show_target(Target(TargetKind.SCALE, (z, y, x), same=False))
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
    wanted = Target(TargetKind.SCALE, (1.0, 3.0, 3.0), same=False)
    dock.target.show_target(wanted)
    dock.settings_changed.emit(Setting.TARGET)
    dock.output.setText(str(tmp_path / "mine.nii"))
    dock.output.textEdited.emit(dock.output.text())
    viewer.add_image(np.zeros((4, 5, 6)), name="other", scale=(3, 1, 1))
    dock.source.setCurrentIndex(1)
    assert dock.settings.target == wanted
    assert dock.settings.output == ""


def test_a_coarser_grid_is_refused_in_the_dock(dock):
    dock.target.show_target(Target(TargetKind.SPACING, (0.8, 0.8, 1.5), same=False))
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


def test_networks_work_within_labels(qtbot, make_dock, viewer, work, notes, phantom_volume):
    masks = []

    def noted(job):
        masks.append(read_volume(job.within))
        return work(job)

    dock = make_dock(viewer, noted)
    data = (phantom_volume.data > 800).astype(np.uint8)
    source = viewer.layers["head"]
    viewer.add_labels(data, name="seg", scale=source.scale, translate=source.translate)
    viewer.add_labels(data, name="elsewhere")
    assert [dock.within.itemText(row) for row in range(dock.within.count())] == [
        words.WHOLE,
        words.FOUND,
        "seg",
    ]
    dock.within.setCurrentIndex(FOUND + 1)
    assert "everything outside the boxes around lesions" in dock.plan.text()
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
