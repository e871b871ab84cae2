"""Estimate the cost of each stage of the work, so that the time left can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.plan import Plan

# Cost per voxel of each stage, in hundredths of the network's cost per input pixel (two cores).
READ = 0.5
SEARCHED = 50.0
NETWORK_INPUT = 100.0
NETWORK_OUTPUT = 1.0
COMPRESSED = 0.5


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
    """

    reading: float
    searching: float
    parts: Sequence[float]
    compressing: float

    @classmethod
    def of(cls, plan: Plan) -> Costs:
        """Estimate the costs of a plan from its numbers of voxels."""
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
        )

    @property
    def total(self) -> float:
        """Cost of all stages."""
        return self.reading + self.searching + sum(self.parts) + self.compressing

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
        return 1 - self.compressing * (1 - share) / self.total
