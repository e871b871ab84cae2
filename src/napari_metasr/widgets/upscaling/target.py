"""How fine the output is to be, and the same grid told another way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Numbers = tuple[float, float, float]

DECIMALS = 6


class TargetKind(StrEnum):
    """What a target's numbers mean; the values are names of options."""

    SCALE = "scale"
    SPACING = "spacing"

    @property
    def label(self) -> str:
        """The kind's name in a window."""
        return {TargetKind.SCALE: "Scale", TargetKind.SPACING: "Spacing, mm"}[self]

    @property
    def limits(self) -> tuple[float, float]:
        """The smallest and the largest number."""
        return {TargetKind.SCALE: (1.0, 100.0), TargetKind.SPACING: (0.01, 100.0)}[self]


@dataclass(frozen=True)
class Target:
    """A target.

    Attributes
    ----------
    kind
        Whether the numbers are output voxels for each input voxel, or mm between output voxels.
    numbers
        Along z, y, x.
    same
        Whether one number is meant for all axes.
    """

    kind: TargetKind
    numbers: Numbers
    same: bool

    @classmethod
    def isotropic(cls, spacing: Numbers) -> Target:
        """Make the target of cubes of a volume's finest spacing, given that along z, y, x."""
        finest = rounded(min(spacing))
        return cls(TargetKind.SPACING, (finest, finest, finest), same=True)

    def as_kind(self, kind: TargetKind, spacing: Numbers) -> Target:
        """Return the same grid told the other way, of a volume of this spacing."""
        if kind is self.kind:
            return self
        z, y, x = (
            rounded(size / number) for size, number in zip(spacing, self.numbers, strict=True)
        )
        return Target(kind, (z, y, x), same=z == y == x)

    def along(self, axes: Sequence[int]) -> tuple[float, ...]:
        """Write it as options have it: one number, or three along a file's axes."""
        return self.numbers[:1] if self.same else tuple(self.numbers[axis] for axis in axes)


def rounded(number: float) -> float:
    """Return a number as the control shows it."""
    return float(f"{number:.{DECIMALS}g}")
