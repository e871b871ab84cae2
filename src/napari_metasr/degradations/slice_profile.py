"""Low resolution across slices: thick slices, with or without gaps between them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry.grids import AxisGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTHS_IN_HALF_MAXIMUM = 2 * math.sqrt(2 * math.log(2))


def slice_profile_matrix(n_in: int, n_out: int, thickness: float = 1.0) -> NDArray[np.float64]:
    """Return the (n_out, n_in) matrix that averages thin slices over the profile of each thick one.

    See ``slice_profile_on``, for numbers of slices whose spacings are related by
    r = n_in / n_out.
    """
    return slice_profile_on(AxisGrid(n_in, n_out), thickness)


@lru_cache(maxsize=256)
def slice_profile_on(grid: AxisGrid, thickness: float = 1.0) -> NDArray[np.float64]:
    """Return the (thick, thin) matrix that averages thin slices over the profile of each thick one.

    A Gaussian, the usual model of a two-dimensional acquisition's profile, centred on the thick
    slice's cell, with its full width at half maximum equal to the slice thickness (as Zhao et
    al. 2021, SMORE, simulate thick slices). Each row sums to 1, also at the ends, where part of
    the profile lies outside. An axis that keeps its number of slices stays as it is.

    Parameters
    ----------
    grid
        The thick slices (its output) on the thin ones (its input), r apart.
    thickness
        As a share of the new spacing r: 1 for slices that touch, less for gaps between them,
        more for slices that overlap. At 0 the thin slice at the centre is taken, or the mean of
        the two that are equally near.

    Raises
    ------
    ValueError
        If the thickness is negative or not finite.
    """
    if not 0 <= thickness < math.inf:
        raise ValueError(f"expected a slice thickness of at least 0 spacings, found {thickness}")
    thin = AxisGrid(grid.input, grid.input).positions()
    squares = (grid.positions()[:, None] - thin) ** 2
    farther = squares - squares.min(axis=1, keepdims=True)  # so that the nearest weighs 1
    if thickness == 0 or grid.is_identity:
        matrix = (farther == 0).astype(np.float64)
    else:
        width = thickness * float(grid.step) / WIDTHS_IN_HALF_MAXIMUM
        with np.errstate(over="ignore"):
            matrix = np.exp(-farther / (2 * width) / width)
    matrix /= matrix.sum(axis=1, keepdims=True)
    matrix.flags.writeable = False
    return matrix
