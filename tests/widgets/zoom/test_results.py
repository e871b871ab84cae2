"""What the dock shows of a slice, at once and when the network is done; what it refuses."""

from __future__ import annotations

import warnings

import dask.array as da
import numpy as np
import pytest
from fakes.widgets import SHAPE, SHIFT, results, settle
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.widgets.viewer.napari_versions import grid_shape
from napari_metasr.widgets.zoom.dock import ZoomDock
from napari_metasr.zoom.baselines import interpolate


def source_slice(viewer, axis=0):
    layer = viewer.layers[0]
    index = round((viewer.dims.point[axis] - layer.translate[axis]) / layer.scale[axis])
    return np.take(layer.data, index, axis), index


def test_both_results_show_the_slice_at_the_scale(qtbot, viewer, dock):
    dock.scale.set_scale(3.7)
    settle(qtbot, dock)
    image, _ = source_slice(viewer)
    bicubic, enhanced = results(dock)
    nearest = interpolate(image, 3.7, method="nearest") + np.float32(SHIFT)
    value_range = viewer.layers[0].data.min(), viewer.layers[0].data.max()
    np.testing.assert_allclose(enhanced.data[0], nearest, rtol=1e-6)
    np.testing.assert_allclose(
        bicubic.data[0], interpolate(image, 3.7, value_range=value_range), rtol=1e-6
    )
    grid = OutputGrid.at_scale(image.shape, 3.7)
    scale = ", ".join(f"×{value:.2f}" for value in grid.true_scale)
    assert bicubic.name == f"bicubic {scale} · t1c"
    assert enhanced.name == f"research use · super-resolved (Fake-SR {scale}) · t1c"


@pytest.mark.parametrize("plane_order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_results_lie_in_their_place_one_slice_thick(qtbot, viewer, dock, plane_order):
    dock.scale.set_scale(2.3)
    viewer.dims.order = plane_order
    settle(qtbot, dock)
    source = viewer.layers[0]
    normal, *axes = plane_order
    _, index = source_slice(viewer, normal)
    shape = tuple(source.data.shape[axis] for axis in axes)
    grid = OutputGrid.at_scale(shape, 2.3)
    for layer in results(dock):
        assert layer.data.shape[normal] == 1
        assert tuple(layer.data.shape[axis] for axis in axes) == grid.output_shape
        assert layer.translate[normal] == pytest.approx(index * source.scale[normal])
        for axis, n, big in zip(axes, shape, grid.output_shape, strict=True):
            step = source.scale[axis]
            assert layer.scale[axis] == pytest.approx(step * n / big, rel=1e-9)
            start = step * (n / big - 1) / 2
            assert abs(layer.translate[axis] - start) < 1e-6 * step


def test_until_the_network_is_ready_bicubic_is_shown_and_labelled_so(qtbot, viewer, dock, engine):
    engine.gate.clear()
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: "is being computed" in results(dock)[1].name, timeout=20_000)
    bicubic, enhanced = results(dock)
    np.testing.assert_array_equal(enhanced.data, bicubic.data)
    assert "super-resolved" not in enhanced.name
    engine.gate.set()
    qtbot.waitUntil(lambda: "super-resolved" in enhanced.name, timeout=20_000)
    image, _ = source_slice(viewer)
    scale = dock.scale.scale
    np.testing.assert_allclose(
        enhanced.data[0], interpolate(image, scale, method="nearest") + np.float32(SHIFT), rtol=1e-6
    )


def test_scrolling_while_it_works_ends_on_the_last_slice_and_skips_those_between(
    qtbot, viewer, dock, engine
):
    settle(qtbot, dock)
    engine.gate.clear()
    before = len(engine.encoded)
    for index in (0, 1, 3, 4, 5):
        viewer.dims.set_current_step(0, index)
        qtbot.waitUntil(lambda: not dock.coordinator._updates.is_due, timeout=20_000)
        assert "super-resolved" not in results(dock)[1].name
    engine.gate.set()
    settle(qtbot, dock)
    image, index = source_slice(viewer)
    assert index == 5
    assert "super-resolved" in results(dock)[1].name
    np.testing.assert_allclose(
        results(dock)[1].data[0],
        interpolate(image, dock.scale.scale, method="nearest") + np.float32(SHIFT),
        rtol=1e-6,
    )
    assert len(engine.encoded) - before <= 2


def test_a_slice_that_was_encoded_before_is_shown_at_once(qtbot, viewer, dock, engine):
    settle(qtbot, dock)
    viewer.dims.set_current_step(0, 1)
    settle(qtbot, dock)
    count = len(engine.encoded)
    viewer.dims.set_current_step(0, 3)
    settle(qtbot, dock)
    viewer.dims.set_current_step(0, 1)
    settle(qtbot, dock)
    assert len(engine.encoded) == count + 1


