"""The noise of a magnitude image: from the air around the head, or from flat tissue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage, special

from napari_metasr.acquisition.band import cropped_to_band
from napari_metasr.acquisition.description import NoiseLevel
from napari_metasr.background import masked_background
from napari_metasr.normalisation import NOISY_HEAD_LEVEL, intensity_range, quantiles_above

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLEARANCE = 4
"""Pixels between the head and what counts as air."""

LEAST_AIR = 400
"""Pixels of air that noise is told from."""

SINGLE_VALUE = 0.5
"""Share of the air at one value from which it has been set to it."""

RAYLEIGH = 1.913
"""Mean over standard deviation of Rayleigh's distribution, sqrt(pi / (4 - pi))."""

FARTHEST_SHAPE = 0.8
"""Mean over standard deviation may differ from it by this: coils, ghosts, rounding."""

BLOCK = 8
LEAST_BLOCKS = 10
QUIET_SHARE = 0.1
QUIET_FACTOR = 0.84
"""The quietest tenth of blocks of 64 samples: their deviation as a share of the noise's own."""


def noise_of(slices: NDArray[Any], shares: tuple[float, float] = (1.0, 1.0)) -> NoiseLevel | None:
    """Estimate the noise of slices; None where nothing can be told.

    In the air magnitudes follow Rayleigh's distribution, whose median is sigma sqrt(2 ln 2). Air
    that was set to one value, as by a mask, tells nothing: then the diagonal differences of the
    quietest blocks of tissue do, at the acquired resolution, corrected for what the magnitude
    does to weak signals (Koay and Basser 2006). Images with negative values are no magnitudes:
    the noise of their tissue is not corrected.

    Parameters
    ----------
    slices
        (slices, rows, columns), finite.
    shares
        Acquired over stored Nyquist frequency of rows and columns.
    """
    if slices.size == 0 or slices.min() == slices.max():
        return None
    low, high = intensity_range(slices)
    if high <= low:
        return None
    background = masked_background(slices)
    if background is not None:  # of whatever value: dark, so that it is no flat tissue
        slices = np.where(background, slices.min(), slices)
    level = low + NOISY_HEAD_LEVEL * (high - low)
    sigma = _of_air(slices, level)
    if sigma is not None:
        return NoiseLevel(sigma=sigma, share=sigma / (high - low), told_by="air")
    found = _of_tissue(slices, shares, level)
    if found is None:
        return None
    mean, spread = found
    sigma = spread if slices.min() < 0 else rician_sigma(mean, spread)
    if not sigma:
        return None
    return NoiseLevel(sigma=sigma, share=sigma / (high - low), told_by="tissue")


def _of_air(slices: NDArray[Any], level: float) -> float | None:
    """Estimate the noise in the air; None without air, or if it does not look like noise."""
    if slices.min() < 0:
        return None  # no magnitudes: what 0 means is not known
    head = np.stack([ndimage.binary_opening(one > level, iterations=2) for one in slices])
    head = np.stack([ndimage.binary_fill_holes(one) for one in head])
    near = ndimage.binary_dilation(head, np.ones((1, 3, 3), bool), iterations=CLEARANCE)
    air = slices[~near]
    if air.size < LEAST_AIR:
        return None
    values, counts = np.unique(air, return_counts=True)
    mean, spread = float(air.mean()), float(air.std())
    if counts.max() > SINGLE_VALUE * air.size or spread == 0:
        return None
    if abs(mean / spread - RAYLEIGH) > FARTHEST_SHAPE:
        return None
    return _median(values, counts) / math.sqrt(2 * math.log(2))


def _median(values: NDArray[Any], counts: NDArray[np.int64]) -> float:
    """Return the median of what was rounded to these values, spread evenly over what is rounded.

    Where noise is of the order of the rounding, as in images of 8 bits, the median of the rounded
    values is off by up to half a step.

    Parameters
    ----------
    values, counts
        The two or more different values in ascending order, none negative, and how many there are
        of each.
    """
    exact = values.astype(np.float64)
    between = (exact[1:] + exact[:-1]) / 2
    first, last = (
        max(exact[0] - (between[0] - exact[0]), 0.0),
        exact[-1] + (exact[-1] - between[-1]),
    )
    below = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    return float(np.interp(1 / 2, below, np.concatenate([[first], between, [last]])))


def _of_tissue(
    slices: NDArray[Any], shares: tuple[float, float], level: float
) -> tuple[float, float] | None:
    """Return mean and standard deviation of flat tissue; None if there is too little of it."""
    found = []
    for one in slices:
        small = cropped_to_band(one, shares).astype(np.float64)
        if min(small.shape) < 2 * BLOCK:
            return None
        difference = (small[1:, 1:] - small[1:, :-1] - small[:-1, 1:] + small[:-1, :-1]) / 2
        inside = ndimage.binary_erosion(small > level, iterations=2)[:-1, :-1]
        rows, columns = (size // BLOCK for size in difference.shape)

        def blocks(field: NDArray[Any], rows: int = rows, columns: int = columns) -> NDArray[Any]:
            cut = field[: rows * BLOCK, : columns * BLOCK]
            cut = cut.reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3)
            return cut.reshape(rows * columns, BLOCK * BLOCK)

        whole = blocks(inside).all(axis=1)
        means = blocks(small[:-1, :-1])[whole].mean(axis=1)
        found.append(np.stack([blocks(difference)[whole].std(axis=1), means]))
    spreads, means = np.concatenate(found, axis=1)
    if len(spreads) < LEAST_BLOCKS:
        return None
    quiet = spreads <= quantiles_above(spreads, -1.0, (QUIET_SHARE,))[0]
    spread = float(spreads[quiet].max()) / QUIET_FACTOR
    return float(np.median(means[quiet])), spread


def rician_sigma(mean: float, spread: float) -> float:
    """Correct the noise's standard deviation for Rician magnitudes (Koay and Basser 2006).

    The result is the fixed point of their equation 18, or the Rayleigh case where ``mean / spread``
    is at or below that of pure noise.
    """
    if spread <= 0:
        return 0.0
    ratio = mean / spread
    if ratio <= RAYLEIGH:
        return spread / math.sqrt(2 - math.pi / 2)
    theta = ratio
    for _ in range(100):
        factor = _koay(theta)
        new = math.sqrt(max(factor * (1 + ratio**2) - 2, 0.0))
        if abs(new - theta) < 1e-9:
            break
        theta = new
    return spread / math.sqrt(_koay(theta))


def _koay(theta: float) -> float:
    """Return magnitudes' variance over the noise's, at a signal of ``theta`` of its deviations."""
    if theta > 30:
        return 1.0
    half = theta**2 / 4
    bessel = (2 + theta**2) * special.ive(0, half) + theta**2 * special.ive(1, half)
    return float(2 + theta**2 - math.pi / 8 * bessel**2)
