"""The dock in napari's own window, by mouse, on a virtual screen."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.mouse import drag_mouse
from fakes.widgets import CARD, FakeEngine, results, settle
from fakes.window import canvas, drag, main_window, picture, point_of
from napari.components import ViewerModel
from napari.layers import Layer
from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit, QMessageBox

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Plane
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.loupe.loupe import loupe_of
from napari_metasr.widgets.loupe.shortcuts import CLOSING, LOUPE
from napari_metasr.widgets.viewer.edge_letters import NAME
from napari_metasr.widgets.viewer.key_sheet import sheet
from napari_metasr.widgets.viewer.napari_versions import (
    camera_of,
    canvas_overlays,
    canvas_size,
    grid_of,
    grid_shape,
)
from napari_metasr.widgets.viewer.shared import real_viewer
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.viewer.window_level import Preset
from napari_metasr.widgets.zoom.comparison.side_names import overlay_name
from napari_metasr.widgets.zoom.marks import show_marks

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SIDES = ("top", "bottom", "left", "right")
LETTERS = {
    Plane.AXIAL: ("A", "P", "R", "L"),
    Plane.CORONAL: ("S", "I", "R", "L"),
    Plane.SAGITTAL: ("S", "I", "A", "P"),
}


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def window(make_napari_viewer_proxy, qtbot, phantom_volume, engine):
    """A viewer with the phantom and the dock, and the dock."""
    viewer = make_napari_viewer_proxy(show=True)
    main_window(viewer).resize(1100, 700)
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    viewer.window.add_dock_widget(dock, name="Meta-SR Zoom", area="right")
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    settle(qtbot, dock)
    yield viewer, dock
    engine.gate.set()
    dock.coordinator.close()


def test_letters_are_at_the_edges_of_all_three_planes(qtbot, window):
    viewer, dock = window
    for plane, letters in LETTERS.items():
        qtbot.mouseClick(dock.planes[plane], Qt.MouseButton.LeftButton)
        settle(qtbot, dock)
        shown = canvas_overlays(viewer)[NAME]
        assert tuple(shown.letters[side] for side in SIDES) == letters
        assert shown.visible


def test_names_appear_once_their_glyphs_are_drawn(
    qtbot, make_napari_viewer_proxy, phantom_volume, engine
):
    viewer = make_napari_viewer_proxy(show=True)
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    viewer.window.add_dock_widget(dock)
    overlays, shown = canvas_overlays(viewer), []
    assert overlays[NAME].is_preparing
    qtbot.waitUntil(lambda: overlay_name("top_left") in overlays, timeout=20_000)
    name = overlays[overlay_name("top_left")]
    name.events.visible.connect(lambda event: shown.append(overlays[NAME].is_preparing))
    settle(qtbot, dock)
    assert name.visible
    assert True not in shown
    viewer.window.remove_dock_widget("all")


def test_each_view_box_has_its_letters(qtbot, window):
    viewer, dock = window
    settle(qtbot, dock)
    red, green, blue = np.moveaxis(picture(viewer).astype(int), -1, 0)
    yellow = (red > 200) & (green > 170) & (blue < 130)
    height, width = yellow.shape
    for box in np.split(yellow[:, : width // 2 * 2], 2, axis=1):
        strips = box[:90], box[-90:], box[height // 4 : -height // 4, :40]
        assert all(part.any() for part in (*strips, box[height // 4 : -height // 4, -40:]))


def test_marks_stay_in_the_view_boxes_of_the_super_resolved_result(qtbot, window, rng):
    viewer, dock = window
    dock.move_camera.setChecked(False)
    camera_of(viewer).zoom *= 3

    def orange():
        """Share of each view box's pixels that are marked, in reading order."""
        shown = dock.coordinator._shown
        marked = np.ones(results(dock)[1].data.shape[-2:], bool)
        show_marks(results(dock)[1], shown.view, marked, (0, 0, *marked.shape))
        qtbot.wait(100)
        red, green, blue = np.moveaxis(picture(viewer), -1, 0)
        found = (red > green + 20) & (green > blue + 40) & (blue < 90)
        rows, columns = grid_shape(viewer)
        return [
            box[12:-12, 12:-12].mean()
            for row in np.array_split(found, rows)
            for box in np.array_split(row, columns, axis=1)
        ]

    settle(qtbot, dock)
    left, right = orange()
    assert right > 0.1
    assert left < 0.02
    viewer.add_image(rng.normal(size=results(dock)[1].data.shape), name="other")
    settle(qtbot, dock)
    first, second, *others = orange()
    assert second > 0.1
    assert max(first, *others) < 0.02