def test_a_burst_of_slider_events_renders_once_and_ends_with_the_last(qtbot, dock, engine):
    settle(qtbot, dock)
    engine.rendered.clear()
    for step in range(200):
        dock.scale.slider.setValue(300 + step)
    settle(qtbot, dock)
    assert 1 <= len(engine.rendered) <= 3
    grid = OutputGrid.at_scale((24, 32), dock.scale.scale)
    assert engine.rendered[-1][0] == grid.true_scale


def test_an_error_is_notified_once_and_the_dock_works_on(qtbot, viewer, dock, engine, notes):
    settle(qtbot, dock)
    engine.error = ValueError("the network broke")
    viewer.dims.set_current_step(0, 1)
    settle(qtbot, dock)
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    assert [note for note in notes if "the network broke" in note] == [
        "Meta-SR Zoom: the network broke"
    ]
    assert "super-resolved" not in results(dock)[1].name
    engine.error = None
    viewer.dims.set_current_step(0, 4)
    settle(qtbot, dock)
    assert "super-resolved" in results(dock)[1].name


def test_cancel_leaves_bicubic_until_another_slice_is_shown(qtbot, viewer, dock, engine):
    settle(qtbot, dock)
    engine.gate.clear()
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: dock.cancel.isEnabled(), timeout=20_000)
    qtbot.mouseClick(dock.cancel, Qt.MouseButton.LeftButton)
    engine.gate.set()
    settle(qtbot, dock)
    assert "Cancelled" in dock.status.text()
    viewer.dims.set_current_step(0, 2)
    settle(qtbot, dock)
    assert "super-resolved" in results(dock)[1].name


def test_an_unsupported_layer_is_refused_by_name_once(qtbot, viewer, dock, notes):
    viewer.add_image(np.zeros((16, 16, 3), np.uint8), rgb=True, name="photo")
    settle(qtbot, dock)
    dock.source.setCurrentText("photo")
    settle(qtbot, dock)
    dock.scale.set_scale(4)
    settle(qtbot, dock)
    assert "“photo” is RGB" in dock.notice.text()
    assert len([note for note in notes if "photo" in note]) == 1
    dock.source.setCurrentText("t1c")
    settle(qtbot, dock)
    assert "super-resolved" in results(dock)[1].name


def test_a_lazy_layer_is_read_by_the_worker(qtbot, rng, make_dock, engine):
    viewer = ViewerModel()
    data = rng.normal(size=SHAPE)
    viewer.add_image(da.from_array(data, chunks=(1, 24, 32)), contrast_limits=(-2, 2), name="lazy")
    dock = make_dock(viewer)
    settle(qtbot, dock)
    np.testing.assert_allclose(engine.encoded[-1].image, data[source_slice(viewer)[1]])
    assert "super-resolved" in results(dock)[1].name


def test_contrasts_are_super_resolved_together_with_a_notice(qtbot, viewer, dock, rng):
    viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    viewer.add_image(rng.normal(size=(2, 3)), name="other grid")
    settle(qtbot, dock)
    assert dock.contrasts.count() == 1
    assert "not trained" not in dock.notice.text()
    dock.contrasts.item(0).setCheckState(Qt.CheckState.Checked)
    settle(qtbot, dock)
    assert grid_shape(viewer) == (3, 2)  # a box for the other image
    assert "not trained on FLAIR" in dock.notice.text()
    second = dock.coordinator.presenter.stage.pairs[1].enhanced
    assert "super-resolved" in second.name
    assert "flair" in second.name


def test_beyond_the_trained_range_is_said(qtbot, dock):
    dock.scale.set_scale(3.9)
    settle(qtbot, dock)
    assert "trained range" not in dock.notice.text()
    dock.scale.set_scale(5)
    settle(qtbot, dock)
    assert "Beyond the trained range (×1.1 to ×4)" in dock.notice.text()


