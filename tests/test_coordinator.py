"""The dock at work on a viewer model: no canvas, a network that is known."""

from __future__ import annotations

import gc
import weakref

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from widget_fakes import CARD, SHIFT, FakeEngine

from napari_metasr.geometry import OutputGrid
from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Plane
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.comparison import MODES
from napari_metasr.widgets.viewport import RegionMode
from napari_metasr.zoom.baselines import interpolate

SHAPE = (6, 24, 32)


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def viewer(rng):
    viewer = ViewerModel()
    viewer.add_image(rng.normal(100, 20, SHAPE), name="t1c", scale=(3, 1, 1.5))
    return viewer


@pytest.fixture
def make_dock(qtbot, engine):
    docks = []

    def make(viewer):
        dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
        qtbot.addWidget(dock)
        docks.append(dock)
        settle(qtbot, dock)
        return dock

    yield make
    engine.gate.set()
    for dock in docks:
        dock.coordinator.close()


@pytest.fixture
def dock(make_dock, viewer):
    dock = make_dock(viewer)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    return dock


@pytest.fixture
def notes():
    """What napari was told to notify the user of."""
    messages = []
    callback = lambda notification: messages.append(notification.message)  # noqa: E731
    notification_manager.notification_ready.connect(callback)
    yield messages
    notification_manager.notification_ready.disconnect(callback)


def settle(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)


def results(dock):
    """The bicubic and the super-resolved layer of the source."""
    return dock.coordinator.presenter.stage.pairs[0].layers


def all_gone(held):
    """Whether nothing of all this exists any more."""
    gc.collect()
    return [reference() for reference in held if reference() is not None] == []


def choose(dock, title):
    dock.comparison.setCurrentText(title)


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
    limits = viewer.layers[0].data.min(), viewer.layers[0].data.max()
    np.testing.assert_allclose(enhanced.data[0], nearest, rtol=1e-6)
    np.testing.assert_allclose(bicubic.data[0], interpolate(image, 3.7, limits=limits), rtol=1e-6)
    grid = OutputGrid.at_scale(image.shape, 3.7)
    scale = ", ".join(f"×{value:.2f}" for value in grid.true_scale)
    assert bicubic.name == f"bicubic {scale} · t1c"
    assert enhanced.name == f"super-resolved (Fake-SR {scale}) · research use · t1c"


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
        qtbot.waitUntil(lambda: not dock.coordinator._scheduled, timeout=20_000)
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
    assert engine.rendered[-1][0] == dock.scale.scale


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


def test_contrast_limits_colormap_and_gamma_are_linked_both_ways(qtbot, viewer, dock):
    settle(qtbot, dock)
    source, (bicubic, enhanced) = viewer.layers[0], results(dock)
    source.contrast_limits = (50, 120)
    assert tuple(bicubic.contrast_limits) == tuple(enhanced.contrast_limits) == (50, 120)
    enhanced.colormap = "magma"
    assert source.colormap.name == bicubic.colormap.name == "magma"


def state(viewer):
    camera, grid = viewer.scene.camera, viewer.canvas.grid
    return {
        "grid": (grid.enabled, grid.stride, grid.shape, grid.spacing),
        "camera": (camera.center, camera.zoom, camera.orientation2d),
        "visible": {layer.name: layer.visible for layer in viewer.layers},
        "selected": {layer.name for layer in viewer.layers.selection},
        "active": viewer.layers.selection.active,
    }


@pytest.mark.parametrize("title", [mode.title for mode in MODES])
def test_leaving_a_comparison_puts_the_viewer_back(qtbot, viewer, rng, make_dock, title):
    viewer.add_labels(np.ones(SHAPE, int), name="mask")
    viewer.add_points([(1, 2, 3)], name="hidden", visible=False)
    viewer.layers.selection = {viewer.layers[0], viewer.layers[1]}
    viewer.scene.camera.center, viewer.scene.camera.zoom = (0, 7, 9), 3.3
    before = state(viewer)
    dock = make_dock(viewer)
    choose(dock, title)
    dock.scale.set_scale(5)
    settle(qtbot, dock)
    assert state(viewer) != before
    dock.coordinator.close()
    assert state(viewer) == before


def test_side_by_side_shows_two_boxes_and_nothing_else(qtbot, viewer, dock):
    viewer.add_labels(np.ones(SHAPE, int), name="mask")
    settle(qtbot, dock)
    assert viewer.canvas.grid.enabled
    assert viewer.canvas.grid.actual_shape(viewer.layers) == (1, 2)
    shown = [layer for layer in viewer.layers if layer.visible]
    assert shown == list(results(dock))
    places = [viewer.canvas.grid.position(viewer.layers.index(x), viewer.layers) for x in shown]
    assert places == [(0, 0), (0, 1)]


