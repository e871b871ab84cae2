"""What raters said of each method: mean opinion scores, grades and flags."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.quality.rating.study import FLAGS, GRADES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from napari_metasr.quality.rating.answers import Rating
    from napari_metasr.quality.rating.key import Key


@dataclass(frozen=True)
class Unblinded:
    """A rating with what was rated.

    ``late`` says that it was given after the key had been opened, ``scripted`` that a program gave
    it, not a person.
    """

    rater: str
    image: str
    slice: str
    method: str
    grade: int
    flags: str
    time: datetime
    late: bool
    scripted: bool


@dataclass(frozen=True)
class MethodScore:
    """What was said of one method.

    Attributes
    ----------
    method
        Its label.
    ratings
        How many ratings there are: images times raters.
    mean, std
        Of the grades. The standard deviation is that of the population (divided by n), which
        gives the published table's figures from its counts; both are NaN without a rating.
    counts
        How often each grade was given, from 0 to 4.
    flags
        How often each flag was raised.
    scripted
        How many of the ratings a program gave.
    """

    method: str
    ratings: int
    mean: float
    std: float
    counts: tuple[int, ...]
    flags: dict[str, int]
    scripted: int = 0

    @classmethod
    def of(cls, method: str, answers: Sequence[tuple[int, str]], scripted: int = 0) -> MethodScore:
        """Summarise (grade, flags) of a method's ratings."""
        grades = [grade for grade, _ in answers]
        counted = Counter(grades)
        return cls(
            method=method,
            ratings=len(grades),
            mean=float(np.mean(grades)) if grades else math.nan,
            std=float(np.std(grades)) if grades else math.nan,
            counts=tuple(counted[grade] for grade in range(len(GRADES))),
            flags={flag: sum(flag in raised for _, raised in answers) for flag in FLAGS},
            scripted=scripted,
        )


def unblind(answers: Iterable[Rating], key: Key, opened: datetime | None) -> list[Unblinded]:
    """Say of every rating what was rated, in the order of the images.

    Parameters
    ----------
    answers
        Of one rater or of several.
    key
        The opened key.
    opened
        When it was opened first before now, if it was.
    """
    return sorted(
        (
            Unblinded(
                rater=answer.rater,
                image=answer.image,
                slice=key.images[answer.image].slice,
                method=key.images[answer.image].method,
                grade=answer.grade,
                flags=answer.flags,
                time=answer.time,
                late=opened is not None and answer.time > opened,
                scripted=answer.scripted,
            )
            for answer in answers
        ),
        key=lambda one: (one.rater, one.image),
    )


def method_scores(ratings: Iterable[Unblinded], methods: Sequence[str]) -> list[MethodScore]:
    """Return the rows of the table, one a method, in this order."""
    given: dict[str, list[Unblinded]] = {method: [] for method in methods}
    for rating in ratings:
        given[rating.method].append(rating)
    return [
        MethodScore.of(
            method,
            [(rating.grade, rating.flags) for rating in found],
            scripted=sum(rating.scripted for rating in found),
        )
        for method, found in given.items()
    ]
