"""The course of the work on one volume: how far it is, and how long the rest will take."""

from __future__ import annotations

import time
from itertools import accumulate
from typing import TYPE_CHECKING

from napari_metasr.forecast import Forecast
from napari_metasr.upscaling.costs import Costs, is_worth_measuring, measured_speed, usual_speed
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.upscaling.progress import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_metasr.upscaling.models import Models
    from napari_metasr.upscaling.occupied import Occupied
    from napari_metasr.upscaling.parts import Part
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.progress import Preview, Stage
    from napari_metasr.zoom.engine import ZoomModel

NETWORKS = "networks"
OTHER = "all but networks"


class Course:
    """Told what is done of the work on one volume, it says how far the work is.

    Parameters
    ----------
    plan
        Plan of the work.
    segmentations
        Number of segmentations that are to come along.
    is_packed
        Whether the output is compressed in the end.
    clock
        Seconds.
    """

    def __init__(
        self,
        plan: Plan,
        segmentations: int = 0,
        *,
        is_packed: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._forecast = Forecast(is_timed=True, clock=clock)
        self._speeds: dict[PassKind, float] = {}
        self._counts = {run.kind: 0 for run in plan.passes}
        self._costs = costs = Costs.of(plan, segmentations=segmentations)
        self._done: dict[PassKind, list[float]] = {}
        for phase, cost in costs.phases.items():
            is_left_out = phase is Phase.COMPRESSING and not is_packed
            seconds = 0.0 if is_left_out else cost * usual_speed()
            self._forecast.expect(phase, seconds, NETWORKS if phase is Phase.SEARCHING else OTHER)
        self._expect_passes(costs)

    def _expect_passes(self, costs: Costs) -> None:
        usual = max(self._speeds.values(), default=usual_speed())
        for kind, parts in costs.passes.items():
            speed = self._speeds.get(kind, usual)
            self._done[kind] = list(accumulate((speed * cost for cost in parts), initial=0.0))
            self._forecast.expect(kind, self._done[kind][-1], NETWORKS)

    def measure(self, models: Models) -> None:
        """Measure how fast the networks are here, where the work takes much longer than that."""
        measured: dict[int, float] = {}
        for kind, parts in self._costs.passes.items():
            model = _of(models, kind)
            if model is None or not is_worth_measuring(sum(parts)):
                continue
            if id(model) not in measured:
                measured[id(model)] = measured_speed(model)
            self._speeds[kind] = measured[id(model)]
        self._expect_passes(self._costs)
        self._forecast.wait()

    def begin_passes(self, plan: Plan, occupied: Occupied, parts: int = 0) -> None:
        """Expect what the passes cost, now that the input is known.

        Parameters
        ----------
        plan
            With the boxes around lesions, if those were looked for.
        occupied
            Where the input holds more than background.
        parts
            Number of parts that are done already.
        """
        self._expect_passes(Costs.of(plan, occupied))
        for part in plan.parts[:parts]:
            self._counts[part.run.kind] += 1
        for kind, count in self._counts.items():
            self._forecast.skip(kind, self._done[kind][count])
        self._forecast.wait()

    def skip_examination(self) -> None:
        """Note that what comes before the passes was done before."""
        for phase in (Phase.READING, Phase.MEASURING, Phase.SEARCHING):
            self._forecast.skip(phase, self._forecast.cost(phase))

    def skip_volume(self) -> None:
        """Note that all but the segmentations was done before."""
        self.skip_examination()
        for stage in (*self._counts, Phase.COMPRESSING):
            self._forecast.skip(stage, self._forecast.cost(stage))

    def computed(self, part: Part) -> None:
        """Note that the next part of a pass is computed."""
        kind = part.run.kind
        self._counts[kind] += 1
        self._forecast.reach(kind, self._done[kind][self._counts[kind]])

    def reached(self, phase: Phase, share: float) -> Progress:
        """Note that a share of a phase is done, and return the progress."""
        self._forecast.reach(phase, share * self._forecast.cost(phase))
        return self.progress(phase, share)

    def progress(self, stage: Stage, done: float, preview: Preview | None = None) -> Progress:
        """Return how far the work is, with a share of a stage done."""
        forecast = self._forecast
        return Progress(stage, done, forecast.overall, forecast.seconds or 0.0, preview)


def _of(models: Models, kind: PassKind) -> ZoomModel | None:
    return models.in_plane if kind is PassKind.IN_PLANE else models.through_plane