def test_swipe_shows_the_network_right_of_the_line_only(qtbot, viewer, dock):
    choose(dock, "Swipe")
    settle(qtbot, dock)
    bicubic, enhanced = results(dock)
    whole, part = bicubic.data.shape[-1], enhanced.data.shape[-1]
    assert part == pytest.approx(whole / 2, abs=1)
    right = bicubic.translate[-1] + bicubic.scale[-1] * (whole - 1)
    assert enhanced.translate[-1] + enhanced.scale[-1] * (part - 1) == pytest.approx(right)
    dock.swipe.setValue(80)
    settle(qtbot, dock)
    assert enhanced.data.shape[-1] == pytest.approx(whole / 5, abs=1)
    viewer.scene.camera.orientation2d = ("up", "left")
    settle(qtbot, dock)
    assert enhanced.translate[-1] == pytest.approx(bicubic.translate[-1])


def test_the_difference_is_super_resolved_minus_bicubic(qtbot, viewer, dock):
    choose(dock, "Difference map")
    settle(qtbot, dock)
    bicubic, enhanced = results(dock)
    layer = next(layer for layer in viewer.layers if layer.name.startswith("difference"))
    np.testing.assert_allclose(layer.data, enhanced.data - bicubic.data)
    assert layer.contrast_limits[0] == -layer.contrast_limits[1]
    np.testing.assert_allclose(layer.translate, bicubic.translate)
    choose(dock, "Side by side")
    settle(qtbot, dock)
    assert layer not in viewer.layers


def test_blinking_shows_one_after_the_other(qtbot, viewer, dock):
    choose(dock, "Blink")
    settle(qtbot, dock)
    bicubic, enhanced = results(dock)
    seen = set()

    def both():
        seen.add((bicubic.visible, enhanced.visible))
        return seen == {(True, False), (False, True)}

    qtbot.waitUntil(both, timeout=10_000)


def test_in_3d_the_dock_pauses_and_comes_back(qtbot, viewer, dock):
    settle(qtbot, dock)
    viewer.dims.ndisplay = 3
    settle(qtbot, dock)
    assert "3-D" in dock.notice.text()
    assert [layer.name for layer in viewer.layers] == ["t1c"]
    assert viewer.layers[0].visible
    assert not viewer.canvas.grid.enabled
    viewer.dims.ndisplay = 2
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


def test_contrasts_are_magnified_together_with_a_notice(qtbot, viewer, dock, rng):
    viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    viewer.add_image(rng.normal(size=(2, 3)), name="other grid")
    settle(qtbot, dock)
    assert dock.contrasts.count() == 1
    assert "not trained" not in dock.notice.text()
    dock.contrasts.item(0).setCheckState(Qt.CheckState.Checked)
    settle(qtbot, dock)
    assert viewer.canvas.grid.actual_shape(viewer.layers) == (2, 2)
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


def test_the_slider_moves_the_camera_unless_switched_off(qtbot, viewer, dock):
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.CENTRE))
    settle(qtbot, dock)
    zoom = viewer.scene.camera.zoom
    dock.scale.set_scale(4)
    settle(qtbot, dock)
    assert viewer.scene.camera.zoom == pytest.approx(2 * zoom, rel=1e-2)
    dock.move_camera.setChecked(False)
    dock.scale.set_scale(8)
    settle(qtbot, dock)
    assert viewer.scene.camera.zoom == pytest.approx(2 * zoom, rel=1e-2)


def test_a_new_layer_or_name_does_not_move_the_camera(qtbot, viewer, dock):
    settle(qtbot, dock)
    viewer.scene.camera.center, viewer.scene.camera.zoom = (0, 3, 4), 7
    viewer.add_points([(1, 2, 3)])
    viewer.layers[0].name = "new t1c"
    settle(qtbot, dock)
    assert viewer.scene.camera.zoom == 7
    assert dock.source.currentText() == "new t1c"
    assert all("new t1c" in layer.name for layer in results(dock))


def test_following_the_camera_renders_what_is_visible_at_the_screen_s_resolution(
    qtbot, viewer, dock, engine
):
    dock.follow_camera.setChecked(True)
    viewer.scene.camera.zoom = 20
    viewer.scene.camera.center = (0, 12, 24)
    settle(qtbot, dock)
    (scale, window) = engine.rendered[-1]
    assert scale == (20, 30)
    height, width = viewer.canvas.viewbox_size(viewer.layers)
    assert window[2] - window[0] <= min(height / 20 + 4, 24) + 1e-6
    assert window[3] - window[1] <= min(width / 30 + 4, 32) + 1e-6
    viewer.scene.camera.zoom = 0.5
    settle(qtbot, dock)
    assert "nothing to super-resolve" in dock.notice.text()
    assert "super-resolved" not in results(dock)[1].name


