"""Up to which scale a network is better than interpolation, by a stated rule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from napari_metasr.trust.own_slices import INTERPOLATIONS, NETWORK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.trust.own_slices import Compared

CONFIDENCE = 0.95
LEAST_SLICES = 3
"""Slices from which on an interval is given."""

RULE = (
    "in every slice the network is compared with the better of bicubic and Lanczos interpolation. "
    "The gain holds at a scale if the mean gain over the slices is above zero, for PSNR and for "
    f"SSIM, with the whole {CONFIDENCE:.0%} interval of the mean (paired over slices, Student's "
    f"t; of fewer than {LEAST_SLICES} slices the mean alone decides), at this scale and at every "
    "smaller one that was tried."
)


@dataclass(frozen=True)
class Gain:
    """A mean gain over the better interpolation, paired over slices.

    Attributes
    ----------
    mean, low, high
        The mean and its interval; infinite of fewer than three slices. In dB of PSNR, or SSIM.
    slices
        How many slices it is the mean of.
    """

    mean: float
    low: float
    high: float
    slices: int

    @classmethod
    def over(cls, values: Sequence[float]) -> Gain:
        """Compute mean and interval of the finite ones of the slices' gains."""
        finite = np.array([value for value in values if math.isfinite(value)])
        if not finite.size:
            return cls(math.nan, math.nan, math.nan, 0)
        mean = float(finite.mean())
        if len(finite) < LEAST_SLICES:
            return cls(mean, -math.inf, math.inf, len(finite))
        error = float(finite.std(ddof=1)) / math.sqrt(len(finite))
        half = error * float(stats.t.ppf((1 + CONFIDENCE) / 2, len(finite) - 1))
        return cls(mean, mean - half, mean + half, len(finite))

    @property
    def has_interval(self) -> bool:
        """Whether there are slices enough for an interval."""
        return math.isfinite(self.low)

    @property
    def is_positive(self) -> bool:
        """Whether the interval, or the mean where there is none, lies above zero."""
        return (self.low if self.has_interval else self.mean) > 0


@dataclass(frozen=True)
class ScaleGain:
    """The gains at one scale; SSIM's is NaN where what is compared is too small for it."""

    scale: float
    psnr: Gain
    ssim: Gain

    @classmethod
    def of(cls, scale: float, compared: Sequence[Compared]) -> ScaleGain:
        """Compare the network with the better interpolation, slice by slice."""
        psnr = [
            one.quality[NETWORK].psnr - max(one.quality[name].psnr for name in INTERPOLATIONS)
            for one in compared
        ]
        ssim = [
            one.quality[NETWORK].ssim - max(one.quality[name].ssim for name in INTERPOLATIONS)
            for one in compared
        ]
        return cls(scale, Gain.over(psnr), Gain.over(ssim))

    @property
    def holds(self) -> bool:
        """Whether there is a gain; by PSNR alone where SSIM was not measured."""
        return self.psnr.is_positive and (math.isnan(self.ssim.mean) or self.ssim.is_positive)


def largest_scale(gains: Sequence[ScaleGain]) -> ScaleGain | None:
    """Return the largest scale at which the gain holds, and at all smaller ones; None if none."""
    largest = None
    for gain in sorted(gains, key=lambda one: one.scale):
        if not gain.holds:
            break
        largest = gain
    return largest
