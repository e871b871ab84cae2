"""Windows that are closed while their docks work, in a process that goes on.

pytest's fixtures of napari close windows in their own way, and an exception that Qt meets ends a
process without them. Prints a line for each window once it is gone and its work has ended.
"""

from __future__ import annotations

import os
import threading
import time

os.environ["NAPARI_CONFIG"] = ""

import napari
import numpy as np
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtWidgets import QApplication

from fakes.detector import DETECTOR_CARDS, FakeDetector
from fakes.widgets import CARD, FakeEngine
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.planes.widget import PlanesWidget
from napari_metasr.widgets.zoom import beyond

WAYS = {
    "by a script": lambda viewer: viewer.close(),
    "by its button": lambda viewer: viewer.window._qt_window.close(),
}


def turn(seconds: float = 0.0) -> None:
    """Run Qt's event loop, and delete what is to be deleted."""
    end = time.monotonic() + seconds
    while True:
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        if time.monotonic() >= end:
            return


def zoom(viewer, gate):
    """Have the zoom dock encode a slice."""
    engine = FakeEngine()
    engine.gate = gate
    dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
    return dock, lambda: engine.encoded


def counting(viewer, gate):
    """Have the zoom dock count what lies beyond the local range."""
    counted = []
    beyond._counted = lambda *_: counted.append(1) or gate.wait(20)
    dock = MetaSRZoomWidget(viewer, FakeEngine().factory, {"fake": CARD})
    return dock, lambda: counted


def planes(viewer, gate):
    """Have the three planes encode their slices."""
    engine = FakeEngine()
    engine.gate = gate
    return PlanesWidget(viewer, engine.factory), lambda: engine.encoded


def lesions(viewer, gate):
    """Have the lesion dock search a slice."""
    detector = FakeDetector()
    detector.gate = gate
    dock = LesionWidget(viewer, detector.factory, DETECTOR_CARDS, lambda: None)
    return dock, lambda: dock.coordinator.is_waiting


def closed_while_working(begins, close) -> None:
    """Close a window once the work of its docks has begun, and let the work end then."""
    gate, viewer = threading.Event(), napari.Viewer()
    viewer.add_image(np.random.default_rng(0).normal(100, 20, (9, 48, 40)), name="t1c")
    docks, has_begun = zip(*(begin(viewer, gate) for begin in begins), strict=True)
    for dock in docks:
        viewer.window.add_dock_widget(dock, area="right")
    turn(0.1)
    for dock in docks:
        if isinstance(dock, LesionWidget):
            dock.detect.click()
    deadline = time.monotonic() + 60
    while not all(begun() for begun in has_begun) and time.monotonic() < deadline:
        turn(0.02)
    assert all(begun() for begun in has_begun), "the work has not begun"
    coordinators = [dock.coordinator for dock in docks]
    close(viewer)
    turn(0.1)
    gate.set()
    assert QThreadPool.globalInstance().waitForDone(20_000), "the work has not ended"
    turn(0.1)
    assert all(coordinator._closed for coordinator in coordinators)


def main() -> None:
    """Close a window with every kind of work in every way."""
    zooming = (zoom, counting)
    for (way, close), work in zip(WAYS.items(), zooming, strict=True):
        closed_while_working((work, planes, lesions), close)
        print(f"closed {way}", flush=True)


if __name__ == "__main__":
    main()
