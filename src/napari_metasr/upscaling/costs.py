"""Estimate the cost of each stage of the work, so that the time left can be told."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.upscaling.progress import Phase
from napari_metasr.upscaling.target import upscaled_box

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_metasr.lesions.lesion import Box
    from napari_metasr.upscaling.occupied import Occupied
    from napari_metasr.upscaling.parts import Part, Pass
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.progress import Stage
    from napari_metasr.zoom.engine import ZoomModel

# Cost per voxel of each stage, in hundredths of the network's cost per input pixel (two cores).
READ = 0.5
MEASURED = 1.0
SEARCHED = 30.0
LOOKED_AT = 10.0
NETWORK_INPUT = 100.0
NETWORK_OUTPUT = 1.0
INTERPOLATED = 0.15
FUSED = 0.25
COMPRESSED = 0.5
LABELLED = 2.0

REACH = 16
"""Pixels around what is not background that networks see as well; some see a few more."""
FOUND_SHARE = 0.05
"""Share of a head in boxes around lesions, as long as these are still looked for."""
CORE_SECONDS = 5.5e-8
"""Seconds a CPU core takes for a unit of cost, measured once: until this machine is measured."""
MOST_CORES = 8
"""More of them hardly make it faster."""
PROBE_SIDE = 96
"""Pixels along the sides of the slice that a machine's speed is measured on."""
PROBE_REPEATS = 3


@dataclass(frozen=True)
class Costs:
    """Costs of the stages, in one arbitrary unit.

    Attributes
    ----------
    phases
        Cost of each phase beside the passes.
    passes
        Costs of the parts of each pass, of all time points, in order.
    """

    phases: Mapping[Phase, float]
    passes: Mapping[PassKind, Sequence[float]]

    @classmethod
    def of(cls, plan: Plan, occupied: Occupied | None = None, segmentations: int = 0) -> Costs:
        """Estimate the costs of a plan.

        Parameters
        ----------
        occupied
            Where the input holds more than background, once that is known; networks work on
            little else.
        segmentations
            Number of segmentations that come along.
        """
        times, *size = plan.volume.shape
        before = float(np.prod(size, dtype=float))
        after = float(np.prod(plan.target.shape, dtype=float))
        passes: dict[PassKind, list[float]] = {run.kind: [] for run in plan.passes}
        for part in plan.parts:
            passes[part.run.kind].append(_cost(plan, part, occupied))
        phases = {
            Phase.READING: READ * times * before,
            Phase.MEASURING: MEASURED * times * before,
            Phase.SEARCHING: 0.0 if plan.search is None else SEARCHED * before,
            Phase.COMPRESSING: COMPRESSED * times * after,
            Phase.LABELLING: LABELLED * segmentations * (before + after),
        }
        return cls(phases, passes)

    @property
    def stages(self) -> dict[Stage, float]:
        """Cost of each stage."""
        stages: dict[Stage, float] = {kind: sum(parts) for kind, parts in self.passes.items()}
        stages.update(self.phases.items())
        return stages

    @property
    def total(self) -> float:
        """Cost of all stages."""
        return sum(self.stages.values())


def usable_cores() -> int:
    """Count the CPU cores that this process may use to some effect."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return min(count, MOST_CORES)


def usual_speed() -> float:
    """Return the seconds that a unit of cost takes on a CPU like this one, unmeasured."""
    return CORE_SECONDS / usable_cores()


def measured_speed(model: ZoomModel) -> float:
    """Return the seconds that a unit of cost takes here, measured on a small slice.

    It is the median of a few; the first one is not counted, as it compiles what is compiled on
    first use.
    """
    grid = OutputGrid.at_scale(
        (PROBE_SIDE, PROBE_SIDE), (2, 1) if model.card.super_resolves_across_slices else 2
    )
    image = np.random.default_rng(0).random(grid.input_shape, dtype=np.float32)
    pixels, seconds = grid.pixel_range(), []
    for _ in range(1 + PROBE_REPEATS):
        started = time.perf_counter()
        encoded = model.encode(image, intensity_range=(0.0, 1.0), value_range=(0.0, 1.0))
        model.render_pixels(encoded, grid, pixels)
        seconds.append(time.perf_counter() - started)
    return median(seconds[1:]) / _probe_cost(grid)


def is_worth_measuring(cost: float) -> bool:
    """Return whether work of this cost takes much longer than `measured_speed`."""
    probe = _probe_cost(OutputGrid.at_scale((PROBE_SIDE, PROBE_SIDE), 2))
    return cost > 50 * (1 + PROBE_REPEATS) * probe


def _probe_cost(grid: OutputGrid) -> float:
    before, after = math.prod(grid.input_shape), math.prod(grid.output_shape)
    return (NETWORK_INPUT + LOOKED_AT) * before + NETWORK_OUTPUT * after


def _cost(plan: Plan, part: Part, occupied: Occupied | None) -> float:
    """Return the cost of a part."""
    before, after = part.run.pixels
    count, boxes = part.last - part.first, plan.options.boxes
    seen = np.full(count, float(before))
    if boxes:
        seen = _in_boxes(part, _as_read(plan, part.run, boxes))
    elif occupied is not None:
        seen = _not_background(plan, part, occupied)
    if plan.search is not None and not boxes:
        seen = FOUND_SHARE * seen
    by_network = NETWORK_INPUT + NETWORK_OUTPUT * after / before
    looked_at = LOOKED_AT * before * int(np.count_nonzero(seen))
    filled = INTERPOLATED if plan.is_partial else 0.0
    filled += FUSED if part.run.kind is PassKind.SECOND_VIEW else 0.0
    return looked_at + filled * after * count + by_network * float(seen.sum())


def _not_background(plan: Plan, part: Part, occupied: Occupied) -> NDArray[np.float64]:
    """Return the pixels of each slice that a network sees, the rest being background."""
    run, size = part.run, plan.volume.shape[1:]
    stacked, *sides = run.axes
    slices = np.arange(part.first, part.last) * size[stacked] // run.count
    starts, stops = (
        found[stacked][part.time, slices] for found in (occupied.starts, occupied.stops)
    )
    seen = np.ones(len(slices))
    for axis, side in zip(sides, run.grid.input_shape, strict=True):
        finer = side / size[axis]  # a pass may read what another one has made finer
        first = np.maximum(starts[:, axis] * finer - REACH, 0)
        seen *= np.minimum(stops[:, axis] * finer + REACH, side) - first
    return np.where(stops[:, stacked], seen, 0.0)


def _in_boxes(part: Part, boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Return the pixels of each slice that a network sees, in boxes in the voxels of the pass."""
    stacked, *sides = part.run.axes
    slices = np.arange(part.first, part.last)
    seen = np.zeros(len(slices))
    for box in boxes:
        area = 1.0
        for axis, side in zip(sides, part.run.grid.input_shape, strict=True):
            start, stop = box[axis]
            area *= max(min(stop + REACH, side) - max(start - REACH, 0), 0)
        seen += area * ((box[stacked][0] < slices + 1) & (box[stacked][1] > slices))
    return seen


def _as_read(plan: Plan, run: Pass, boxes: Sequence[Box]) -> Sequence[Box]:
    """Return boxes in the voxels that a pass reads."""
    if run.kind is PassKind.IN_PLANE:
        return boxes
    normal = plan.options.plane.normal_axis
    return [upscaled_box(box, plan.target, normal) for box in boxes]
