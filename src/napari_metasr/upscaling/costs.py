"""Estimate the cost of each stage of the work, so that the time left can be told."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry.grids import OutputGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.zoom.engine import ZoomModel

# Cost per voxel of each stage, in hundredths of the network's cost per input pixel (two cores).
READ = 0.5
SEARCHED = 50.0
NETWORK_INPUT = 100.0
NETWORK_OUTPUT = 1.0
COMPRESSED = 0.5
LABELLED = 2.0
PROBE_SIDE = 96
"""Pixels along the sides of the slice that a machine's speed is measured on."""
PROBE_REPEATS = 3


@dataclass(frozen=True)
class Costs:
    """Costs of the stages, in one arbitrary unit.

    Attributes
    ----------
    reading
        Cost of unpacking the input and measuring it.
    searching
        Cost of looking for lesions.
    parts
        Cost of upscaling each part, in order.
    compressing
        Cost of compressing the output.
    labelling
        Cost of putting segmentations on the output's grid.
    """

    reading: float
    searching: float
    parts: Sequence[float]
    compressing: float
    labelling: float = 0.0

    @classmethod
    def of(cls, plan: Plan, segmentations: int = 0) -> Costs:
        """Estimate the costs of a plan, with so many segmentations, from numbers of voxels."""
        parts = []
        for part in plan.parts:
            before, after = part.run.pixels
            pixels = before * NETWORK_INPUT + after * NETWORK_OUTPUT
            parts.append((part.last - part.first) * pixels)
        times, *size = plan.volume.shape
        voxels = float(np.prod(size, dtype=float))
        return cls(
            reading=READ * times * voxels,
            searching=0.0 if plan.search is None else SEARCHED * voxels,
            parts=parts,
            compressing=COMPRESSED * times * float(np.prod(plan.target.shape, dtype=float)),
            labelling=LABELLED
            * segmentations
            * float(np.prod(plan.target.shape, dtype=float) + voxels),
        )

    @property
    def total(self) -> float:
        """Cost of all stages."""
        upscaling = self.reading + self.searching + sum(self.parts) + self.compressing
        return upscaling + self.labelling

    def read(self, share: float) -> float:
        """Return the share of the whole that is done once a share of the input is read."""
        return self.reading * share / self.total

    def searched(self, share: float) -> float:
        """Return the share of the whole that is done once a share of the slices is searched."""
        return (self.reading + self.searching * share) / self.total

    def upscaled(self, count: int) -> float:
        """Return the share of the whole that is done after ``count`` parts."""
        return (self.reading + self.searching + sum(self.parts[:count])) / self.total

    def compressed(self, share: float) -> float:
        """Return the share of the whole that is done once a share of the output is compressed."""
        return 1 - (self.compressing * (1 - share) + self.labelling) / self.total

    def labelled(self, share: float) -> float:
        """Return the share of the whole that is done once a share of the labels is."""
        return 1 - self.labelling * (1 - share) / self.total


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
    before, after = math.prod(grid.input_shape), math.prod(grid.output_shape)
    return median(seconds[1:]) / (NETWORK_INPUT * before + NETWORK_OUTPUT * after)
