"""The event loop of a window that is measured: run until nothing is left, and its longest stall."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEventLoop, QTimer
from qtpy.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable

CALM = 0.2
"""Seconds that `settled` runs the event loop before it looks whether work is left, and after."""


def run_until(done: Callable[[], bool], seconds: float = 120.0) -> bool:
    """Run the event loop until something is done; return whether it was within the seconds."""
    end = time.perf_counter() + seconds
    while not done():
        if time.perf_counter() >= end:
            return False
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
    return True


def settle(seconds: float = 0.3) -> None:
    """Run the event loop for a while."""
    run_until(lambda: False, seconds)


def settled(docks: list[Any], seconds: float = 120.0) -> None:
    """Run the event loop until no dock has anything left to do."""
    end = time.perf_counter() + seconds
    settle(CALM)
    while any(dock.coordinator.is_waiting for dock in docks) and time.perf_counter() < end:
        settle(0.05)
    settle(CALM)


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
