"""Conformal risk control with the patient as the unit: thresholds that bound what is missed.

Angelopoulos, Bates, Fisch, Lei & Schuster (2024, ICLR), Conformal Risk Control, eq. 4, with losses
of at most 1: of n exchangeable patients, the threshold that marks least while

    (n R + 1) / (n + 1) <= alpha

bounds the expected loss of a further patient by alpha, R being the mean loss of the n. A patient's
loss is the share of the pixels with a large error that are not marked.

Patients of one data set resemble each other, and a further patient may be like those of one set
alone. A smaller threshold keeps the bound, so that it may be lowered until no set misses more than
alpha on average either.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class TooFewPatientsError(ValueError):
    """No threshold keeps the promise with so few patients."""


def least_patients(alpha: float) -> int:
    """Return how many patients a guarantee of ``alpha`` needs: (0 + 1) / (n + 1) <= alpha.

    Raises
    ------
    ValueError
        If alpha is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"expected an alpha between 0 and 1, found {alpha:g}")
    return math.ceil(round(1 / alpha, 9)) - 1


def missed_share(risks: NDArray[np.floating], threshold: float) -> float:
    """Return the share of a patient's large errors that are not marked; 0 where there are none.

    Parameters
    ----------
    risks
        Estimated errors of the pixels whose error is large; those of ``threshold`` or more are
        marked.
    """
    return float(np.mean(risks < threshold)) if len(risks) else 0.0


def conformal_threshold(patients: Sequence[NDArray[np.floating]], alpha: float) -> float:
    """Return the largest threshold whose expected missed share is at most alpha.

    Parameters
    ----------
    patients
        Of each, the estimated errors of the pixels whose error is large; see `missed_share`.
    alpha
        Between 0 and 1.

    Returns
    -------
    float
        One of the estimated errors. 0, marking every pixel, where there are none at all.

    Raises
    ------
    ValueError
        If alpha is out of range.
    TooFewPatientsError
        If there are fewer than `least_patients`.
    """
    count, needed = len(patients), least_patients(alpha)
    if count < needed:
        raise TooFewPatientsError(
            f"a share of {alpha:g} needs at least {needed} patients to calibrate on, found {count}"
        )
    return _largest_threshold(patients, alpha * (count + 1) - 1)


def threshold_for_each(groups: Sequence[Sequence[NDArray[np.floating]]], alpha: float) -> float:
    """Return the conformal threshold of all patients, or less until no group misses more.

    Parameters
    ----------
    groups
        Of each data set, its patients, as for `conformal_threshold`. Their own mean missed shares
        are at most alpha; without a correction for how few they are, so that this is no guarantee
        for a further patient of one set.
    alpha
        Between 0 and 1.

    Raises
    ------
    ValueError, TooFewPatientsError
        As `conformal_threshold`, of all patients together.
    """
    whole = conformal_threshold([one for group in groups for one in group], alpha)
    wrong = [group for group in groups if any(len(risks) for risks in group)]
    return min([whole, *(_largest_threshold(group, alpha * len(group)) for group in wrong)])


def _largest_threshold(patients: Sequence[NDArray[np.floating]], allowed: float) -> float:
    """Return the largest threshold at which missed shares add up to no more than allowed."""
    values = [np.asarray(risks, np.float64) for risks in patients if len(risks)]
    if not values:
        return 0.0
    weights = np.concatenate([np.full(len(risks), 1 / len(risks)) for risks in values])
    risks = np.concatenate(values)
    order = np.argsort(risks, kind="stable")
    risks, below = risks[order], np.cumsum(weights[order]) - weights[order]
    first = np.searchsorted(risks, risks, side="left")  # equal values are missed together
    fitting = np.flatnonzero(below[first] <= allowed + 1e-9)
    return float(risks[fitting[-1]])
