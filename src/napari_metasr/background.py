"""Background that was set to one value, when a scan was masked or padded.

Two questions are asked of it. `masked_background` asks of an image or a stack whether it was masked
(skull-stripped, defaced), and takes all pixels of the lowest value, or of signed intensities what
is constant in every slice. `constant_background` asks which pixels of one slice are background, of
whatever value and however few; single dark pixels inside the tissue that have the value by chance
stay tissue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["BLOCK", "background_value", "constant_background", "masked_background"]

BLOCK = np.ones((3, 3), bool)
"""A block of pixels of one value is no coincidence of noise."""

MASKED_SHARE = 0.2
"""Share of pixels that are background from which an image counts as masked."""


def background_value(edge: NDArray[Any]) -> float:
    """Return the most frequent value at the edge of a scan; 0 where none there is finite."""
    values, counts = np.unique(edge[np.isfinite(edge)], return_counts=True)
    return float(values[counts.argmax()]) if values.size else 0.0


def masked_background(image: NDArray[Any]) -> Mask | None:
    """Find the background of an image that has been masked.

    That are the pixels of exactly the lowest value. Where those are few and negative, as in
    intensities that were standardised within the mask, it is the `constant_background` of each
    slice; without negative values noise of few grey levels could be taken for that.

    Parameters
    ----------
    image
        (..., rows, columns), finite.

    Returns
    -------
    ndarray or None
        Boolean, of the image's shape; None where fewer than a fifth of the pixels belong to it.
    """
    background: Mask = image == image.min()
    if background.mean() >= MASKED_SHARE:
        return background
    if image.min() >= 0:
        return None
    background = np.zeros(image.shape, bool)
    for plane, found in zip(
        image.reshape(-1, *image.shape[-2:]),
        background.reshape(-1, *image.shape[-2:]),
        strict=True,
    ):
        constant = constant_background(plane)
        found[...] = False if constant is None else constant
    return background if background.mean() >= MASKED_SHARE else None


def constant_background(image: NDArray[Any]) -> Mask | None:
    """Find the pixels that hold nothing but the background's value.

    The value is the most frequent one on the image's border; its 4-connected regions belong to
    the background where they hold a block of 3 x 3 pixels.

    Parameters
    ----------
    image
        (rows, columns), finite.

    Returns
    -------
    ndarray or None
        Boolean, of the image's shape; None where there is no such region.
    """
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    constant = image == background_value(border)
    if np.count_nonzero(constant) < BLOCK.size:
        return None
    blocks = ndimage.binary_erosion(constant, BLOCK)
    if not blocks.any():
        return None
    regions, count = ndimage.label(constant)
    belongs = np.zeros(count + 1, bool)
    belongs[regions[blocks]] = True
    return belongs[regions]
