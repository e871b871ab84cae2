"""Docks of the plugin share the room that there is."""

from __future__ import annotations

import pytest
from fakes.window import main_window
from napari.layers import Layer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDialog, QDockWidget, QMainWindow

from napari_metasr.io.layers import layer_data
from napari_metasr.widgets.panels.dock import Dock, enclosing
from napari_metasr.widgets.viewer.open_docks import open_dock

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KINDS = ("zoom", "planes", "detect", "upscale")


def test_the_window_keeps_its_size_with_all_docks_open(
    make_napari_viewer_proxy, qtbot, phantom_volume
):
    viewer = make_napari_viewer_proxy(show=True)
    window = main_window(viewer)
    window.resize(1024, 700)
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    QTest.qWait(100)
    before = window.size()
    docks = []
    for kind in KINDS:
        docks.append(open_dock(viewer, f"napari-metasr.{kind}"))
        qtbot.waitUntil(lambda dock=docks[-1]: dock._is_placed, timeout=20_000)
        qtbot.waitUntil(lambda: window.size() == before, timeout=20_000)
        assert not docks[-1].visibleRegion().isEmpty()
    assert len(window.tabifiedDockWidgets(enclosing(docks[0]))) >= len(KINDS) - 2
    assert len(window.findChildren(Dock)) == len(KINDS)
    for dock in docks:
        qtbot.waitUntil(lambda dock=dock: not dock.coordinator.is_waiting, timeout=30_000)
        dock.coordinator.close()


class Answering(QMainWindow):
    """A window that asks before it closes, as napari's does while a dock works."""

    answer = True

    def closeEvent(self, event):
        question = QDialog(self)
        QTimer.singleShot(50, question.accept if self.answer else question.reject)
        event.setAccepted(question.exec() == QDialog.DialogCode.Accepted)


@pytest.fixture
def told():
    return []


@pytest.fixture
def docked(qtbot, told):
    """A window, of the given kind, that has a dock of the plugin; what the dock tells is noted."""

    def docked(kind):
        window = kind()
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.destroyed.connect(lambda: told.append("deleted"))
        frame, dock = QDockWidget(window), Dock("dock", size=(300, 300))
        frame.setWidget(dock)
        dock.end_with(window)
        dock.closed.connect(lambda: told.append(dock.objectName()))
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, frame)
        return window, frame

    return docked


@pytest.mark.parametrize(
    "state", ["shown", "minimised", "afloat", "behind", "never shown", "confirmed"]
)
def test_a_dock_tells_that_its_window_closes_while_it_is_still_there(qtbot, docked, told, state):
    window, frame = docked(Answering if state == "confirmed" else QMainWindow)
    if state == "behind":
        frame.hide()
    if state != "never shown":
        window.show()
        qtbot.waitExposed(window)
    if state == "minimised":
        window.showMinimized()
    if state == "afloat":
        frame.setFloating(True)
    qtbot.wait(20)
    assert not told
    window.close()
    qtbot.waitUntil(lambda: "deleted" in told)
    assert told[0] == "dock"


def test_a_dock_goes_on_in_a_window_that_does_not_close(qtbot, docked, told):
    window, _ = docked(Answering)
    window.answer = False
    window.show()
    qtbot.waitExposed(window)
    assert not window.close()
    qtbot.wait(20)
    window.hide()
    window.show()
    assert not told
    window.answer = True
    window.close()
    qtbot.waitUntil(lambda: "deleted" in told)
