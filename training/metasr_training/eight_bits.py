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
    """Convert a slice to the 0..255 scale: unchanged if 8 bit, else its limits become 0 and 255."""
    if one.image.dtype == np.uint8:
        return one.image.astype(np.float32)
    return (LinearMap(*one.limits).forward(one.image) * np.float32(EIGHT_BITS)).clip(*FULL_RANGE)


def intensity_limits(one: Slice) -> tuple[float, float]:
    """Return what a network sees as 0 and 1 in ``eight_bits(one)``: the limits on that scale.

    They are the volume's, as in training, and not those of a slice that may be dim or noisy.
    """
    return one.limits if one.image.dtype == np.uint8 else FULL_RANGE
