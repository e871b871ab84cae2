"""The tour in napari's own window: it points at what is there, and is offered once."""

from __future__ import annotations

import napari.settings
import pytest
from fakes.window import main_window
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QEvent, QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton

from napari_metasr.widgets.tour import offer
from napari_metasr.widgets.tour.steps import STEPS
from napari_metasr.widgets.tour.tour import ZOOM_DOCK, has_tours, start_tour
from napari_metasr.widgets.tour.widget import TourWidget
from napari_metasr.widgets.viewer.open_docks import open_docks
from napari_metasr.widgets.viewer.preferences import preferences
from napari_metasr.widgets.viewer.shared import real_viewer

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(not has_tours(), reason="this napari has no tours"),
]


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy(show=True)
    main_window(viewer).resize(1024, 700)
    yield viewer
    tour = main_window(viewer)._viewer_tour
    if tour is not None:
        tour.close_tour()
    viewer.window.remove_dock_widget("all")
    for _ in range(3):  # what is deleted with the tour is deleted after it
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def button(tour, text):
    return next(b for b in tour._tooltip.findChildren(QPushButton) if b.text() == text)


def test_every_step_points_at_a_control_that_is_seen(qtbot, viewer):
    viewer.window.add_dock_widget(TourWidget(viewer), name="Tour")
    window = main_window(viewer)
    qtbot.waitUntil(lambda: window._viewer_tour is not None, timeout=20_000)
    tour = window._viewer_tour
    assert len(viewer.layers) > 0  # the sample
    for number, step in enumerate(STEPS):
        qtbot.waitUntil(lambda n=number: tour._current == n, timeout=20_000)
        qtbot.waitUntil(lambda s=step: tour._tooltip._title.text() == s.title, timeout=20_000)
        for words in (tour._tooltip._title, tour._tooltip._body):  # no line is cut
            assert words.height() >= words.heightForWidth(words.width())
        assert tour._tooltip._counter.text() == f"{number + 1}/{len(STEPS)}"
        lit = tour._overlay._spotlight
        assert window.rect().contains(lit.center())
        if step.control is not None:
            dock = open_docks(viewer).get(ZOOM_DOCK)
            control = step.control(dock)
            assert lit == QRect(control.mapTo(window, QPoint(0, 0)), control.size())
            assert not control.visibleRegion().isEmpty()
            assert not lit.intersects(tour._tooltip.geometry())
        assert window.rect().contains(tour._tooltip.geometry())
        last = number + 1 == len(STEPS)
        QTest.mouseClick(button(tour, "Finish" if last else "Next"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window._viewer_tour is None)


def test_escape_ends_it_and_the_images_at_hand_are_used(qtbot, viewer, phantom_volume):
    viewer.add_image(phantom_volume.data)
    tour = start_tour(viewer)
    window = real_viewer(viewer).window
    assert len(viewer.layers) == 1
    assert start_tour(viewer) is None  # one at a time
    qtbot.waitUntil(lambda: tour._tooltip.isVisible())
    QTest.keyClick(window._qt_viewer.canvas.native, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window._qt_window._viewer_tour is None)


def test_it_is_offered_once(qtbot, viewer, monkeypatch, tmp_path):
    monkeypatch.setattr(napari.settings, "_CFG_PATH", str(tmp_path / "settings.yaml"))
    monkeypatch.setattr(offer.napari, "current_viewer", lambda: real_viewer(viewer))
    heard = []
    with notification_manager:
        notification_manager.notification_ready.connect(heard.append)
        try:
            offer.offer_tour()
            offer.offer_tour()
        finally:
            notification_manager.notification_ready.disconnect(heard.append)
    assert [note.message for note in heard] == [offer.OFFER]
    assert preferences()["tour_offered"]
    [(_, accept)] = heard[0].actions
    accept(None)
    assert main_window(viewer)._viewer_tour is not None
