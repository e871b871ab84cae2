"""What the stages of the work cost, so that the time left can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.plan import Plan

READ = 0.5
LOOKED_AT = 50.0
ENLARGED_FROM = 100.0
ENLARGED_TO = 1.0
COMPRESSED = 0.5
"""Of a voxel, as a share of what a hundredth of an input pixel costs a network on two cores."""


@dataclass(frozen=True)
class Costs:
    """Costs of the stages, in any unit.

    Attributes
    ----------
    reading
        Of unpacking the input and measuring it.
    looking
        Of looking for lesions.
    parts
        Of enlarging each part, in order.
    compressing
        Of the output.
    """

    reading: float
    looking: float
    parts: Sequence[float]
    compressing: float

    @classmethod
    def of(cls, plan: Plan) -> Costs:
        """Estimate them by the numbers of voxels."""
        parts = []
        for part in plan.parts:
            before, after = part.way.pixels
            parts.append((part.last - part.first) * (before * ENLARGED_FROM + after * ENLARGED_TO))
        times, *size = plan.volume.shape
        voxels = float(np.prod(size, dtype=float))
        return cls(
            reading=READ * times * voxels,
            looking=0.0 if plan.search is None else LOOKED_AT * voxels,
            parts=parts,
            compressing=COMPRESSED * times * float(np.prod(plan.target.shape, dtype=float)),
        )

    @property
    def total(self) -> float:
        """Of all stages."""
        return self.reading + self.looking + sum(self.parts) + self.compressing

    def read(self, share: float) -> float:
        """How much of the whole is done when a share of the input is read."""
        return self.reading * share / self.total

    def looked(self, share: float) -> float:
        """How much of the whole is done when a share of the slices is looked at."""
        return (self.reading + self.looking * share) / self.total

    def enlarged(self, count: int) -> float:
        """How much of the whole is done after so many parts."""
        return (self.reading + self.looking + sum(self.parts[:count])) / self.total

    def compressed(self, share: float) -> float:
        """How much of the whole is done when a share of the output is compressed."""
        return 1 - self.compressing * (1 - share) / self.total
