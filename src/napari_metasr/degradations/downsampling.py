"""Noise-free reduction of a slice to fewer pixels, one linear operator for each axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.degradations.k_space import truncation_matrix
from napari_metasr.degradations.slice_profile import slice_profile_matrix
from napari_metasr.resampling import resampling_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEGRADATIONS = ("bicubic", "bilinear", "box", "k-space", "slice-profile")


def degradation_matrix(
    method: str, n_in: int, n_out: int, *, thickness: float = 1.0
) -> NDArray[Any]:
    """The (n_out, n_in) operator of one axis: real, or complex for ``k-space``.

    Parameters
    ----------
    thickness
        Of ``slice-profile`` alone: the slices' thickness as a share of their spacing.

    Raises
    ------
    ValueError
        If the method is unknown, the axis would grow, or the thickness is negative.
    """
    if method not in DEGRADATIONS:
        raise ValueError(
            f"expected a degradation among {', '.join(DEGRADATIONS)}, found {method!r}"
        )
    if not 1 <= n_out <= n_in:
        raise ValueError(f"a degradation reduces {n_in} pixels to 1..{n_in}, found {n_out}")
    if method == "k-space":
        return truncation_matrix(n_in, n_out)
    if method == "slice-profile":
        return slice_profile_matrix(n_in, n_out, thickness)
    return resampling_matrix(n_in, n_out, method)


def degrade(
    image: NDArray[Any],
    output_shape: tuple[int, int],
    method: str = "bicubic",
    *,
    thickness: float = 1.0,
) -> NDArray[np.float32]:
    """Reduce an image to ``output_shape``.

    Parameters
    ----------
    image
        (..., rows, columns), any intensity units.
    output_shape
        Rows and columns of the result, no larger than the image's.
    method
        ``bicubic``, ``bilinear``, ``box`` (all antialiased), ``k-space`` (truncation; the real
        part is taken) or ``slice-profile`` (thick slices; for an axis across slices, the other
        one keeping its size).
    thickness
        Of ``slice-profile`` alone: the slices' thickness as a share of their spacing.

    Raises
    ------
    ValueError
        If the method is unknown, an axis would grow, or the thickness is negative.
    """
    rows = degradation_matrix(method, image.shape[-2], output_shape[0], thickness=thickness)
    columns = degradation_matrix(method, image.shape[-1], output_shape[1], thickness=thickness)
    return np.real(rows @ np.asarray(image, np.float64) @ columns.T).astype(np.float32)
