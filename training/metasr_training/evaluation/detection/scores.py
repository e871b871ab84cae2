"""Detectors on every slice, and their averages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.evaluation.scores import ALL
from metasr_training.overlap import ACCEPTABLE, FOUND

if TYPE_CHECKING:
    from metasr_training.evaluation.detection.views import View
    from napari_metasr.geometry.windows import Window


@dataclass(frozen=True)
class DetectionScore:
    """One slice and one detector; where there is no tumour there is nothing to cover.

    Attributes
    ----------
    tumour
        Whether there is one in the slice.
    regions, score
        How many boxes were found, and the highest score; None of a reference, which is told that
        there is a tumour.
    seconds
        That the detector took for the slice.
    coverage, iou, area_share, head_share
        See ``RegionScore``; None without a tumour.
    """

    condition: str
    detector: str
    source: str
    patient: str
    image: str
    tumour: bool
    regions: int | None = None
    score: float | None = None
    seconds: float | None = None
    coverage: float | None = None
    iou: float | None = None
    area_share: float | None = None
    head_share: float | None = None


@dataclass(frozen=True)
class DetectionRow:
    """A detector under a condition, on the slices of one source or of all.

    Attributes
    ----------
    tumours, patients, without
        Slices with a tumour, the patients they are of, and slices without one.
    perfect, acceptable, found
        Shares of the slices with a tumour of which all, at least 95 %, and at least half is
        covered; a tumour that was missed is not covered.
    iou, area_share, head_share
        Means over the slices with a tumour; 0 where it was missed.
    sensitivity, specificity
        Shares of the slices with a tumour in which something is found, and of those without one
        in which nothing is.
    patients_found
        Share of the patients with a tumour, at least half of which is covered in at least one of
        their slices.
    milliseconds
        Median time a slice.
    """

    condition: str
    detector: str
    source: str
    tumours: int
    patients: int
    without: int
    perfect: float
    acceptable: float
    found: float
    iou: float
    area_share: float
    head_share: float
    sensitivity: float | None
    patients_found: float
    specificity: float | None
    milliseconds: float | None


def scored(
    condition: str,
    detector: str,
    view: View,
    boxes: Sequence[Window],
    *,
    score: float | None = None,
    seconds: float | None = None,
) -> DetectionScore:
    """Score the boxes of a detector, or with no ``score`` those of a reference."""
    part = view.slice
    tumour = view.tumour is not None
    return DetectionScore(
        condition, detector, part.source, part.patient, part.name, tumour,
        None if score is None else len(boxes), score, seconds,
        **(asdict(view.score(boxes)) if tumour else {}),
    )  # fmt: skip


def detection_rows(scores: Iterable[DetectionScore]) -> list[DetectionRow]:
    """Average by condition, detector and source, all sources together too."""
    groups: dict[tuple[str, str, str], list[DetectionScore]] = defaultdict(list)
    for score in scores:
        for source in (ALL, score.source):
            groups[score.condition, score.detector, source].append(score)
    return [
        _row(key, group) for key, group in groups.items() if any(score.tumour for score in group)
    ]


def _row(key: tuple[str, str, str], group: Sequence[DetectionScore]) -> DetectionRow:
    tumours = [score for score in group if score.tumour]
    coverage, iou, area_share, head_share = (
        np.array([getattr(score, name) for score in tumours], np.float64)
        for name in ("coverage", "iou", "area_share", "head_share")
    )
    best: dict[tuple[str, str], float] = defaultdict(float)
    for score, share in zip(tumours, coverage, strict=True):
        best[score.source, score.patient] = max(best[score.source, score.patient], share)
    seconds = [score.seconds for score in group if score.seconds is not None]
    wrong = _alarms([score for score in group if not score.tumour])
    return DetectionRow(
        *key,
        tumours=len(tumours),
        patients=len(best),
        without=len(group) - len(tumours),
        perfect=float((coverage >= 1).mean()),
        acceptable=float((coverage >= ACCEPTABLE).mean()),
        found=float((coverage >= FOUND).mean()),
        iou=float(iou.mean()),
        area_share=float(area_share.mean()),
        head_share=float(head_share.mean()),
        sensitivity=_alarms(tumours),
        patients_found=float(np.mean([share >= FOUND for share in best.values()])),
        specificity=None if wrong is None else 1 - wrong,
        milliseconds=1000 * float(np.median(seconds)) if seconds else None,
    )


def _alarms(scores: Iterable[DetectionScore]) -> float | None:
    """Return the share of slices in which anything was found; None for references."""
    found = [score.regions > 0 for score in scores if score.regions is not None]
    return float(np.mean(found)) if found else None
