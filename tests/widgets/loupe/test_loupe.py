"""The loupe in napari's own window, by mouse, on a virtual screen."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.loupe import (
    SPACINGS,
    bright_voxel,
    middle,
    move,
    settle,
    show_spot,
)
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_metasr.widgets.loupe import loupe as loupes
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_widget
from napari_metasr.widgets.viewer.shared import real_viewer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


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


def test_the_viewer_is_closed_under_an_open_loupe(qtbot, opened):
    viewer, loupe, _, _ = opened()
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    viewer.close()
    assert not loupe.is_open
