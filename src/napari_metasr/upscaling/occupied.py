"""Find where a volume holds more than background: the parts of slices that networks work on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Place = tuple[slice, ...]
    Extent = NDArray[np.int32]

AXES = 3


@dataclass(frozen=True)
class Occupied:
    """The extent of what is not background in every slice, along every axis.

    Attributes
    ----------
    starts, stops
        For each of the axes z, y, x along which slices are stacked, (times, slices, 3): where
        along z, y, x a slice holds more than background, from and up to. Along its own axis that
        is 0 and 1, and in slices of nothing but background 0 and 0.
    """

    starts: tuple[Extent, ...]
    stops: tuple[Extent, ...]

    @classmethod
    def of(
        cls,
        shape: Sequence[int],
        blocks: Iterable[tuple[Place, NDArray[Any]]],
        background: float,
    ) -> Occupied:
        """Look a volume through, block by block.

        What is kept are three shadows of one time point at a time, and the extents.

        Parameters
        ----------
        shape
            (t, z, y, x).
        blocks
            Every block of the volume with its place, in the order of time points, each of one.
        background
            The value of the background, to which values belong that are not finite, too.
        """
        times, *size = shape
        starts, stops = (
            tuple(np.zeros((times, count, AXES), np.int32) for count in size) for _ in range(2)
        )
        for time, of_time in groupby(blocks, lambda found: found[0][0].start):
            shadows = [np.zeros(np.delete(size, axis), bool) for axis in range(AXES)]
            for (_, *place), (block,) in of_time:
                tissue = block != background
                if block.dtype.kind == "f":
                    tissue &= np.isfinite(block)
                for axis, shadow in enumerate(shadows):
                    kept = tuple(np.delete(np.array(place, object), axis))
                    shadow[kept] |= tissue.any(axis=axis)
            for axis in range(AXES):
                _measure(shadows, axis, starts[axis][time], stops[axis][time])
        return cls(starts, stops)


def _measure(shadows: list[NDArray[np.bool_]], axis: int, starts: Extent, stops: Extent) -> None:
    """Find where every slice along an axis begins and ends, from the shadows along all axes."""
    others = [other for other in range(AXES) if other != axis]
    for other, across in (others, others[::-1]):
        shadow = shadows[across] if axis < other else shadows[across].T
        filled = shadow.any(axis=1)
        starts[:, other] = np.where(filled, shadow.argmax(axis=1), 0)
        last = shadow.shape[1] - shadow[:, ::-1].argmax(axis=1)
        stops[:, other] = np.where(filled, last, 0)
        stops[:, axis] = filled
