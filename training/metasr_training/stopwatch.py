"""Time that counts against a budget: pauses do not."""

from __future__ import annotations

import time
from collections import deque
from statistics import median

SHORTEST_PAUSE = 30.0
PAUSE = 20
REMEMBERED = 50


class Stopwatch:
    """Adds up the time between ticks, validation and checkpoints included.

    An interval is a pause (the process was stopped, the lid was closed) when it takes more than 30
    seconds and more than twenty times as long as usual; it counts as usual.

    Parameters
    ----------
    elapsed
        Seconds that were counted before.
    """

    def __init__(self, elapsed: float = 0.0) -> None:
        self.elapsed = elapsed
        self._last = time.perf_counter()
        self._intervals: deque[float] = deque(maxlen=REMEMBERED)

    def start(self) -> None:
        """Begin an interval."""
        self._last = time.perf_counter()

    def tick(self) -> None:
        """End an interval, and begin the next."""
        now = time.perf_counter()
        self.count(now - self._last)
        self._last = now

    def count(self, interval: float) -> None:
        """Count an interval of so many seconds."""
        if self._intervals:
            usual = median(self._intervals)
            if interval > max(SHORTEST_PAUSE, PAUSE * usual):
                interval = usual
        self._intervals.append(interval)
        self.elapsed += interval
