"""Skull-stripped scans as they come about: acquired first, masked then, on the acquired grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from metasr_training.datasets.skull import brain_mask
from napari_metasr.background import masked_background
from napari_metasr.normalisation import intensity_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGE_STEP = 0.35
"""Brightness along a mask's edge over that inside it; skin ends softly in the partial volume."""

LEAST_PIXELS = 100


@dataclass(frozen=True)
class Masked:
    """A slice with the mask that cuts it.

    Attributes
    ----------
    packed
        The mask, true where the brain is, eight pixels a byte.
    tissue
        (rows, columns), what lies there and beyond the mask; where a data set has cut that off,
        the nearest pixel that is left.
    brightest
        The intensity that becomes 1 once the rest is gone, as of a scan that was masked.
    """

    packed: NDArray[np.uint8]
    tissue: NDArray[Any]
    brightest: float

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(rows, columns), true where the brain is."""
        shape = self.tissue.shape
        return np.unpackbits(self.packed, count=self.tissue.size).astype(bool).reshape(shape)


def stripped_mask(image: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Find the brain of a skull-stripped slice; None for a slice that has not been masked.

    Such a slice has exactly one value outside, and a step along its edge.
    """
    background = masked_background(image)
    if background is None:
        return None
    mask = ndimage.binary_opening(ndimage.binary_fill_holes(~background))
    if mask.sum() < LEAST_PIXELS:
        return None
    edge = mask & ~ndimage.binary_erosion(mask)
    if np.median(image[edge]) < EDGE_STEP * np.median(image[mask]):
        return None
    found: NDArray[np.bool_] = mask
    return found


def continued(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Extend an image beyond a mask by the nearest pixel inside it."""
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    found: NDArray[np.float32] = image[tuple(nearest)]
    return found


def masked(image: NDArray[np.float32]) -> Masked | None:
    """Return how a slice is masked; None if no brain is found in it.

    Parameters
    ----------
    image
        (rows, columns), 0..1, with its skull or without.
    """
    mask, tissue = stripped_mask(image), image
    if mask is not None:
        tissue = continued(image, mask)
    else:
        mask = brain_mask(image)
    if mask is None:
        return None
    brightest = intensity_range(np.where(mask, tissue, 0))[1]
    return Masked(np.packbits(mask), tissue, brightest) if brightest > 0 else None
