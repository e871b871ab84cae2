"""Whether methods differ: a paired test on the same slices, corrected for the number of tests."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.quality.statistics import ROUNDING, holm, signed_rank_p

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_metasr.quality.rating.table import Unblinded


@dataclass(frozen=True)
class PairedTest:
    """Two methods on the slices of which a rater graded both.

    Attributes
    ----------
    first, second
        The methods.
    slices
        How many slices.
    differing
        On how many of them the grades differ.
    difference
        Mean grade of the first minus that of the second; NaN without a slice.
    p
        `signed_rank_p`; NaN without a slice.
    p_corrected
        The same after `holm` over all pairs of methods that have slices.
    """

    first: str
    second: str
    slices: int
    differing: int
    difference: float
    p: float
    p_corrected: float


def paired_tests(ratings: Iterable[Unblinded], methods: Sequence[str]) -> list[PairedTest]:
    """Test every pair of methods.

    A slice counts once, however many raters there are: its difference is the mean over the
    raters who graded both versions.
    """
    grades: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for rating in ratings:
        grades[rating.slice, rating.rater][rating.method] = rating.grade
    differences = {pair: _differences(grades, *pair) for pair in combinations(methods, 2)}
    p_values = {pair: signed_rank_p(found) for pair, found in differences.items() if found}
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return [
        PairedTest(
            *pair,
            slices=len(found),
            differing=int(np.count_nonzero(np.round(found, ROUNDING))),
            difference=float(np.mean(found)) if found else math.nan,
            p=p_values.get(pair, math.nan),
            p_corrected=corrected.get(pair, math.nan),
        )
        for pair, found in differences.items()
    ]


def _differences(
    grades: dict[tuple[str, str], dict[str, int]], first: str, second: str
) -> list[float]:
    by_slice: dict[str, list[int]] = defaultdict(list)
    for (name, _), given in grades.items():
        if first in given and second in given:
            by_slice[name].append(given[first] - given[second])
    return [float(np.mean(found)) for found in by_slice.values()]
