"""A range of output pixels by separable interpolation, a block at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.resampling import resampling_band

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from napari_metasr.geometry.grids import AxisGrid, OutputGrid, PixelRange

BLOCK = 1024

Reader = Callable[[slice, slice], "NDArray[Any]"]
"""Rows and columns of the input image that are wanted, to these pixels."""


def resample(
    read: Reader,
    grid: OutputGrid,
    pixels: PixelRange,
    method: str,
    out: NDArray[np.float32],
    *,
    block: int = BLOCK,
) -> None:
    """Fill ``out`` with a range of output pixels.

    A pixel's value is one and the same, to the bit, in whatever range it is asked for.

    Parameters
    ----------
    read
        Gives parts of the input image.
    grid
        From the input image to the output.
    pixels
        The output pixels (i0, j0, i1, j1).
    method
        ``nearest`` or a kernel of ``napari_metasr.resampling``; antialiased where it reduces.
    out
        (i1 - i0, j1 - j0).
    block
        Rows and columns of the output that are filled at a time.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    i0, j0, i1, j1 = pixels
    for top in range(i0, i1, block):
        bottom = min(top + block, i1)
        rows, left_matrix = _band(grid.rows, method, top, bottom)
        for left in range(j0, j1, block):
            right = min(left + block, j1)
            columns, right_matrix = _band(grid.columns, method, left, right)
            wide = right_matrix.astype(np.float32) @ read(rows, columns).T.astype(np.float32)
            filled = left_matrix.astype(np.float32) @ np.ascontiguousarray(wide.T)
            out[top - i0 : bottom - i0, left - j0 : right - j0] = filled


def _band(axis: AxisGrid, method: str, start: int, stop: int) -> tuple[slice, csr_array]:
    return resampling_band(axis.input, axis.output, method, start, stop, axis.exact_step)
