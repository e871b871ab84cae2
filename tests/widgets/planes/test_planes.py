"""Three linked planes, by mouse, on a virtual screen."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from fakes.mouse import turn_wheel
from fakes.widgets import FakeEngine
from fakes.window import main_window
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_metasr.io.layers import layer_data
from napari_metasr.volume import Plane, Source, Volume
from napari_metasr.widgets.planes import coordinator as coordinators
from napari_metasr.widgets.planes.dock import SIZE
from napari_metasr.widgets.planes.widget import PlanesWidget
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.result_layers import SUPER_RESOLVED

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SHAPE = (20, 28, 24)
SPOT = (9, 17, 8)
BRIGHT = 1000
THIN, THICK = (1.0, 1.0, 1.0), (4.0, 1.0, 1.0)


def bright_voxel(spacing=THIN):
    data = np.zeros(SHAPE, np.float32)
    data[SPOT] = BRIGHT
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, 3] = -11, 7, 30
    return Volume(data, affine, spacing, Source("scan", affine=affine, dtype=data.dtype))


@pytest.fixture
def opened(qtbot):
    """Open a volume and the dock; the viewer, the dock, the network and the layer."""
    from napari.components import ViewerModel

    docks = []

    def make(volume=None, engine=None):
        engine = engine or FakeEngine()
        viewer = ViewerModel()
        data, keywords, _ = layer_data(volume or bright_voxel())
        layer = viewer.add_image(data, **{**keywords, "contrast_limits": (0, BRIGHT)})
        layer.colormap = "red"
        dock = PlanesWidget(viewer, engine.factory)
        docks.append(dock)
        qtbot.addWidget(dock)
        dock.resize(620, 620)
        dock.show()
        settle(qtbot, dock)
        return viewer, dock, engine, layer

    yield make
    for dock in docks:
        dock.coordinator.close()


def settle(qtbot, dock):
    qtbot.wait(20)
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)


def voxel(viewer, layer):
    return tuple(np.round(layer.world_to_data(viewer.dims.point)).astype(int))


def red_spot(pane):
    """Where the middle of what is bright red is, in pixels right and down; None without any."""
    picture = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    size = picture.height() * picture.bytesPerLine()
    pixels = np.frombuffer(picture.bits().asstring(size), np.uint8)
    red, green, blue, _ = pixels.reshape(picture.height(), -1, 4).astype(int).transpose(2, 0, 1)
    down, right = np.nonzero((red > 150) & (green < 60) & (blue < 60))
    if not len(down):
        return None
    ratio = pane.devicePixelRatioF()
    return QPoint(round(right.mean() / ratio), round(down.mean() / ratio))


def wheel(pane, notches, modifiers=Qt.KeyboardModifier.NoModifier, pixels=0):
    turn_wheel(pane, pane.rect().center(), notches, modifiers, pixels)


@pytest.mark.parametrize("spacing", [THIN, THICK])
@pytest.mark.parametrize("orientation", [("up", "left"), ("up", "right"), ("down", "right")])
@pytest.mark.parametrize("plane", Plane)
def test_a_click_takes_the_other_planes_there(qtbot, opened, plane, orientation, spacing):
    """From any two planes the bright voxel is found by clicking on it."""
    viewer, dock, _, layer = opened(bright_voxel(spacing))
    camera_of(viewer).orientation2d = orientation
    viewer.dims.set_point(plane.normal_axis, layer.data_to_world(SPOT)[plane.normal_axis])
    settle(qtbot, dock)
    pane = dock.panes[plane]
    QTest.mouseClick(
        pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, red_spot(pane)
    )
    settle(qtbot, dock)
    assert voxel(viewer, layer) == SPOT
    for other in dock.panes.values():
        down, right = other.look.cross
        spot = red_spot(other)
        assert spot is not None
        assert abs(spot.x() - right) < 3
        assert abs(spot.y() - down) < 3


def test_the_cross_hair_is_dragged_and_napari_s_sliders_follow(qtbot, opened):
    viewer, dock, _, _ = opened()
    pane = dock.panes[Plane.AXIAL]
    before = viewer.dims.point
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, pos=pane.rect().center())
    QTest.mouseMove(pane, pane.rect().center() + QPoint(20, 30))
    QTest.qWait(30)
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=pane.rect().center() + QPoint(20, 30))
    settle(qtbot, dock)
    assert viewer.dims.point[0] == before[0]
    assert viewer.dims.point[1:] != before[1:]


class SlowEngine(FakeEngine):
    """Renders only while it may, and knows in which threads it did."""

    def __init__(self):
        super().__init__()
        self.may, self.threads = threading.Event(), set()
        self.may.set()

    def render_pixels(self, encoded, grid, pixels):
        self.threads.add(threading.current_thread())
        self.may.wait(20)
        return super().render_pixels(encoded, grid, pixels)


def test_a_drag_does_not_wait_for_the_network_and_its_end_is_shown(qtbot, opened):
    engine = SlowEngine()
    _, dock, _, _ = opened(engine=engine)
    pane, other = dock.panes[Plane.AXIAL], dock.panes[Plane.CORONAL]
    middle = pane.rect().center()
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, pos=middle)
    for down in (40, 80, 60):  # coronal slices are encoded, as by an earlier drag
        QTest.mouseMove(pane, middle + QPoint(0, down))
        settle(qtbot, dock)
    dock.coordinator.pictures[Plane.CORONAL].rest()  # and their pictures are not at hand
    engine.may.clear()
    before = len(engine.rendered)
    for down in (40, 80, 40, 80):
        QTest.mouseMove(pane, middle + QPoint(0, down))
        QTest.qWait(20)
        assert "super-resolved" in pane.look.words  # the slice that is dragged in stays
        assert "bicubic" in other.look.words
        assert other.look.tile is not None
    engine.may.set()
    settle(qtbot, dock)
    assert "super-resolved" in other.look.words
    assert len(engine.rendered) - before <= 3  # of four: those between are left out
    assert threading.main_thread() not in engine.threads
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=middle)


def test_a_picture_goes_on_being_shown_while_the_view_is_zoomed(qtbot, opened):
    engine = SlowEngine()
    _, dock, _, _ = opened(engine=engine)
    engine.may.clear()
    wheel(dock.panes[Plane.CORONAL], 2)
    qtbot.wait(50)
    assert all("super-resolved" in pane.look.words for pane in dock.panes.values())
    tile = dock.panes[Plane.AXIAL].look.tile
    engine.may.set()
    settle(qtbot, dock)
    assert dock.panes[Plane.AXIAL].look.tile.picture.size() != tile.picture.size()


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize("corner", [(-9.0, -9.0), (9000.0, 9000.0)])
def test_the_cross_hair_stays_inside_a_volume_beside_a_larger_one(qtbot, opened, plane, corner):
    viewer, dock, _, layer = opened()
    viewer.add_image(np.zeros(np.multiply(SHAPE, 3)), translate=np.subtract(layer.translate, SHAPE))
    settle(qtbot, dock)
    dock.panes[plane].pointed.emit(plane, *corner)
    settle(qtbot, dock)
    assert dock.notice.text() == ""
    found = voxel(viewer, layer)
    for axis in (plane.row_axis, plane.column_axis):
        assert found[axis] in {0, SHAPE[axis] - 1}
    assert all(pane.look is not None for pane in dock.panes.values())


def test_a_click_brings_the_cross_hair_back_from_outside(qtbot, opened):
    """From where sliders took it: outside along every axis, as after the dock is opened there."""
    viewer, dock, _, layer = opened()
    viewer.add_image(np.zeros(np.multiply(SHAPE, 3)), translate=np.subtract(layer.translate, SHAPE))
    viewer.dims.set_point(range(3), np.subtract(layer.translate, 5))
    settle(qtbot, dock)
    assert "outside" in dock.notice.text()
    assert all(pane.look is None for pane in dock.panes.values())
    pane = dock.panes[Plane.CORONAL]
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, pos=pane.rect().center())
    settle(qtbot, dock)
    assert dock.notice.text() == ""
    assert voxel(viewer, layer) == (SHAPE[0] // 2, 0, SHAPE[2] // 2)
    assert all(pane.look is not None for pane in dock.panes.values())


def test_napari_s_sliders_move_the_cross_hair(qtbot, opened):
    viewer, dock, _, layer = opened()
    for axis in range(3):
        viewer.dims.set_point(axis, layer.data_to_world(SPOT)[axis])
    settle(qtbot, dock)
    assert all(red_spot(pane) is not None for pane in dock.panes.values())
    assert {lens.view.index for lens in dock.coordinator.lenses.values()} == {(i,) for i in SPOT}


def test_the_wheel_zooms_every_plane_about_the_cross_hair(qtbot, opened):
    _, dock, _, _ = opened()
    densities = {plane: lens.density for plane, lens in dock.coordinator.lenses.items()}
    crosses = {plane: pane.look.cross for plane, pane in dock.panes.items()}
    wheel(dock.panes[Plane.CORONAL], 3)
    settle(qtbot, dock)
    for plane, lens in dock.coordinator.lenses.items():
        assert lens.density == pytest.approx(np.multiply(densities[plane], 1.2**3))
        assert dock.panes[plane].look.cross == pytest.approx(crosses[plane])
    dock.fit.click()
    settle(qtbot, dock)
    assert {p: lens.density for p, lens in dock.coordinator.lenses.items()} == densities


def test_the_wheel_with_ctrl_goes_through_the_slices(qtbot, opened):
    viewer, dock, _, _ = opened()
    before = viewer.dims.current_step
    wheel(dock.panes[Plane.SAGITTAL], -2, Qt.KeyboardModifier.ControlModifier)
    settle(qtbot, dock)
    assert viewer.dims.current_step == (before[0], before[1], before[2] - 2)


@pytest.mark.parametrize(("turns", "notches", "pixels"), [(6, 0.5, 0), (24, 1 / 8, 0), (9, 0, 20)])
def test_a_touchpad_goes_through_the_slices_too(qtbot, opened, turns, notches, pixels):
    """Three slices up by fractions of a notch; half a notch that is left counts no other way."""
    viewer, dock, _, _ = opened()
    pane, ctrl = dock.panes[Plane.AXIAL], Qt.KeyboardModifier.ControlModifier
    first = viewer.dims.current_step[0]
    for _ in range(turns):
        wheel(pane, notches, ctrl, pixels)
    assert viewer.dims.current_step[0] == first + 3
    wheel(pane, 0.5, ctrl)
    wheel(pane, -1, ctrl)
    assert viewer.dims.current_step[0] == first + 2
    before = dock.coordinator.lenses[Plane.AXIAL].density
    wheel(pane, notches, pixels=pixels)
    settle(qtbot, dock)
    magnified = np.multiply(before, 1.2 ** (notches + pixels / 60))
    assert dock.coordinator.lenses[Plane.AXIAL].density == pytest.approx(magnified)


def test_the_right_button_moves_the_view_in_all_planes(qtbot, opened):
    viewer, dock, _, _ = opened()
    point = viewer.dims.point
    before = {plane: pane.look.cross for plane, pane in dock.panes.items()}
    dock.panes[Plane.AXIAL].dragged.emit(Plane.AXIAL, 11.0, -7.0)
    settle(qtbot, dock)
    down, right = dock.panes[Plane.AXIAL].look.cross
    assert (down, right) == pytest.approx(np.add(before[Plane.AXIAL], (11, -7)))
    assert dock.panes[Plane.CORONAL].look.cross[1] == pytest.approx(before[Plane.CORONAL][1] - 7)
    assert viewer.dims.point == point


def test_voxels_have_their_true_shape(qtbot, opened):
    _, dock, _, _ = opened(bright_voxel(THICK))
    lenses = dock.coordinator.lenses
    rows, columns = lenses[Plane.CORONAL].density
    assert rows == pytest.approx(4 * columns)
    assert columns == pytest.approx(lenses[Plane.AXIAL].density[0])


def test_thick_slices_are_given_to_the_through_plane_network(qtbot, opened):
    _, dock, engine, _ = opened(bright_voxel(THICK))
    assert {model for model, _ in engine.loads} == {"meta-srgan", "meta-srgan-through-plane"}
    assert "×6.00, ×1.00" in dock.panes[Plane.CORONAL].look.words
    assert "×3." in dock.panes[Plane.AXIAL].look.words
    assert dock.notice.text() == coordinators.ACROSS


def test_bicubic_stands_in_and_can_be_chosen(qtbot, opened):
    viewer, dock, engine, _ = opened()
    assert "super-resolved" in dock.panes[Plane.AXIAL].look.words
    assert "research use" in dock.panes[Plane.AXIAL].look.words
    engine.gate.clear()
    viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(lambda: "until encoded" in dock.panes[Plane.AXIAL].look.words)
    engine.gate.set()
    settle(qtbot, dock)
    assert "super-resolved" in dock.panes[Plane.AXIAL].look.words
    dock.enhancing.click()
    settle(qtbot, dock)
    assert dock.panes[Plane.AXIAL].look.words == "bicubic"


def test_letters_follow_the_convention_and_need_a_known_orientation(qtbot, opened):
    viewer, dock, _, layer = opened()
    assert dock.panes[Plane.AXIAL].look.letters == {
        "top": "A", "bottom": "P", "left": "R", "right": "L",
    }  # fmt: skip
    assert dock.panes[Plane.SAGITTAL].look.letters["left"] == "A"
    camera_of(viewer).orientation2d = ("up", "right")
    settle(qtbot, dock)
    assert dock.panes[Plane.CORONAL].look.letters["right"] == "R"
    layer.metadata = {}
    dock.coordinator.schedule()
    settle(qtbot, dock)
    assert dock.panes[Plane.AXIAL].look.letters == {}


def test_appearance_follows_the_layer(qtbot, opened):
    viewer, dock, _, layer = opened()
    viewer.dims.set_point(0, layer.data_to_world(SPOT)[0])
    settle(qtbot, dock)
    assert red_spot(dock.panes[Plane.AXIAL]) is not None
    layer.contrast_limits = (0, 50 * BRIGHT)
    settle(qtbot, dock)
    assert red_spot(dock.panes[Plane.AXIAL]) is None


def test_what_cannot_be_shown_is_told(qtbot, opened):
    viewer, dock, _, layer = opened()
    layer.metadata[SUPER_RESOLVED] = "meta-srgan"
    dock.coordinator.schedule()
    settle(qtbot, dock)
    assert "already" in dock.notice.text()
    viewer.layers.clear()
    settle(qtbot, dock)
    assert dock.notice.text() == coordinators.NO_IMAGE
    viewer.add_image(np.zeros((8, 9)), name="flat")
    settle(qtbot, dock)
    assert "flat" in dock.notice.text()
    assert all(pane.look is None for pane in dock.panes.values())


def test_memory_is_freed_with_the_layer_and_the_dock(qtbot, opened):
    viewer, dock, _, layer = opened()
    sessions = [each.magnifier._slices.session for each in dock.coordinator.pictures.values()]
    assert all(len(session) == 1 for session in sessions)
    token = layer_source(layer).token
    viewer.layers.remove(layer)
    settle(qtbot, dock)
    assert not any(session.nbytes for session in sessions)
    assert token not in {key.layer for session in sessions for key in session._encoded}
    dock.close()
    viewer.add_image(np.zeros(SHAPE))
    assert not dock.coordinator.is_waiting


def test_the_planes_are_as_wide_beside_a_narrow_dock_as_without(qtbot, make_napari_viewer_proxy):
    """Qt would give them the width of the dock that is there, and a head a finger's width."""
    viewer = make_napari_viewer_proxy(show=True)
    main_window(viewer).resize(1500, 900)
    narrow = QWidget()
    narrow.setMinimumSize(200, 100)
    viewer.window.add_dock_widget(narrow, name="narrow", area="right")
    qtbot.wait(100)
    dock = PlanesWidget(viewer, FakeEngine().factory)
    viewer.window.add_dock_widget(dock, name="Three planes", area="right")
    qtbot.waitUntil(lambda: dock.width() > SIZE[0] - 20, timeout=10_000)
    viewer.window.remove_dock_widget("all")
