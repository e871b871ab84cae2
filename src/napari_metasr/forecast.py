"""Forecast how long work will still take, corrected by how long its stages have taken so far."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Forecast"]

ENOUGH = 0.02
"""Share that must be measured before work of unknown speed is forecast."""

TRUSTED = 0.01
"""Share of a stage, or of a group, that weighs as much, once measured, as what was expected."""


@dataclass
class _Stage:
    """What is expected of a stage, and what came of it.

    Attributes
    ----------
    cost, done
        Cost of the stage, and of the part that is done.
    group
        Stages whose speeds are alike.
    measured, seconds
        Cost of what was done while the clock ran, and how long it took.
    """

    cost: float
    group: Hashable
    done: float = 0.0
    measured: float = 0.0
    seconds: float = 0.0

    def is_done(self, done: float) -> None:
        self.done = max(self.done, min(done, self.cost))


class Forecast:
    """Told how far each stage of some work is, it says how long the rest will take.

    The speed of a stage is the one expected, until it has been measured; a stage that has not
    begun is as much faster or slower than expected as others of its group were.

    Parameters
    ----------
    is_timed
        Whether costs are the seconds that are expected, so that there is a forecast from the
        start; otherwise they are of any unit, and there is one after a part of the work.
    clock
        Seconds.
    """

    def __init__(
        self, *, is_timed: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._is_timed, self._clock = is_timed, clock
        self._stages: dict[Hashable, _Stage] = {}
        self._last = self._begun = clock()
        self._overall = 0.0

    @classmethod
    def of_one_stage(cls, clock: Callable[[], float] = time.monotonic) -> Forecast:
        """Return one of work in a single stage of unknown speed: see `reach_share`."""
        forecast = cls(clock=clock)
        forecast.expect(None, 1.0)
        return forecast

    def expect(self, stage: Hashable, cost: float, group: Hashable = None) -> None:
        """Expect a stage, or expect something else of it, which has not begun.

        Parameters
        ----------
        stage
            Any name.
        cost
            Of all of it.
        group
            The group of stages whose speeds are alike.
        """
        self._stages[stage] = _Stage(cost, group)

    def cost(self, stage: Hashable) -> float:
        """Return what is expected of a stage."""
        return self._stages[stage].cost

    def skip(self, stage: Hashable, cost: float) -> None:
        """Note that so much of a stage was done before, in time that is not known."""
        self._stages[stage].is_done(cost)

    def wait(self) -> None:
        """Note that the time since the last note was spent on none of the stages."""
        self._last = self._clock()

    def reach(self, stage: Hashable, cost: float) -> None:
        """Note that so much of a stage is done now, by the work since the last note."""
        now, one = self._clock(), self._stages[stage]
        before = one.done
        one.is_done(cost)
        one.measured += one.done - before
        one.seconds += now - self._last
        self._last = now

    def reach_share(self, share: float) -> None:
        """Note that this share of work in one stage is done; the first note begins it."""
        if self._stages[None].done:
            self.reach(None, share)
        else:
            self.skip(None, share)
            self.wait()

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return self._clock() - self._begun

    @property
    def overall(self) -> float:
        """Share of the whole work that is done, 0 to 1, by time; it never decreases."""
        done = sum(one.done * self._pace(one) for one in self._stages.values())
        left = self._rest()
        self._overall = max(self._overall, done / (done + left) if done + left else 0.0)
        return self._overall

    @property
    def left(self) -> float | None:
        """Seconds until the end, at the last note; None before there is a forecast."""
        stages = self._stages.values()
        if not self._is_timed:
            whole = sum(one.cost for one in stages)
            if sum(one.measured for one in stages) <= ENOUGH * whole:
                return None
        return self._rest()

    @property
    def seconds(self) -> float | None:
        """Seconds until the end, from now; None before there is a forecast."""
        left = self.left
        return None if left is None else max(left - (self._clock() - self._last), 0.0)

    def _rest(self) -> float:
        return sum((one.cost - one.done) * self._pace(one) for one in self._stages.values())

    def _pace(self, stage: _Stage) -> float:
        """Return the seconds that a unit of a stage's cost takes."""
        expected = self._group_pace(stage.group)
        weight = TRUSTED * stage.cost
        if not weight:
            return expected
        return (weight * expected + stage.seconds) / (weight + stage.measured)

    def _group_pace(self, group: Hashable) -> float:
        """Return the seconds that a unit of cost of a group takes, as far as is known."""
        alike = [one for one in self._stages.values() if one.group == group]
        weight = TRUSTED * sum(one.cost for one in alike) if self._is_timed else 0.0
        cost = weight + sum(one.measured for one in alike)
        return (weight + sum(one.seconds for one in alike)) / cost if cost else 1.0
