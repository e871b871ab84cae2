"""The loupe in napari's own window, by mouse and keys, on a virtual screen."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.widgets import FakeEngine
from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from npe2 import PluginManager, PluginManifest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QImage, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Source, Volume
from napari_metasr.widgets.loupe import loupe as loupes
from napari_metasr.widgets.loupe.loupe import Loupe
from napari_metasr.widgets.loupe.shortcuts import HELD_MS, LOUPE, register_loupe, toggle_loupe
from napari_metasr.widgets.viewer.key_sheet import sheet
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_widget
from napari_metasr.widgets.viewer.result_layers import SUPER_RESOLVED
from napari_metasr.widgets.viewer.shared import real_viewer, shared
from napari_metasr.widgets.viewer.shortcuts import register

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
SHAPE = (20, 28, 24)
SPOT = (9, 17, 8)
BRIGHT = 1000
ZOOM = 8.0
SPACINGS = {"cubes": (1.0, 1.0, 1.0), "thick": (3.0, 1.0, 0.8)}


def bright_voxel(spacing):
    """A volume, obliquely acquired, of which one voxel is bright."""
    data = np.zeros(SHAPE, np.float32)
    data[SPOT] = BRIGHT
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, :3] = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]]) @ affine[:3, :3]
    affine[:3, 3] = -11, 7, 30
    return Volume(data, affine, spacing, Source("scan", affine=affine, dtype=data.dtype))


@pytest.fixture
def opened(make_napari_viewer_proxy, qtbot):
    """Open a volume in a window; the viewer, its loupe, the network and the layer."""
    engine = FakeEngine()

    def make(volume=None, size=(1000, 760)):
        viewer = make_napari_viewer_proxy(show=True)
        viewer.window._qt_window.resize(*size)
        data, keywords, _ = layer_data(volume or bright_voxel(SPACINGS["cubes"]))
        layer = viewer.add_image(data, **{**keywords, "contrast_limits": (0, BRIGHT)})
        layer.colormap = "red"
        real = real_viewer(viewer)
        loupe = shared(real, Loupe, lambda: Loupe(real, canvas_widget(real), engine.factory))
        register_loupe()
        QTest.qWait(50)
        return viewer, loupe, engine, layer

    yield make
    engine.gate.set()


def settle(qtbot, loupe):
    qtbot.waitUntil(lambda: not loupe.is_waiting, timeout=20_000)


def move(qtbot, viewer, loupe, place):
    point_at(viewer, place)
    settle(qtbot, loupe)


def point_at(viewer, place):
    """Move the mouse, past napari's rate limit."""
    QTest.qWait(10)
    native = canvas_widget(real_viewer(viewer))
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(native.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(native, event)


def middle(viewer):
    return canvas_widget(real_viewer(viewer)).rect().center()


def wheel(viewer, place, notches, modifiers=Qt.KeyboardModifier.NoModifier):
    native = canvas_widget(real_viewer(viewer))
    event = QWheelEvent(
        QPointF(place),
        QPointF(native.mapToGlobal(place)),
        QPoint(0, 0),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(native, event)


def red_spot(widget):
    """Where the middle of what is bright red is, in pixels right and down."""
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    size = picture.height() * picture.bytesPerLine()
    pixels = np.frombuffer(picture.bits().asstring(size), np.uint8)
    red, green, blue, _ = pixels.reshape(picture.height(), -1, 4).astype(int).transpose(2, 0, 1)
    down, right = np.nonzero((red > 150) & (green < 60) & (blue < 60))
    ratio = widget.devicePixelRatioF()
    return np.array([right.mean() / ratio, down.mean() / ratio])


def spot_on_canvas(viewer):
    """Where the bright voxel is drawn by napari itself."""
    picture = viewer.screenshot(canvas_only=True, flash=False, scale=None)
    red, green = picture[..., 0].astype(int), picture[..., 1].astype(int)
    down, right = np.nonzero((red > 200) & (green < 60))
    native = canvas_widget(real_viewer(viewer))
    ratio = picture.shape[1] / native.width()
    return np.array([right.mean() / ratio, down.mean() / ratio])


def show_spot(viewer, order):
    """Show the plane of these axes that holds the bright voxel."""
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], SPOT[order[0]])
    viewer.reset_view()
    point_at(viewer, middle(viewer))  # napari's status line may change the canvas' height
    QTest.qWait(150)
    camera_of(viewer).zoom = ZOOM
    QTest.qWait(50)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0)])
