"""Low resolution as a scanner makes it: the outer part of k-space is never sampled."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry.grids import AxisGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray


@lru_cache(maxsize=256)
def truncation_matrix(n_in: int, n_out: int) -> NDArray[np.complex128]:
    """The complex (n_out, n_in) matrix that keeps the ``n_out`` central frequencies of an axis.

    The discrete Fourier transform of ``n_in`` samples, cut to the frequencies
    ``-(n_out // 2) .. n_out - n_out // 2 - 1`` (the DC term at ``n_out // 2`` of the centred
    spectrum, for odd and even sizes), then the inverse transform evaluated at the centres of
    the ``n_out`` wider pixels, which is a phase ramp of (r - 1)/2 input samples, r = n_in / n_out.
    Intensities keep their scale: a constant stays the same constant.
    """
    positions = np.arange(n_in)
    frequencies = np.arange(n_out) - n_out // 2
    step, start = AxisGrid(n_in, n_out).place(1.0, 0.0)
    centres = start + step * np.arange(n_out)
    forward = np.exp(-2j * np.pi * np.outer(frequencies, positions) / n_in)
    inverse = np.exp(2j * np.pi * np.outer(centres, frequencies) / n_in) / n_in
    matrix: NDArray[np.complex128] = inverse @ forward
    matrix.flags.writeable = False
    return matrix
