"""Paired tests that assume no distribution, and their correction for how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROUNDING = 9
"""Decimals to which differences are rounded, so that equal means are ties."""


def signed_rank_p(differences: Sequence[float]) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test.

    Pairs without a difference are left out (Wilcoxon's way), ties share their mean rank; if no
    pair differs, p is 1. Up to 13 differing pairs every change of signs is counted; beyond, where
    there are ties, the normal approximation corrected for them is taken (`scipy.stats.wilcoxon`).
    """
    from scipy.stats import wilcoxon

    differing = _differing(differences)
    return float(wilcoxon(differing).pvalue) if differing.size else 1.0


def signed_rank_balance(differences: Sequence[float]) -> float:
    """Return the ranks of the positive differences less those of the negative ones.

    Its sign is what `signed_rank_p` speaks for: that of the mean may be another one, where a few
    pairs differ much and the others in the other direction.
    """
    from scipy.stats import rankdata

    differing = _differing(differences)
    return float((np.sign(differing) * rankdata(np.abs(differing))).sum())


def _differing(differences: Sequence[float]) -> NDArray[np.float64]:
    """Return the differences that are not 0 to rounding."""
    rounded: NDArray[np.float64] = np.round(differences, ROUNDING)
    return rounded[rounded != 0]


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number (Holm 1979, Scandinavian Journal of Statistics)."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable")):
        highest = max(highest, min((len(p_values) - rank) * p_values[place], 1.0))
        corrected[place] = highest
    return corrected
