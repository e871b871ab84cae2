"""A head without its skull, as an augmentation: BraTS scans have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_metasr.normalisation import HEAD_LEVEL, LinearMap, intensity_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

RIM = 9
"""Pixels of skull and scalp."""


def brain_mask(image: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Estimate the brain's mask: the head without its rim, opened, largest part; None if empty.

    Parameters
    ----------
    image
        (rows, columns), 0..1, with the skull.
    """
    # at the lower level for faint pixels bright air would join the head, and its rim would stay
    head = ndimage.binary_fill_holes(image > HEAD_LEVEL)
    inner = ndimage.binary_erosion(head, iterations=RIM)
    parts, count = ndimage.label(ndimage.binary_opening(inner, iterations=2))
    if count == 0:
        return None
    mask: NDArray[np.bool_] = parts == int(np.argmax(np.bincount(parts.ravel())[1:])) + 1
    return mask


def strip_skull(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Strip the skull, roughly, and rescale the brain's own intensities to 0..1.

    Uses a threshold and morphology. The brain's own percentiles become 0 and 1 without the scalp,
    as those of a scan that never had one.

    Parameters
    ----------
    image
        (rows, columns), 0..1.
    """
    mask = brain_mask(image)
    if mask is None:
        return image
    brain = np.where(mask, image, 0)
    return LinearMap(*intensity_range(brain)).forward(brain)
