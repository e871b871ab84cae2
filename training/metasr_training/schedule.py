"""Where in its schedule a run is, by updates or by the clock."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metasr_training.stage import RateRule, Stage


def learning_rate(rule: RateRule, progress: float, update: int) -> float:
    """Compute the rate at a share ``progress`` (0..1) of a stage, after ``update`` updates."""
    if rule.shape == "cosine":
        fall = rule.factor + (1 - rule.factor) * (1 + math.cos(math.pi * progress)) / 2
    else:
        fall = rule.factor ** math.floor(progress / rule.every + 1e-9)
    rise = min(1.0, (update + 1) / rule.warm_up) if rule.warm_up else 1.0
    return rule.initial * fall * rise


@dataclass(frozen=True)
class Place:
    """A place in the schedule: the stage, the share of it and the updates that are behind."""

    stage: int
    progress: float
    updates: int


@dataclass(frozen=True)
class Schedule:
    """Stages one after another.

    Attributes
    ----------
    lengths
        Updates of each stage.
    budget
        Seconds for all of them, if the clock counts too.
    """

    lengths: tuple[int, ...]
    budget: float | None = None

    @classmethod
    def of(
        cls, stages: Sequence[Stage], updates_per_epoch: Sequence[int], budget: float | None
    ) -> Schedule:
        """Make the schedule of stages from the number of updates in their epochs."""
        lengths = [
            stage.updates or max(round((stage.epochs or 0) * epoch), 1)
            for stage, epoch in zip(stages, updates_per_epoch, strict=True)
        ]
        return cls(tuple(lengths), budget)

    @property
    def total(self) -> int:
        """Updates of all stages."""
        return sum(self.lengths)

    def behind(self, update: int, elapsed: float) -> float:
        """Return the progress in updates: those done, or those that the clock stands for."""
        by_clock = elapsed / self.budget * self.total if self.budget else 0.0
        return min(max(float(update), by_clock), float(self.total))

    def place(self, behind: float) -> Place:
        """Locate a progress in the schedule; past the end it is the end of the last stage."""
        first = 0
        for index, length in enumerate(self.lengths):
            if behind < first + length:
                return Place(index, (behind - first) / length, int(behind - first))
            first += length
        return Place(len(self.lengths) - 1, 1.0, self.lengths[-1])
