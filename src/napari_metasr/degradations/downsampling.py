"""Noise-free reduction of a slice to fewer pixels, one linear operator for each axis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.degradations.reduction import NAMED, Reduction

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEGRADATIONS = tuple(NAMED)


def named_reduction(method: str, thickness: float = 1.0) -> Reduction:
    """Return the reduction of a name.

    Parameters
    ----------
    thickness
        Of ``slice-profile`` alone: the slices' thickness as a share of their spacing.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if method not in NAMED:
        raise ValueError(
            f"expected a degradation among {', '.join(DEGRADATIONS)}, found {method!r}"
        )
    return replace(NAMED[method], thickness=thickness)


def degradation_matrix(
    method: str, n_in: int, n_out: int, *, thickness: float = 1.0
) -> NDArray[Any]:
    """Return the (n_out, n_in) operator of one axis: real, or complex for ``k-space``.

    Parameters
    ----------
    thickness
        Of ``slice-profile`` alone: the slices' thickness as a share of their spacing.

    Raises
    ------
    ValueError
        If the method is unknown, the axis would grow, or the thickness is negative.
    """
    return named_reduction(method, thickness).matrix(n_in, n_out)


def reduce_image(
    image: NDArray[Any], output_shape: tuple[int, int], reductions: tuple[Reduction, Reduction]
) -> NDArray[np.float32]:
    """Reduce an image (..., rows, columns), rows and columns each in its own way.

    Raises
    ------
    ValueError
        As `Reduction.matrix`.
    """
    rows, columns = (
        one.matrix(n_in, n_out)
        for one, n_in, n_out in zip(reductions, image.shape[-2:], output_shape, strict=True)
    )
    return np.real(rows @ np.asarray(image, np.float64) @ columns.T).astype(np.float32)


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
        part is taken), ``k-space-hamming`` (the same under Hamming's window), ``gaussian`` (the
        mean over a pixel, blurred by 0.8 pixels FWHM) or ``slice-profile`` (thick slices; for an
        axis across slices, the other one keeping its size).
    thickness
        Of ``slice-profile`` alone: the slices' thickness as a share of their spacing.

    Raises
    ------
    ValueError
        If the method is unknown, an axis would grow, or the thickness is negative.
    """
    reduction = named_reduction(method, thickness)
    return reduce_image(image, output_shape, (reduction, reduction))
