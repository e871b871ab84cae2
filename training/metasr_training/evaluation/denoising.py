"""Non-local means without parameters, for the denoising baseline B+NLD."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import correlate1d, uniform_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = math.sqrt(3)
DAUBECHIES_2 = np.array([1 - ROOT, ROOT - 3, 3 + ROOT, -1 - ROOT]) / (4 * math.sqrt(2))
UPPER_QUARTILE = NormalDist().inv_cdf(3 / 4)

# (largest sigma on the 0..255 scale, value), after Froment 2014's optimal parameters of NLM-P
PATCH_RADII = ((19, 1), (28, 2), (87, 3), (math.inf, 4))
SEARCH_RADII = ((7, 3), (9, 4), (19, 5), (47, 6), (70, 7), (math.inf, 8))
FILTERING = ((7, 1.5), (9, 1.4), (19, 1.3), (28, 1.1), (math.inf, 1.0))


@dataclass(frozen=True)
class NonLocalMeansParameters:
    """What non-local means needs to know.

    Attributes
    ----------
    patch_radius, search_radius
        Patches and search windows are squares of 2 radius + 1 pixels.
    filtering
        h: patches weigh ``exp(-d / h^2)``, d their mean squared difference.
    """

    patch_radius: int
    search_radius: int
    filtering: float


def _up_to(table: tuple[tuple[float, Any], ...], sigma: float) -> Any:
    return table[bisect_left([largest for largest, _ in table], sigma)][1]


def optimal_parameters(sigma: float) -> NonLocalMeansParameters:
    """Return those of the largest mean PSNR over a database, for noise of this standard deviation.

    Froment 2014, "Parameter-Free Fast Pixelwise Non-Local Means Denoising", the optimal
    parameters of NLM-P for gray-level images in 0..255 (the values of its published software).
    """
    return NonLocalMeansParameters(
        _up_to(PATCH_RADII, sigma),
        _up_to(SEARCH_RADII, sigma),
        sigma * _up_to(FILTERING, sigma),
    )


def noise_level(image: NDArray[Any]) -> float:
    """Estimate the standard deviation of white noise in an image, in its intensity units.

    It is the median of the absolute diagonal details of the finest wavelet scale (Daubechies, two
    vanishing moments), over the normal distribution's upper quartile (Donoho and Johnstone 1994,
    section 4.2), as ``skimage.restoration.estimate_sigma`` computes it by PyWavelets. Details
    that are exactly 0, as in a masked background, do not count; without others it is 0.
    """
    details = np.asarray(image, np.float64)
    for axis in (0, 1):
        details = correlate1d(details, DAUBECHIES_2, axis, mode="reflect")
    details = np.abs(details[details != 0])
    return float(np.median(details)) / UPPER_QUARTILE if details.size else 0.0


def filtered(image: NDArray[Any], parameters: NonLocalMeansParameters) -> NDArray[np.float64]:
    """Filter by non-local means: every pixel becomes a weighted mean over its search window.

    Froment 2014, eq. 5 to 9, NLM-P: pixelwise, plain Euclidean distance of patches, mirrored
    borders. One displacement of the whole image at a time, so that patches cost as little as
    pixels. (scikit-image's fast mode compares patches that are a pixel narrower.)
    """
    patch, search = parameters.patch_radius, parameters.search_radius
    rows, columns = (size + 2 * patch for size in image.shape)
    padded = np.pad(np.asarray(image, np.float64), patch + search, mode="reflect")
    inner = slice(patch, -patch)
    still = padded[search : search + rows, search : search + columns]
    total, weight = np.zeros(image.shape), np.zeros(image.shape)
    for i, j in np.ndindex(2 * search + 1, 2 * search + 1):
        moved = padded[i : i + rows, j : j + columns]
        distance = uniform_filter((moved - still) ** 2, 2 * patch + 1)[inner, inner]
        weights = np.exp(-distance / parameters.filtering**2)
        total += weights * moved[inner, inner]
        weight += weights
    return total / weight


def non_local_means(image: NDArray[Any], full_range: float = 255.0) -> NDArray[np.float64]:
    """Denoise a slice; everything that decides how follows from its own noise level.

    Parameters
    ----------
    image
        (rows, columns), finite.
    full_range
        The range of its intensities: the parameters were found for 255.

    Returns
    -------
    float64, in the image's intensity units; the image itself if it has no noise.
    """
    scaled = np.asarray(image, np.float64) * (255.0 / full_range)
    sigma = noise_level(scaled)
    if sigma == 0:
        return np.asarray(image, np.float64)
    return filtered(scaled, optimal_parameters(sigma)) * (full_range / 255.0)