@pytest.mark.parametrize("orientation", [("up", "left"), ("down", "right")])
def test_the_pane_is_the_canvas_magnified_about_the_mouse(
    qtbot, opened, spacing, order, orientation
):
    """In both halves, in every plane and its transpose, whichever way round it is drawn."""
    viewer, loupe, _, _ = opened(bright_voxel(SPACINGS[spacing]))
    camera_of(viewer).orientation2d = orientation
    show_spot(viewer, order)
    spot = spot_on_canvas(viewer)
    loupe.open()
    for aside in (-30, 30):  # the voxel lies in the left half, then in the right one
        place = QPoint(round(spot[0]) - aside, round(spot[1]) + 18)
        move(qtbot, viewer, loupe, place)
        expected = (spot - [place.x(), place.y()]) * loupe.magnification + loupe.pane.side / 2
        np.testing.assert_allclose(red_spot(loupe.pane), expected, atol=2.5)


def test_the_canvas_moves_under_a_resting_mouse(qtbot, opened):
    viewer, loupe, _, _ = opened()
    show_spot(viewer, (0, 1, 2))
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    camera = camera_of(viewer)
    camera.center = (camera.center[-2] + 2, camera.center[-1] - 3)
    camera.zoom *= 1.1
    QTest.qWait(80)
    settle(qtbot, loupe)
    spot, place = spot_on_canvas(viewer), middle(viewer)
    expected = (spot - [place.x(), place.y()]) * loupe.magnification + loupe.pane.side / 2
    np.testing.assert_allclose(red_spot(loupe.pane), expected, atol=2.5)


def test_another_slice_under_a_resting_mouse(qtbot, opened):
    viewer, loupe, _, _ = opened()
    show_spot(viewer, (0, 1, 2))
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    viewer.dims.set_current_step(0, 2)
    settle(qtbot, loupe)
    assert loupe.lens.view.index == (2,)


def test_the_key_held_and_pressed_shortly(qtbot, opened):
    viewer, loupe, _, _ = opened()
    native = canvas_widget(real_viewer(viewer))
    point_at(viewer, middle(viewer))
    QTest.keyPress(native, Qt.Key.Key_G)
    assert loupe.is_open
    QTest.qWait(HELD_MS + 50)
    QTest.keyRelease(native, Qt.Key.Key_G)
    assert not loupe.is_open  # it was held
    QTest.keyClick(native, Qt.Key.Key_G)
    assert loupe.is_open  # it stays
    settle(qtbot, loupe)
    assert loupe.pane.isVisible()
    QTest.keyClick(native, Qt.Key.Key_G)
    assert not loupe.is_open
    QTest.keyClick(native, Qt.Key.Key_G)
    QTest.keyClick(native, Qt.Key.Key_Escape)
    assert not loupe.is_open


def test_the_key_can_be_changed_in_napari_s_shortcuts(qtbot, opened):
    viewer, loupe, _, _ = opened()
    native, name = canvas_widget(real_viewer(viewer)), "napari-metasr:loupe"
    shortcuts = get_settings().shortcuts.shortcuts
    try:  # as napari's preferences do
        get_settings().shortcuts.shortcuts = {**shortcuts, name: ["J"]}
        action_manager.unbind_shortcut(name)
        action_manager.bind_shortcut(name, "J")
        assert LOUPE.line[0] == "J"
        QTest.keyClick(native, Qt.Key.Key_G)
        assert not loupe.is_open
        QTest.keyClick(native, Qt.Key.Key_J)
        assert loupe.is_open
    finally:
        get_settings().shortcuts.shortcuts = shortcuts
        action_manager.unbind_shortcut(name)
        action_manager.bind_shortcut(name, LOUPE.key)


