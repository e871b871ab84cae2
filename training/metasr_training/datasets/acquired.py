"""A slice at the resolution that it was acquired with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.acquisition import cropped_to_band
from napari_metasr.resampling import resampling_matrix

if TYPE_CHECKING:
    from metasr_training.datasets.image_slice import Slice


def acquired(one: Slice) -> Slice:
    """Crop a slice in k-space to the band that holds signal; return it unchanged if that is all.

    Its intensities keep their units, its intensity range stays, and its mask follows.
    """
    if min(one.band) >= 1:
        return one
    image = cropped_to_band(one.image, one.band)
    mask = one.mask
    if mask is not None:
        rows, columns = (
            resampling_matrix(stored, found, "nearest").astype(np.float32)
            for stored, found in zip(mask.shape, image.shape, strict=True)
        )
        mask = rows @ mask @ columns.T > 0
    return replace(one, image=image, mask=mask, band=(1.0, 1.0))