def test_only_what_is_visible_is_rendered_at_high_scales(qtbot, viewer, dock, engine):
    dock.move_camera.setChecked(False)
    viewer.scene.camera.zoom = 200
    viewer.scene.camera.center = (0, 12, 24)
    dock.scale.set_scale(8)
    settle(qtbot, dock)
    _, window = engine.rendered[-1]
    assert window[2] - window[0] < 10
    assert window[3] - window[1] < 10


def test_planes_by_button(qtbot, phantom_volume, make_dock):
    viewer = ViewerModel()
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = make_dock(viewer)
    before = viewer.dims.point
    for plane in (Plane.CORONAL, Plane.SAGITTAL, Plane.AXIAL):
        qtbot.mouseClick(dock.planes[plane], Qt.MouseButton.LeftButton)
        settle(qtbot, dock)
        assert viewer.dims.order == (plane.normal_axis, plane.row_axis, plane.column_axis)
        assert dock.planes[plane].isChecked()
        assert results(dock)[1].data.shape[plane.normal_axis] == 1
        assert viewer.dims.point == before


def test_shortcuts_on_the_dock(qtbot, dock):
    settle(qtbot, dock)
    before = dock.scale.scale
    QTest.keyClick(dock.keep, "]")
    assert dock.scale.scale > before
    QTest.keyClick(dock.keep, "[")
    assert dock.scale.scale == pytest.approx(before, abs=0.02)
    title = dock.comparison.currentText()
    QTest.keyClick(dock.keep, "c")
    assert dock.comparison.currentText() != title
    settle(qtbot, dock)


def test_keep_pins_the_region_as_a_layer_of_its_own(qtbot, viewer, dock):
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    shown = results(dock)[1]
    qtbot.mouseClick(dock.keep, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    kept = [layer for layer in viewer.layers if "super-resolved" in layer.name][-1]
    assert kept is not shown
    np.testing.assert_array_equal(kept.data, shown.data)
    np.testing.assert_allclose(kept.translate, shown.translate)
    dock.coordinator.close()
    assert kept in viewer.layers
    assert kept.visible
    assert shown not in viewer.layers


def test_an_unavailable_device_is_refused_and_the_one_before_stays(qtbot, dock, notes, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    settle(qtbot, dock)
    dock.device.setCurrentIndex(dock.device.findData("cuda"))
    settle(qtbot, dock)
    assert dock.settings.device == "auto"
    assert any("cuda" in note for note in notes)
    assert "super-resolved" in results(dock)[1].name


def test_removing_the_source_while_it_works_is_safe_and_frees_the_memory(
    qtbot, viewer, make_dock, engine
):
    engine.gate.clear()
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    qtbot.addWidget(dock)
    qtbot.waitUntil(lambda: dock.cancel.isEnabled(), timeout=20_000)
    del viewer.layers[0]
    engine.gate.set()
    settle(qtbot, dock)
    assert len(viewer.layers) == 0
    assert len(dock.coordinator.slices.session) == 0
    held = [weakref.ref(encoded) for encoded in engine.encoded]
    engine.encoded.clear()
    qtbot.waitUntil(lambda: all_gone(held), timeout=10_000)
    dock.coordinator.close()


def test_removing_a_result_does_not_bring_it_back_until_something_is_set(qtbot, viewer, dock):
    settle(qtbot, dock)
    viewer.layers.remove(results(dock)[1])
    settle(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == ["t1c"]
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    assert len(viewer.layers) == 3


def test_closing_while_it_works_frees_everything(qtbot, viewer, engine):
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    settle(qtbot, dock)
    engine.gate.clear()
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(dock.cancel.isEnabled, timeout=20_000)
    held = [weakref.ref(thing) for thing in (dock.coordinator, *results(dock), *engine.encoded)]
    dock.close()
    engine.gate.set()
    assert [layer.name for layer in viewer.layers] == ["t1c"]
    engine.encoded.clear()
    dock.deleteLater()
    del dock

    qtbot.waitUntil(lambda: all_gone(held), timeout=10_000)


def test_other_numbers_in_the_layer_are_encoded_anew(qtbot, viewer, dock, engine):
    settle(qtbot, dock)
    viewer.layers[0].data = viewer.layers[0].data + 7
    settle(qtbot, dock)
    np.testing.assert_allclose(engine.encoded[-1].image, source_slice(viewer)[0])