def test_the_neurological_convention_swaps_left_and_right(qtbot, window):
    viewer, dock = window
    assert camera_of(viewer).orientation2d == ("up", "left")
    dock.display.convention.setCurrentIndex(
        dock.display.convention.findData(DisplayConvention.NEUROLOGICAL)
    )
    assert camera_of(viewer).orientation2d == ("up", "right")
    assert canvas_overlays(viewer)[NAME].letters["left"] == "L"


def test_the_patient_s_left_is_on_the_right_of_the_screen(qtbot, window, phantom_volume):
    """The bright lesion is left, anterior: up and to the right, in both boxes."""
    viewer, dock = window
    layer = viewer.layers[0]
    lesion = np.argwhere(layer.data == 900)
    viewer.dims.set_current_step(0, round(lesion[:, 0].mean()))
    settle(qtbot, dock)
    layer.contrast_limits = (700, 900)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    white = picture.min(axis=-1) > 240
    height, width = white.shape
    for box in (white[40:-60, 12 : width // 2 - 30], white[40:-60, width // 2 + 30 : -20]):
        y, x = np.argwhere(box).mean(axis=0)
        assert y < (height - 100) / 2
        assert x > box.shape[1] / 2


def test_closing_the_dock_restores_camera_letters_and_scale_bar(
    qtbot, make_napari_viewer_proxy, phantom_volume, engine
):
    viewer = make_napari_viewer_proxy()
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    camera, bar = camera_of(viewer), canvas_overlays(viewer)["scale_bar"]
    before = (camera.orientation2d, bar.visible, set(canvas_overlays(viewer)))
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    docked = viewer.window.add_dock_widget(dock)
    settle(qtbot, dock)
    assert bar.visible
    viewer.window.remove_dock_widget(docked)
    assert (camera.orientation2d, bar.visible, set(canvas_overlays(viewer))) == before
    assert len(viewer.layers) == 1


def test_a_rectangle_is_drawn_with_the_mouse(qtbot, window):
    viewer, dock = window
    qtbot.mouseClick(dock.draw, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    qtbot.waitUntil(lambda: viewer.layers.selection.active.name.startswith("zoom region"))
    QTest.qWait(50)
    drag(viewer, (4, -3), (-6, 3))
    qtbot.waitUntil(lambda: not dock.draw.isChecked(), timeout=10_000)
    settle(qtbot, dock)
    assert dock.settings.region is RegionMode.RECTANGLE
    assert not any(layer.name.startswith("zoom region") for layer in viewer.layers)

    def is_zoomed():
        enhanced = dock.coordinator.presenter.stage.pairs[0].enhanced
        low, high = enhanced.extent.world[:, -2:]
        np.testing.assert_allclose(low, (-6, -3), atol=0.6)
        np.testing.assert_allclose(high, (4, 3), atol=0.6)

    qtbot.waitUntil(is_zoomed, timeout=10_000)  # the camera follows the new boxes' size
    assert grid_of(viewer).enabled


def test_shift_and_drag_changes_window_and_level_and_the_button_resets(qtbot, window):
    viewer, dock = window
    layer = viewer.layers[0]
    start, center = tuple(layer.contrast_limits), camera_of(viewer).center
    height, width = canvas_size(viewer)
    middle = QPoint(width // 4, height // 2)
    drag_mouse(canvas(viewer), middle, middle + QPoint(60, 0), Qt.KeyboardModifier.ShiftModifier)
    low, high = layer.contrast_limits
    assert high - low > start[1] - start[0]
    assert low + high == pytest.approx(sum(start), rel=1e-6)
    assert camera_of(viewer).center == center
    qtbot.mouseClick(dock.display.presets[Preset.ROBUST], Qt.MouseButton.LeftButton)
    assert tuple(layer.contrast_limits) != (low, high)


def test_the_swipe_line_is_dragged_with_the_mouse(qtbot, window):
    viewer, dock = window
    dock.comparison.setCurrentText("Swipe")
    settle(qtbot, dock)
    center = camera_of(viewer).center
    line = point_of(viewer, *center[-2:])
    drag_mouse(canvas(viewer), line, line + QPoint(80, 0))
    settle(qtbot, dock)
    assert dock.coordinator._comparing.mode.fraction > 0.55
    assert dock.swipe.value() > 55
    assert camera_of(viewer).center == pytest.approx(center)


def test_every_key_of_the_sheet_works_wherever_the_focus_is(qtbot, window):
    viewer, dock = window
    loupe, native = loupe_of(viewer), canvas(viewer)
    kept = []
    dock.keep_requested.disconnect()
    dock.keep_requested.connect(lambda: kept.append(True))
    layers = real_viewer(viewer).window._qt_viewer.layers
    effects = {
        "Larger scale": lambda: dock.scale.scale,
        "Smaller scale": lambda: dock.scale.scale,
        "Take the next way to compare": lambda: dock.comparison.currentEnum(),
        "Keep the super-resolved region as a layer": lambda: len(kept),
        LOUPE.description: lambda: loupe.is_open,
        "Show these keys": lambda: len(sheets()),
    }

    def sheets():
        return main.findChildren(QMessageBox, "metasr_keys")

    keys = {text: key for key, text in sheet() if len(key) == 1 and text != CLOSING.description}
    assert set(keys) == set(effects)
    assert CLOSING.line in sheet()
    main = main_window(viewer)
    dock.more_contrasts.expand(animate=False)
    places = (native, layers, dock, dock.model, dock.contrasts, dock.scale.slider, dock.keep)
    for place in places:
        for text, key in keys.items():
            main.activateWindow()
            place.setFocus()
            qtbot.waitUntil(main.isActiveWindow, timeout=20_000)
            before = effects[text]()
            QTest.keyClick(place, key.lower())
            assert effects[text]() != before, (place, key)
            loupe.close()
            for box in sheets():
                assert "Larger scale" in box.text()
                box.close()
            qtbot.waitUntil(lambda: not sheets())
        place.setFocus()
        loupe.open()
        QTest.keyClick(place, Qt.Key.Key_Escape)
        assert not loupe.is_open
    assert dock.model.currentIndex() == 0  # no letter was taken for the name of a model
    settle(qtbot, dock)


def test_what_is_typed_stays_typed(qtbot, window):
    viewer, dock = window
    before = dock.scale.scale
    field = QLineEdit(dock)
    field.show()
    main_window(viewer).activateWindow()
    field.setFocus()
    QTest.keyClicks(field, "]n")
    assert field.text() == "]n"
    assert dock.scale.scale == before


def test_keys_are_napari_s_and_can_be_changed(qtbot, window):
    _, dock = window
    shortcuts, name = get_settings().shortcuts.shortcuts, "napari-metasr:larger_scale"
    assert name in action_manager._get_provider_actions(ViewerModel)
    try:  # as napari's preferences do
        get_settings().shortcuts.shortcuts = {**shortcuts, name: ["J"]}
        action_manager.unbind_shortcut(name)
        action_manager.bind_shortcut(name, "J")
        scale = dock.scale.scale
        QTest.keyClick(dock.model, "j")
        assert dock.scale.scale > scale
        assert ("J", "Larger scale") in sheet()
    finally:
        get_settings().shortcuts.shortcuts = shortcuts
        action_manager.unbind_shortcut(name)
        action_manager.bind_shortcut(name, "]")
    settle(qtbot, dock)


def test_the_dock_fits_in_300_by_700_pixels(qtbot, window):
    _, dock = window
    body = dock.scroll_area.widget()
    assert body.minimumSizeHint().width() <= 300
    assert body.sizeHint().height() <= 700
    bar = dock.scroll_area.verticalScrollBar().sizeHint().width()
    assert dock.minimumWidth() >= body.minimumSizeHint().width() + bar
    assert dock.minimumWidth() <= 320


def test_every_control_has_a_tooltip(window):
    from qtpy.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QDoubleSpinBox

    _, dock = window
    for kind in (QAbstractButton, QAbstractSlider, QComboBox, QDoubleSpinBox):
        for control in dock.scroll_area.widget().findChildren(kind):
            if control.objectName().startswith("qt_") or not control.isVisibleTo(dock):
                continue
            assert control.toolTip(), control


def test_real_weights_on_a_real_tumour(make_napari_viewer_proxy, qtbot, shared_data):
    viewer = make_napari_viewer_proxy()
    viewer.open(shared_data / "volumes" / "BraTS-GLI-00000-000-t1c.nii.gz", plugin="napari-metasr")
    dock = MetaSRZoomWidget(viewer)
    viewer.window.add_dock_widget(dock)
    dock.scale.set_scale(3.7)
    qtbot.waitUntil(
        lambda: any("super-resolved (Meta-SRGAN ×3.70)" in layer.name for layer in viewer.layers),
        timeout=120_000,
    )
    settle(qtbot, dock)
    bicubic, enhanced = dock.coordinator.presenter.stage.pairs[0].layers
    assert enhanced.data.shape == bicubic.data.shape
    assert np.isfinite(enhanced.data).all()
    source = viewer.layers[0].data
    assert source.min() <= enhanced.data.min()
    assert enhanced.data.max() <= source.max()
    dock.coordinator.close()
