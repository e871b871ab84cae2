"""How far a spectrum falls off within its band: the blur of an image beyond its pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_metasr.degradations.slice_profile import WIDTHS_IN_HALF_MAXIMUM

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ANATOMY = 2.0
"""Power along an axis falls with frequency to this power where tissue has sharp borders."""

LOW, HIGH = 0.25, 0.75
"""Shares of the band that are compared, each over a tenth of the band."""


def blur_of_spectrum(
    power: NDArray[np.float64], share: float = 1.0, floor: float = 0.0
) -> float | None:
    """Estimate the blur (FWHM, in acquired pixels) that explains a spectrum's roll-off.

    Tissue borders make the power fall with the square of the frequency; any further fall is
    attributed to a Gaussian. The estimate is rough where anatomy is smoother or rougher than that:
    it tells scans apart rather than measuring them. Where the noise exceeds the signal, the signal
    is taken to be as strong as the noise, and the blur is at least what is returned.

    Parameters
    ----------
    power
        Mean power at the frequencies 0 .. Nyquist.
    share
        The part of them that holds signal.
    floor
        Power of the noise.

    Returns
    -------
    float or None
        0 where nothing is lost; None where the noise leaves nothing to tell by.
    """
    count = (len(power) - 1) * share
    means = []
    for place in (LOW, HIGH):
        part = power[round((place - 0.05) * count) : round((place + 0.05) * count) + 1]
        means.append(float(part.mean()) - floor)
    low, high = means[0], max(means[1], floor)
    if min(low, high) <= 0 or low <= floor:
        return None
    excess = math.log(low / high) - ANATOMY * math.log(HIGH / LOW)
    squares = (math.pi * HIGH) ** 2 - (math.pi * LOW) ** 2
    return WIDTHS_IN_HALF_MAXIMUM * math.sqrt(max(excess, 0.0) / squares)
