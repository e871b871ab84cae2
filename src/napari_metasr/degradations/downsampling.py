"""Noise-free reduction of a slice to fewer pixels, one linear operator for each axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.degradations.k_space import truncation_matrix
from napari_metasr.resampling import resampling_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEGRADATIONS = ("bicubic", "bilinear", "box", "k-space")


def degradation_matrix(method: str, n_in: int, n_out: int) -> NDArray[Any]:
    """The (n_out, n_in) operator of one axis: real, or complex for ``k-space``.

    Raises
    ------
    ValueError
        If the method is unknown, or the axis would grow.
    """
    if method not in DEGRADATIONS:
        raise ValueError(
            f"expected a degradation among {', '.join(DEGRADATIONS)}, found {method!r}"
        )
    if not 1 <= n_out <= n_in:
        raise ValueError(f"a degradation reduces {n_in} pixels to 1..{n_in}, found {n_out}")
    return (
        truncation_matrix(n_in, n_out)
        if method == "k-space"
        else (resampling_matrix(n_in, n_out, method))
    )


def degrade(
    image: NDArray[Any], output_shape: tuple[int, int], method: str = "bicubic"
) -> NDArray[np.float32]:
    """Reduce an image to ``output_shape``.

    Parameters
    ----------
    image
        (..., rows, columns), any intensity units.
    output_shape
        Rows and columns of the result, no larger than the image's.
    method
        ``bicubic``, ``bilinear``, ``box`` (all antialiased) or ``k-space`` (truncation; the
        real part is taken).

    Raises
    ------
    ValueError
        If the method is unknown, or an axis would grow.
    """
    rows = degradation_matrix(method, image.shape[-2], output_shape[0])
    columns = degradation_matrix(method, image.shape[-1], output_shape[1])
    return np.real(rows @ np.asarray(image, np.float64) @ columns.T).astype(np.float32)
