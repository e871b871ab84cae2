"""Low resolution by averaging over wider pixels, blurred besides."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from napari_metasr.degradations.slice_profile import WIDTHS_IN_HALF_MAXIMUM
from napari_metasr.geometry.grids import AxisGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _ramp(distance: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return the integral from -infinity of a normal distribution's cumulative function."""
    if width == 0:
        return np.maximum(distance, 0)
    z = distance / width
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return width * (z * ndtr(z) + density)


@lru_cache(maxsize=64)
def blurred_box_matrix(n_in: int, n_out: int, fwhm: float = 0.0) -> NDArray[np.float64]:
    """Return the (n_out, n_in) matrix that averages over each wider pixel, blurred by a Gaussian.

    The weight of an input pixel is the integral over it of the output pixel's box convolved with
    the Gaussian, so that no blur gives the exact mean over the area. Each row sums to 1, also at
    the borders, where part of the blur lies outside.

    Parameters
    ----------
    fwhm
        Full width at half maximum of the Gaussian, in output pixels.

    Raises
    ------
    ValueError
        If it is negative or not finite.
    """
    if not 0 <= fwhm < math.inf:
        raise ValueError(f"expected a blur of at least 0 pixels, found {fwhm}")
    grid = AxisGrid(n_in, n_out)
    step = float(grid.step)
    width = fwhm * step / WIDTHS_IN_HALF_MAXIMUM
    apart = AxisGrid(n_in, n_in).positions() - grid.positions()[:, None]
    outer, inner = (step + 1) / 2, (step - 1) / 2
    matrix = (
        _ramp(apart + outer, width)
        - _ramp(apart + inner, width)
        - _ramp(apart - inner, width)
        + _ramp(apart - outer, width)
    ).clip(0)
    matrix /= matrix.sum(axis=1, keepdims=True)
    matrix.flags.writeable = False
    return matrix
