"""Separable interpolation: kernels, and the matrices that apply them along an axis."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry import AxisGrid

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def box(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 in (-1/2, 1/2]."""
    return ((x > -1 / 2) & (x <= 1 / 2)).astype(np.float64)


def triangle(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear interpolation."""
    return np.maximum(1 - np.abs(x), 0)


def keys_cubic(x: NDArray[np.float64], a: float = -1 / 2) -> NDArray[np.float64]:
    """Cubic convolution (Keys 1981, eq. 4), third-order accurate at a = -1/2."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x**2 + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def lanczos3(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sinc windowed by a sinc three times as wide (Duchon 1979)."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


KERNELS: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], float]] = {
    "box": (box, 1 / 2),
    "bilinear": (triangle, 1.0),
    "bicubic": (keys_cubic, 2.0),
    "lanczos": (lanczos3, 3.0),
}


@lru_cache(maxsize=512)
def resampling_band(
    n_in: int, n_out: int, kernel: str, start: int, stop: int
) -> tuple[slice, NDArray[np.float64]]:
    """The part of an axis' resampling matrix that output pixels ``start .. stop - 1`` need.

    Pixel centres lie on pixel centres. When the axis shrinks the kernel is stretched by
    n_in / n_out (antialiasing); taps outside the image are dropped and the rest scaled to sum
    to 1, as Pillow does. ``nearest`` takes the pixel that an output centre falls in.

    Returns
    -------
    inputs, matrix
        The input pixels that take part, and the (stop - start, inputs) weights: shared, read-only.

    Raises
    ------
    ValueError
        If there is no such kernel.
    """
    grid = AxisGrid(n_in, n_out)
    cells = grid.cells()[start:stop]
    if kernel == "nearest":
        inputs = slice(int(cells[0]), int(cells[-1]) + 1)
        matrix = (np.arange(inputs.start, inputs.stop) == cells[:, None]).astype(np.float64)
    elif kernel in KERNELS:
        function, radius = KERNELS[kernel]
        stretch = max(n_in / n_out, 1.0)
        reach = int(radius * stretch) + 1
        inputs = slice(max(int(cells[0]) - reach, 0), min(int(cells[-1]) + reach + 1, n_in))
        centres = AxisGrid(n_in, n_in).positions()[inputs]
        matrix = function((centres - grid.positions()[start:stop, None]) / stretch)
        matrix /= matrix.sum(axis=1, keepdims=True)
    else:
        known = ", ".join(["nearest", *KERNELS])
        raise ValueError(f"expected an interpolation among {known}, found {kernel!r}")
    matrix.flags.writeable = False
    return inputs, matrix


@lru_cache(maxsize=256)
def resampling_matrix(n_in: int, n_out: int, kernel: str) -> NDArray[np.float64]:
    """The whole (n_out, n_in) resampling matrix of an axis (see ``resampling_band``)."""
    inputs, band = resampling_band(n_in, n_out, kernel, 0, n_out)
    matrix = np.zeros((n_out, n_in))
    matrix[:, inputs] = band
    matrix.flags.writeable = False
    return matrix
