"""The 0..255 scale that slices are degraded and compared on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.normalisation import LinearMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.datasets.image_slice import Slice

EIGHT_BITS = 255.0
FULL_RANGE = (0.0, EIGHT_BITS)


def eight_bits(one: Slice) -> NDArray[np.float32]:
    """Convert a slice to the 0..255 scale by its intensity range; one of 8 bits is unchanged."""
    if one.image.dtype == np.uint8:
        return one.image.astype(np.float32)
    return (LinearMap(*one.intensity_range).forward(one.image) * np.float32(EIGHT_BITS)).clip(
        *FULL_RANGE
    )


def eight_bit_range(one: Slice) -> tuple[float, float]:
    """Return the intensity range of ``eight_bits(one)``: what a network sees as 0 and 1.

    They are the volume's, as in training, and not those of a slice that may be dim or noisy.
    """
    return one.intensity_range if one.image.dtype == np.uint8 else FULL_RANGE
