"""What raters said of each image, for tests between methods on the same slices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from metasr_training.evaluation.scores import ImageOfMethod

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metasr_training.datasets.slices import Slice
    from napari_metasr.quality.rating import StudyScore


@dataclass(frozen=True)
class ImageOpinion(ImageOfMethod):
    """One method's opinion score on one image: the mean grade of its raters, 0 to 4."""

    mos: float


def rated_name(one: Slice) -> str:
    """Return a slice's name in a study."""
    return f"{one.source}/{one.name}"


def image_opinions(
    score: StudyScore, slices: Iterable[Slice], condition: str, region: str
) -> list[ImageOpinion]:
    """Average over raters the grades of each image, in the order of methods and slices.

    Ratings of scripts are left out, since they are no person's opinion.
    """
    grades: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in score.ratings:
        if not one.scripted:
            grades[one.method, one.slice].append(one.grade)
    return [
        ImageOpinion(condition, method, one.source, one.patient, one.name, region, fmean(given))
        for method in score.methods
        for one in slices
        if (given := grades.get((method, rated_name(one))))
    ]
