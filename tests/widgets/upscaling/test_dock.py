"""The dock for whole volumes at work: results, progress, errors."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from fakes.upscale_dock import LEFT, OUTPUT, begin, run
from fakes.upscaling import small_models
from fakes.widgets import FakeDialogs, settle
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy

from napari_metasr.io import read_volume
from napari_metasr.io.reader import read_layers
from napari_metasr.weights import model_card
from napari_metasr.widgets.upscaling.settings import Setting
from napari_metasr.widgets.upscaling.target import Target, TargetKind
from napari_metasr.widgets.upscaling.widget import UpscaleWidget
from napari_metasr.widgets.viewer.result_layers import is_super_resolved


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


def test_the_result_is_shown_like_its_source(qtbot, dock, viewer):
    source = viewer.layers[0]
    source.contrast_limits, source.gamma, source.colormap = (100, 300), 0.7, "magma"
    run(qtbot, dock)
    result = viewer.layers[-1]
    assert result.contrast_limits == [100, 300]
    assert (result.gamma, result.colormap.name) == (0.7, "magma")


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


@pytest.mark.parametrize(
    "error", [ValueError("a bad slice"), RuntimeError("out of memory"), OSError("disk full")]
)
def test_errors_are_told_and_the_dock_goes_on(qtbot, dock, viewer, work, notes, error):
    work.error = error
    run(qtbot, dock)
    assert any(str(error) in note and note.startswith("Upscale volume: ") for note in notes)
    assert dock.status.text().startswith("Failed at 0%")
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
    dock.target.show_target(Target(TargetKind.SCALE, (90.0, 90.0, 90.0), same=True))
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
    (result,) = viewer.layers
    assert result.name == f"research use · super-resolved · {OUTPUT.removesuffix('.nii.gz')}"
    assert is_super_resolved(result)


def test_nothing_is_computed_in_the_gui_thread(qtbot, make_dock, viewer, work):
    threads = []

    def noted(job):
        threads.append(threading.current_thread())
        return work(job)

    run(qtbot, make_dock(viewer, noted))
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
    dock.target.show_target(Target(TargetKind.SCALE, (1.0, 1.5, 1.5), same=False))
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
    dock.target.show_target(Target(TargetKind.SCALE, (1.0, 1.5, 1.5), same=False))
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
