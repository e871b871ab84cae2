"""What intensities a detector has seen, by which other contrasts are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.skull import strip_skull
from napari_metasr.lesions.brightness import brightness, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metasr_training.datasets.slices import Slice


def familiar_brightness(
    slices: Iterable[Slice], stripped_share: float
) -> dict[str, tuple[float, float]]:
    """Compute mean and standard deviation of each statistic of `brightness` over training slices.

    A statistic that is the same in all of them tells nothing and is left out.

    Parameters
    ----------
    slices
        Of training patients.
    stripped_share
        Share of the slices whose skull is taken off, as in training.
    """
    rng = np.random.default_rng(0)
    shown = (
        strip_skull(one.normalised) if rng.random() < stripped_share else one.normalised
        for one in slices
    )
    return {
        name: (mean, std) for name, (mean, std) in summary(map(brightness, shown)).items() if std
    }
