"""How fine the output is to be, and the same grid told another way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["scale", "spacing"]
Numbers = tuple[float, float, float]

DECIMALS = 6


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

    kind: Kind
    numbers: Numbers
    same: bool

    @classmethod
    def isotropic(cls, spacing: Numbers) -> Target:
        """Make the target of cubes of a volume's finest spacing, given that along z, y, x."""
        finest = rounded(min(spacing))
        return cls("spacing", (finest, finest, finest), same=True)

    def as_kind(self, kind: Kind, spacing: Numbers) -> Target:
        """Return the same grid told the other way, of a volume of this spacing."""
        if kind == self.kind:
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
