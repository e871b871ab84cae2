"""Slices with very short sides, which are hardly anything but border to a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SHORT_SIDE", "mirrored"]

SHORT_SIDE = 8
"""Sides of fewer pixels than this are continued; at longer ones the border is a small part."""

CONTINUED = 16
"""Pixels that are put on each end of a short side."""


def mirrored(part: NDArray[Any], shape: tuple[int, int]) -> tuple[NDArray[Any], tuple[int, int]]:
    """Continue the short sides of a slice by its mirror images.

    Convolutions see zeros beyond a border. On a side of a few pixels those outweigh the image, and
    take its brightness away.

    Parameters
    ----------
    part
        (rows, columns), of a slice; along a short side it is all of the slice.
    shape
        Of the slice.

    Returns
    -------
    part
        The same, or with `CONTINUED` more pixels on both ends of each side along which the slice is
        shorter than `SHORT_SIDE`.
    added
        How many rows and columns are before the first ones.
    """
    rows, columns = (CONTINUED if size < SHORT_SIDE else 0 for size in shape)
    if not (rows or columns):
        return part, (0, 0)
    return np.pad(part, ((rows, rows), (columns, columns)), mode="symmetric"), (rows, columns)
