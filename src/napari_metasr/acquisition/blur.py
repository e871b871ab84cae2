"""How far a spectrum falls off within its band: the blur of an image beyond its pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.degradations.slice_profile import WIDTHS_IN_HALF_MAXIMUM

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANATOMY = (1.5, 3.0)
"""The power along an axis falls with frequency to a power between these: 2 where tissue has sharp
borders alone."""

PART = (0.08, 0.95)
"""Share of the band that is looked at: not the shape of the head, nor what a window leaks."""

LEAST_FREQUENCIES = 8

LARGEST = 3.0
"""Variance, in squared acquired pixels, of the widest Gaussian that is considered."""

STARTS = ((0.05, 5.0), (0.5, 0.3))
"""Variance of the Gaussian and how far (in logarithms of power) the noise lies below the spectrum:
a sharp image with little noise, and a blurred one with much."""


def blur_of_spectrum(
    power: NDArray[np.float64], share: float = 1.0, most_noise: float = math.inf
) -> float | None:
    """Estimate the blur (FWHM, in acquired pixels) that explains a spectrum's roll-off.

    Anatomy makes the power fall with a power of the frequency, a Gaussian blur with the
    exponential of its square, and noise adds the same everywhere: that sum is fitted to the
    spectrum, in logarithms. The estimate is rough, since anatomy is no exact power: it tells
    scans apart rather than measuring them.

    Parameters
    ----------
    power
        Mean power at the frequencies 0 .. Nyquist.
    share
        The part of them that holds signal.
    most_noise
        Power of the noise at most: fine texture may have been taken for it.

    Returns
    -------
    float or None
        0 where nothing is lost; None where there are too few frequencies, or noise alone.
    """
    from scipy.optimize import least_squares

    frequency = np.arange(len(power)) / ((len(power) - 1) * share)
    part = (frequency >= PART[0]) & (frequency <= PART[1])
    if part.sum() < LEAST_FREQUENCIES or power[part].min() <= 0:
        return None
    logarithm, falling = np.log(power[part]), np.log(frequency[part])
    squares = (math.pi * frequency[part]) ** 2
    lowest = float(logarithm.min())
    highest = min(lowest + 1, math.log(most_noise) if most_noise > 0 else lowest - 1)
    deepest = min(lowest, highest) - 8

    def signal(fit: NDArray[np.float64]) -> NDArray[np.float64]:
        level, anatomy, variance, _ = fit
        return np.asarray(level - anatomy * falling - variance * squares)

    def residual(fit: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.logaddexp(signal(fit), fit[3]) - logarithm

    def slopes(fit: NDArray[np.float64]) -> NDArray[np.float64]:
        of_signal = 1 / (1 + np.exp(fit[3] - signal(fit)))
        return np.stack(
            [of_signal, -of_signal * falling, -of_signal * squares, 1 - of_signal], axis=1
        )

    bounds = ([-np.inf, ANATOMY[0], 0, deepest], [np.inf, ANATOMY[1], LARGEST, highest])
    starts = (
        (logarithm[-1], 2.0, variance, max(min(lowest - below, highest - 0.1), deepest + 0.1))
        for variance, below in STARTS
    )
    fits = [least_squares(residual, start, slopes, bounds, "dogbox") for start in starts]
    fit = min(fits, key=lambda one: one.cost).x
    if signal(fit)[0] <= fit[3]:
        return None
    return WIDTHS_IN_HALF_MAXIMUM * math.sqrt(fit[2])