def test_an_unavailable_device_is_refused_and_the_one_before_stays(qtbot, dock, notes, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    settle(qtbot, dock)
    dock.device.setCurrentIndex(dock.device.findData("cuda"))
    settle(qtbot, dock)
    assert dock.settings.device == "auto"
    assert any("cuda" in note for note in notes)
    assert "super-resolved" in results(dock)[1].name


def test_other_numbers_in_the_layer_are_encoded_anew(qtbot, viewer, dock, engine):
    settle(qtbot, dock)
    viewer.layers[0].data = viewer.layers[0].data + 7
    settle(qtbot, dock)
    np.testing.assert_allclose(engine.encoded[-1].image, source_slice(viewer)[0])


def test_a_slider_event_reads_the_settings_once_and_builds_one_grid(qtbot, dock, monkeypatch):
    settle(qtbot, dock)
    reads, grids = [], []
    read, build = ZoomDock.settings.fget, OutputGrid.at_scale.__func__
    monkeypatch.setattr(ZoomDock, "settings", property(lambda dock: reads.append(1) or read(dock)))
    monkeypatch.setattr(
        OutputGrid, "at_scale", classmethod(lambda cls, *a: grids.append(a) or build(cls, *a))
    )
    dock.scale.slider.setValue(dock.scale.slider.value() + 10)
    settle(qtbot, dock)
    assert len(reads) == 1
    assert len(grids) == 1


def test_an_exception_while_layers_are_changed_does_not_deafen_the_dock(qtbot, viewer, dock):
    settle(qtbot, dock)
    camera = dock.coordinator._camera
    with pytest.raises(RuntimeError, match="inside"), camera.moving:
        raise RuntimeError("inside")
    assert not camera.moving


def test_a_contrast_that_the_name_tells_wrongly_can_be_corrected(qtbot, viewer, dock):
    viewer.layers[0].name = "Pre_Scan_T1"
    settle(qtbot, dock)
    assert dock.contrast.currentText() == "T1?"
    assert "not trained on T1" in dock.notice.text()
    dock.contrast.setCurrentIndex(dock.contrast.findData("T1c"))
    settle(qtbot, dock)
    assert "not trained" not in dock.notice.text()
    dock.contrast.setCurrentIndex(dock.contrast.findData("other"))
    settle(qtbot, dock)
    assert "not trained on other" in dock.notice.text()


@pytest.mark.parametrize("wrap", [np.asarray, lambda data: da.from_array(data, chunks=(1, 24, 32))])
def test_numbers_that_are_replaced_while_they_are_encoded_are_not_shown(
    qtbot, viewer, dock, engine, wrap
):
    layer = viewer.layers[0]
    layer.data = wrap(np.asarray(layer.data))
    settle(qtbot, dock)
    before = len(engine.encoded)
    engine.gate.clear()
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: len(engine.encoded) > before, timeout=20_000)
    layer.data = layer.data * 5
    qtbot.waitUntil(lambda: not dock.coordinator._updates.is_due, timeout=20_000)
    engine.gate.set()
    settle(qtbot, dock)
    image = np.asarray(layer.data[1])
    nearest = interpolate(image, dock.scale.scale, method="nearest") + np.float32(SHIFT)
    for step in (1, 2, 1):  # on it, and when it is shown again
        viewer.dims.set_current_step(0, step)
        settle(qtbot, dock)
        if step == 1:
            np.testing.assert_allclose(results(dock)[1].data[0], nearest, rtol=1e-6)


def test_a_lazy_slice_that_was_encoded_before_is_shown_again(qtbot, rng, make_dock, engine):
    viewer = ViewerModel()
    viewer.add_image(da.from_array(rng.normal(size=SHAPE), chunks=(1, 24, 32)), name="lazy")
    dock = make_dock(viewer)
    for step in (1, 2, 1, 2):
        viewer.dims.set_current_step(0, step)
        settle(qtbot, dock)
        assert "super-resolved" in results(dock)[1].name
    assert len(engine.encoded) == 2


def test_a_slice_without_values_is_shown_as_it_is_and_nothing_is_told(qtbot, make_dock, notes):
    viewer, data = ViewerModel(), np.full(SHAPE, np.nan, np.float32)
    data[2:4, 6:18, 8:24] = np.arange(16)
    viewer.add_image(data, name="t1c", contrast_limits=(0, 15))
    viewer.dims.set_current_step(0, 3)
    dock = make_dock(viewer)
    for step in (0, 3, 5):
        viewer.dims.set_current_step(0, step)
        settle(qtbot, dock)
        assert "super-resolved" in results(dock)[1].name
        for layer in results(dock):
            assert np.isnan(layer.data).all() == (step != 3)
    assert notes == []


def test_gaps_are_told_once_however_many_each_slice_has(
    qtbot, viewer, make_dock, engine, notes, monkeypatch
):
    plain = engine.encode

    def encode(image, *ranges, **named):
        warnings.warn(f"{len(engine.encoded) + 3} of 1,768 pixels are NaN", stacklevel=2)
        return plain(image, *ranges, **named)

    monkeypatch.setattr(engine, "encode", encode)
    dock = make_dock(viewer)
    for step in range(3):
        viewer.dims.set_current_step(0, step)
        settle(qtbot, dock)
    assert len(engine.encoded) == 3
    assert len([note for note in notes if "pixels are NaN" in note]) == 1
