"""Separable interpolation: kernels, and the matrices that apply them along an axis."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from napari_metasr.geometry.grids import AxisGrid

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from numpy.typing import NDArray


def box(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 in (-1/2, 1/2], and 0 elsewhere."""
    return ((x > -1 / 2) & (x <= 1 / 2)).astype(np.float64)


def triangle(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate linear interpolation."""
    return np.maximum(1 - np.abs(x), 0)


def keys_cubic(x: NDArray[np.float64], a: float = -1 / 2) -> NDArray[np.float64]:
    """Evaluate cubic convolution (Keys 1981, eq. 4), third-order accurate at a = -1/2."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x**2 + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def lanczos3(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sinc windowed by a sinc three times as wide (Duchon 1979)."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


KERNELS: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], float]] = {
    "box": (box, 1 / 2),
    "bilinear": (triangle, 1.0),
    "bicubic": (keys_cubic, 2.0),
    "lanczos": (lanczos3, 3.0),
}


@lru_cache(maxsize=512)
def resampling_band(
    n_in: int, n_out: int, kernel: str, start: int, stop: int, step: Fraction | None = None
) -> tuple[slice, csr_array]:
    """Return the part of an axis' resampling matrix that output pixels ``start .. stop - 1`` need.

    Pixel centres lie where `AxisGrid` puts them; ``step`` is its exact step, if not n_in / n_out.
    When the axis shrinks the kernel is stretched by the step (antialiasing); taps outside the
    image are dropped and the rest scaled to sum to 1, as Pillow does. ``nearest`` takes the pixel
    that an output centre falls in.

    Returns
    -------
    inputs, matrix
        The input pixels that take part, and their (stop - start, inputs) weights: sparse, since
        a few pixels make one, float64, and shared by all callers.

    Raises
    ------
    ValueError
        If there is no such kernel.
    """
    grid = AxisGrid(n_in, n_out, step)
    cells = grid.cells()[start:stop]
    if kernel == "nearest":
        taps, weights = cells[:, None], np.ones((len(cells), 1))
    elif kernel in KERNELS:
        function, radius = KERNELS[kernel]
        stretch = max(float(grid.step), 1.0)
        reach = int(radius * stretch) + 1
        taps = cells[:, None] + np.arange(-reach, reach + 1)
        inside = (taps >= 0) & (taps < n_in)
        taps = taps.clip(0, n_in - 1)
        distances = AxisGrid(n_in, n_in).positions()[taps] - grid.positions()[start:stop, None]
        weights = function(distances / stretch) * inside
        weights /= weights.sum(axis=1, keepdims=True)
    else:
        known = ", ".join(["nearest", *KERNELS])
        raise ValueError(f"expected an interpolation among {known}, found {kernel!r}")
    inputs = slice(int(taps.min()), int(taps.max()) + 1)
    rows = np.arange(0, taps.size + 1, taps.shape[1])
    band = csr_array(
        (weights.ravel(), taps.ravel() - inputs.start, rows),
        shape=(len(cells), inputs.stop - inputs.start),
    )
    return inputs, band


@lru_cache(maxsize=256)
def resampling_matrix(n_in: int, n_out: int, kernel: str) -> NDArray[np.float64]:
    """Return the whole (n_out, n_in) resampling matrix of an axis (see ``resampling_band``)."""
    inputs, band = resampling_band(n_in, n_out, kernel, 0, n_out)
    matrix = np.zeros((n_out, n_in))
    matrix[:, inputs] = band.toarray()
    matrix.flags.writeable = False
    return matrix
