"""The event loop of a window that is measured: run until nothing is left, and its longest stall."""

from __future__ import annotations

import time
from typing import Any

from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

WINDOW_SIZE = (1500, 950)


def settle(seconds: float = 0.3) -> None:
    """Run the event loop for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)


def settled(docks: list[Any], seconds: float = 120.0) -> None:
    """Run the event loop until no dock has anything left to do."""
    end = time.perf_counter() + seconds
    settle(0.2)
    while any(dock.coordinator.is_waiting for dock in docks) and time.perf_counter() < end:
        settle(0.05)
    settle(0.2)


class Heart:
    """Beats as often as the event loop lets it, and knows the longest time between two beats."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._last = self._worst = 0.0

    def start(self) -> None:
        """Begin to beat."""
        self._last, self._worst = time.perf_counter(), 0.0
        self._timer.start(1)

    def stop(self) -> float:
        """Beat no more; return the longest gap in seconds."""
        self._beat()
        self._timer.stop()
        return self._worst

    def _beat(self) -> None:
        now = time.perf_counter()
        self._last, self._worst = now, max(self._worst, now - self._last)
