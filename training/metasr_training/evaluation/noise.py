"""How noisy an image is, from the image alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import convolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The difference of two Laplacians: blind to anything that is planar or parabolic.
MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)


def noise_sigma(image: NDArray) -> float:
    """Estimate the noise's standard deviation: sqrt(pi / 2) / 6 times the mean of ``|image * N|``.

    Immerkaer 1996, *Fast Noise Variance Estimation*, Computer Vision and Image Understanding,
    eq. 5. Fine texture counts as noise.

    Parameters
    ----------
    image
        (rows, columns), at least 3 of each, in any units; the result is in the same.

    Raises
    ------
    ValueError
        If the image is smaller.
    """
    if image.ndim != 2 or min(image.shape) < 3:
        raise ValueError(f"expected at least 3 x 3 pixels, found shape {image.shape}")
    response = convolve(np.asarray(image, np.float64), MASK)[1:-1, 1:-1]
    return float(math.sqrt(math.pi / 2) / 6 * np.abs(response).mean())


def signal_to_noise(image: NDArray) -> float:
    """Return the mean intensity over ``noise_sigma``; infinite if there is no noise."""
    sigma = noise_sigma(image)
    return float(np.mean(image) / sigma) if sigma else math.inf
