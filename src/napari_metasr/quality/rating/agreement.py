"""How far raters agree: weighted kappa of two, intraclass correlation of all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.quality.rating.study import GRADES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_metasr.quality.rating.table import Unblinded


@dataclass(frozen=True)
class PairAgreement:
    """Two raters, on the images that both rated.

    Attributes
    ----------
    first, second
        The raters.
    images
        How many both rated.
    same
        Share of them that got the same grade, 0 to 1.
    kappa
        `weighted_kappa` of their grades.
    """

    first: str
    second: str
    images: int
    same: float
    kappa: float


@dataclass(frozen=True)
class RaterAgreement:
    """All raters: every pair, and `intraclass_correlation` on the images that all rated."""

    pairs: tuple[PairAgreement, ...]
    raters: int
    images: int
    icc: float


def weighted_kappa(
    first: Sequence[int], second: Sequence[int], categories: int = len(GRADES)
) -> float:
    """Compute Cohen's kappa with quadratic weights (Cohen, Psychological Bulletin 1968).

    ``1 - sum(w o) / sum(w e)`` with ``w = (i - j)^2`` over the table ``o`` of both raters' grades
    and the table ``e`` that their separate counts let expect by chance.

    Parameters
    ----------
    first, second
        Grades of the same images, 0 to ``categories - 1``.

    Returns
    -------
    float
        1 for full agreement, 0 for what chance gives, NaN where that is undefined: no image, or
        both raters gave one and the same grade throughout.

    Raises
    ------
    ValueError
        If there are not as many of the one as of the other.
    """
    if len(first) != len(second):
        raise ValueError(f"expected as many grades of both, found {len(first)} and {len(second)}")
    if not first:
        return math.nan
    observed = np.zeros((categories, categories))
    np.add.at(observed, (np.asarray(first), np.asarray(second)), 1 / len(first))
    expected = np.outer(observed.sum(1), observed.sum(0))
    grades = np.arange(categories)
    weights = (grades[:, None] - grades) ** 2
    by_chance = float((weights * expected).sum())
    return 1 - float((weights * observed).sum()) / by_chance if by_chance > 0 else math.nan


def intraclass_correlation(grades: NDArray[Any]) -> float:
    """Compute ICC(2,1): two-way random effects, absolute agreement, a single rater.

    Shrout and Fleiss, Psychological Bulletin 1979: ``(BMS - EMS) / (BMS + (k - 1) EMS +
    k (JMS - EMS) / n)`` with the mean squares between images, between raters and of the rest.

    Parameters
    ----------
    grades
        (images, raters), complete.

    Returns
    -------
    float
        At most 1; NaN with fewer than two images or raters, or where all grades are alike.
    """
    images, raters = grades.shape
    if images < 2 or raters < 2:
        return math.nan
    mean = grades.mean()
    of_images, of_raters = grades.mean(1, keepdims=True), grades.mean(0, keepdims=True)
    rest = grades - of_images - of_raters + mean
    between_images = raters * ((of_images - mean) ** 2).sum() / (images - 1)
    between_raters = images * ((of_raters - mean) ** 2).sum() / (raters - 1)
    error = (rest**2).sum() / ((images - 1) * (raters - 1))
    scale = between_images + (raters - 1) * error + raters * (between_raters - error) / images
    return float((between_images - error) / scale) if scale > 0 else math.nan


def agreement(ratings: Iterable[Unblinded]) -> RaterAgreement:
    """Measure the agreement of a study's raters."""
    by_rater: dict[str, dict[str, int]] = {}
    for rating in ratings:
        by_rater.setdefault(rating.rater, {})[rating.image] = rating.grade
    common = sorted(set.intersection(*map(set, by_rater.values()))) if by_rater else []
    grades = [[given[image] for given in by_rater.values()] for image in common]
    return RaterAgreement(
        pairs=tuple(
            _pair(first, by_rater[first], second, by_rater[second])
            for first, second in combinations(by_rater, 2)
        ),
        raters=len(by_rater),
        images=len(common),
        icc=intraclass_correlation(np.array(grades).reshape(len(common), len(by_rater))),
    )


def _pair(
    first: str, first_grades: dict[str, int], second: str, second_grades: dict[str, int]
) -> PairAgreement:
    common = sorted(first_grades.keys() & second_grades.keys())
    one, other = ([given[image] for image in common] for given in (first_grades, second_grades))
    return PairAgreement(
        first=first,
        second=second,
        images=len(common),
        same=float(np.equal(one, other).mean()) if common else math.nan,
        kappa=weighted_kappa(one, other),
    )