def test_the_key_is_known_once_napari_runs_a_command_of_the_plugin(qtbot, opened):
    viewer, loupe, _, _ = opened()
    native, name = canvas_widget(real_viewer(viewer)), "napari-metasr:loupe"
    action_manager.unbind_shortcut(name)
    register.cache_clear()  # as in a session that has just begun
    QTest.keyClick(native, Qt.Key.Key_G)
    assert not loupe.is_open
    plugins = PluginManager()
    plugins.register(PluginManifest.from_distribution("napari-metasr"))
    plugins.activate("napari-metasr")
    QTest.keyClick(native, Qt.Key.Key_G)
    assert loupe.is_open


def test_the_network_is_there_before_it_is_asked_for(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    loupe.prepare()
    qtbot.waitUntil(lambda: not loupe.is_preparing, timeout=20_000)
    assert engine.loads == [("meta-srgan", "auto")]
    assert len(engine.rendered) == 1  # what is compiled at first use is compiled
    loupe.prepare()
    assert not loupe.is_preparing
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert engine.loads == [("meta-srgan", "auto")]


def test_the_wheel_changes_the_magnification_and_not_the_camera(qtbot, opened):
    viewer, loupe, _, _ = opened()
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    zoom, before = camera_of(viewer).zoom, loupe.magnification
    density = loupe.lens.density[0]
    wheel(viewer, middle(viewer), 2)
    settle(qtbot, loupe)
    assert loupe.magnification > before
    assert loupe.lens.density[0] / density == pytest.approx(loupe.magnification / before)
    assert f"×{loupe.magnification:.1f}" in loupe.pane.look.foot
    wheel(viewer, middle(viewer), -100)
    settle(qtbot, loupe)
    assert loupe.magnification == loupes.LEAST
    assert camera_of(viewer).zoom == zoom
    loupe.close()
    wheel(viewer, middle(viewer), 2)
    QTest.qWait(50)
    assert camera_of(viewer).zoom != zoom


def test_bicubic_stands_in_while_the_slice_is_encoded(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    engine.gate.clear()
    loupe.open()
    point_at(viewer, middle(viewer))
    qtbot.waitUntil(lambda: loupe.pane.look is not None)
    assert loupe.pane.look.left == "bicubic"
    assert "bicubic" in loupe.pane.look.right
    assert "encod" in loupe.pane.look.right
    assert not engine.rendered
    engine.gate.set()
    qtbot.waitUntil(lambda: "super-resolved" in loupe.pane.look.right, timeout=20_000)
    assert "research use" in loupe.pane.look.right
    settle(qtbot, loupe)


def test_a_network_that_fails_leaves_bicubic_and_says_so(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    engine.error = ValueError("the network broke")
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert "failed" in loupe.pane.look.right
    assert len(loupe.pane.look.tiles) == 2


def test_the_network_is_asked_for_no_scale_beyond_its_range(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    camera_of(viewer).zoom *= 3
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert engine.loads == [("meta-srgan", "auto")]
    assert engine.rendered[-1][0] == (4, 4)
    assert "×4.00" in loupe.pane.look.right
    assert "0.25 mm" in loupe.pane.look.right


def test_across_thick_slices_the_through_plane_network_works(qtbot, opened):
    viewer, loupe, engine, _ = opened(bright_voxel(SPACINGS["thick"]))
    show_spot(viewer, (1, 0, 2))
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert engine.loads == [("meta-srgan-through-plane", "auto")]
    (rows, columns), _ = engine.rendered[-1]
    assert 1 < rows <= 6
    assert columns == 1
    assert "across the slices" in loupe.pane.look.right


def test_it_leaves_nothing_behind(qtbot, opened):
    viewer, loupe, _, layer = opened()
    before = [each.name for each in viewer.layers], camera_of(viewer).zoom
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert [each.name for each in viewer.layers] == before[0]
    loupe.close()
    assert loupe.pane is None
    assert loupe.lens is None
    assert ([each.name for each in viewer.layers], camera_of(viewer).zoom) == before
    assert set(viewer.layers.selection) == {layer}


def test_it_follows_contrast_limits_and_colormap(qtbot, opened):
    viewer, loupe, _, layer = opened()
    show_spot(viewer, (0, 1, 2))
    loupe.open()
    spot = spot_on_canvas(viewer)
    move(qtbot, viewer, loupe, QPoint(round(spot[0]) + 20, round(spot[1])))
    red_spot(loupe.pane)
    layer.colormap = "green"
    settle(qtbot, loupe)
    with pytest.warns(RuntimeWarning, match="Mean of empty slice|invalid value"):
        assert np.isnan(red_spot(loupe.pane)).all()


def test_three_dimensions_say_why_nothing_is_magnified(qtbot, opened):
    viewer, loupe, _, _ = opened()
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    viewer.dims.ndisplay = 3
    settle(qtbot, loupe)
    assert loupe.pane.saying == loupes.IN_3D
    viewer.dims.ndisplay = 2
    QTest.qWait(50)
    move(qtbot, viewer, loupe, middle(viewer) + QPoint(1, 0))
    assert loupe.pane.saying == ""
    assert loupe.pane.look is not None


def test_the_topmost_visible_image_is_magnified(qtbot, opened):
    viewer, loupe, _, layer = opened()
    upper = viewer.add_image(
        layer.data + 1, name="T2", scale=layer.scale, translate=layer.translate
    )
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert loupes.image_under(real_viewer(viewer), loupe.world(real_viewer(viewer))).name == "T2"
    upper.visible = False
    assert loupes.image_under(real_viewer(viewer), loupe.world(real_viewer(viewer))).name == "scan"
    viewer.layers.clear()
    settle(qtbot, loupe)
    assert loupe.pane.saying == loupes.NO_IMAGE


def test_what_is_super_resolved_already_is_refused(qtbot, opened):
    viewer, loupe, _, layer = opened()
    layer.metadata[SUPER_RESOLVED] = "meta-srgan"
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert "already" in loupe.pane.saying


def test_the_pane_goes_with_the_mouse_and_comes_back(qtbot, opened):
    viewer, loupe, _, _ = opened()
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert loupe.pane.isVisible()
    QApplication.sendEvent(canvas_widget(real_viewer(viewer)), QEvent(QEvent.Type.Leave))
    settle(qtbot, loupe)
    assert not loupe.pane.isVisible()
    move(qtbot, viewer, loupe, middle(viewer) + QPoint(3, 0))
    assert loupe.pane.isVisible()


def test_the_pane_stays_on_the_canvas(qtbot, opened):
    viewer, loupe, _, _ = opened()
    loupe.open()
    move(qtbot, viewer, loupe, QPoint(3, 5))
    canvas = canvas_widget(real_viewer(viewer))
    assert canvas.rect().contains(loupe.pane.geometry())


def test_the_sheet_of_keys_lists_it():
    assert LOUPE.line in sheet()


def test_the_menu_s_command_opens_and_closes_it(qtbot, opened):
    viewer, loupe, _, _ = opened()
    toggle_loupe(viewer)
    assert loupe.is_open
    toggle_loupe(viewer)
    assert not loupe.is_open


def test_the_viewer_is_closed_under_an_open_loupe(qtbot, opened):
    viewer, loupe, _, _ = opened()
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    viewer.close()
    assert not loupe.is_open
