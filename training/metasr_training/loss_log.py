"""Losses since the last line of the log, and how quickly they came."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

from metasr_training.stopwatch import Stopwatch


class LossLog:
    """Losses that are not in the log yet.

    Attributes
    ----------
    stopwatch
        Runs while batches are drawn and updates made; not in pauses, validation and checkpoints.
    """

    def __init__(self) -> None:
        self.stopwatch = Stopwatch()
        self._found: dict[str, list[float]] = defaultdict(list)
        self._update, self._worked = 0, 0.0

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, losses: Mapping[str, float]) -> None:
        """Add the losses of an update."""
        for name, value in losses.items():
            self._found[name].append(value)

    @property
    def means(self) -> dict[str, float]:
        """Mean of every loss."""
        return {name: math.fsum(found) / len(found) for name, found in self._found.items()}

    def speed(self, update: int) -> float:
        """Return the updates a second since the last line."""
        seconds = self.stopwatch.elapsed - self._worked
        return (update - self._update) / max(seconds, 1e-9)

    def begin_line(self, update: int) -> None:
        """Measure the speed from an update on."""
        self._update, self._worked = update, self.stopwatch.elapsed

    def clear(self) -> None:
        """Forget the losses, which are in the log now."""
        self._found.clear()

    def state(self) -> dict[str, list[float]]:
        """Return what a resume needs."""
        return dict(self._found)

    def load_state(self, state: Mapping[str, list[float]]) -> None:
        """Go on from a checkpoint."""
        self._found = defaultdict(list, state)
