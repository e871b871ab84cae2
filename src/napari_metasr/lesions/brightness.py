"""What intensities are like, by which T2 and FLAIR differ from what was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.normalisation import HEAD_LEVEL, quantiles_above

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

MEASURED_SHARE = 0.08
"""Slices with a smaller head say too little."""

SHARES = (0.05, 0.1, 0.75, 0.99)
FAR = {1: 3.0, 4: 1.75}
"""Standard deviations from training, for one slice and for the mean of at least four."""


def head_share(normalised: NDArray[Any]) -> float:
    """Return the share of a slice, its intensities 0..1, that is brighter than air."""
    return float(np.count_nonzero(normalised > HEAD_LEVEL) / normalised.size)


def brightness(normalised: NDArray[Any]) -> dict[str, float]:
    """Compute statistics of the intensities inside the head that tell contrasts apart.

    Native T1 has a high upper quartile, FLAIR much tissue between its darkest parts, T2 a long
    bright tail.

    Parameters
    ----------
    normalised
        (rows, columns), the volume's intensity range as 0..1.

    Returns
    -------
    dict
        The upper quartile and two quotients of quantiles by their names; empty where the head is
        too small to tell.
    """
    if head_share(normalised) < MEASURED_SHARE:
        return {}
    dark, darker_tenth, upper, bright = quantiles_above(normalised, HEAD_LEVEL, SHARES)
    return {
        "0.75": float(upper),
        "0.1/0.05": float(darker_tenth / dark),
        "0.99/0.75": float(bright / upper),
    }


def summary(slices: Iterable[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Return the mean and standard deviation of each statistic over slices, ignoring empty ones.

    Parameters
    ----------
    slices
        From `brightness`.
    """
    told = [one for one in slices if one]
    return {
        name: (
            float(np.mean([one[name] for one in told])),
            float(np.std([one[name] for one in told])),
        )
        for name in (told[0] if told else ())
    }


def unlike(
    slices: Iterable[Mapping[str, float]], trained: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Return the statistics that are far from training, in standard deviations of a training slice.

    Far are 1.75 of them for the mean of a volume's slices, or 3 for fewer than four slices.

    Parameters
    ----------
    slices
        From `brightness`.
    trained
        `summary` of the training slices.
    """
    told = [one for one in slices if one]
    far = FAR[max(least for least in FAR if least <= max(len(told), 1))]
    distances = {
        name: (mean - trained[name][0]) / trained[name][1]
        for name, (mean, _) in summary(told).items()
        if name in trained
    }
    return {name: distance for name, distance in distances.items() if abs(distance) > far}
