"""Detectors on every slice, their averages, and coverage against area."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.windows import mask_box
from metasr_training.evaluation.boxes import grown, score_box
from metasr_training.evaluation.scores import ALL
from metasr_training.overlap import ACCEPTABLE
from napari_metasr.quality.metrics import brain_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice
    from metasr_training.evaluation.boxes import BoxScore
    from napari_metasr.volume import Window


@dataclass(frozen=True)
class Seen:
    """A slice, and what the lesion detector made of it, in high-resolution pixels."""

    slice: Slice
    truth: NDArray[np.float32]
    box: Window
    score: float

    @property
    def tumour(self) -> Window | None:
        """The tumour's own box."""
        return None if self.slice.mask is None else mask_box(self.slice.mask)

    @property
    def head(self) -> Window:
        """The head's box."""
        return brain_box(self.truth)

    def against(self, box: Window) -> BoxScore:
        """Score any box against the tumour.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self.slice.mask is None or self.tumour is None:
            raise ValueError(f"expected a slice with a tumour, found {self.slice.name}")
        return score_box(box, self.slice.mask, self.tumour, self.head)


@dataclass(frozen=True)
class DetectionScore:
    """One slice and one detector; where there is no tumour there is nothing to cover."""

    condition: str
    detector: str
    source: str
    patient: str
    image: str
    tumour: bool
    score: float | None
    coverage: float | None = None
    iou: float | None = None
    area_share: float | None = None
    head_share: float | None = None


@dataclass(frozen=True)
class DetectionRow:
    """A detector under a condition, on the slices of one source or of all.

    ``perfect`` and ``acceptable`` are shares of the slices with a tumour whose box covers all of
    it, and at least 95 %; ``sensitivity`` and ``specificity`` are shares of the slices with and
    without a tumour that are told right.
    """

    condition: str
    detector: str
    source: str
    tumours: int
    without: int
    perfect: float
    acceptable: float
    iou: float
    area_share: float
    head_share: float
    sensitivity: float | None
    specificity: float | None


@dataclass(frozen=True)
class CurvePoint:
    """All boxes of a detector, grown by a margin: their mean area, and how many cover enough."""

    condition: str
    detector: str
    margin: float
    area_share: float
    perfect: float
    acceptable: float


def covered(
    condition: str, detector: str, seen: Iterable[Seen], boxes: Iterable[Window], *, own: bool
) -> Iterator[DetectionScore]:
    """Score a detector's boxes on slices with a tumour; its ``own`` ones come with its score."""
    for one, box in zip(seen, boxes, strict=True):
        found = one.against(box)
        yield DetectionScore(
            condition, detector, one.slice.source, one.slice.patient, one.slice.name, True,
            one.score if own else None,
            found.coverage, found.iou, found.area_share, found.head_share,
        )  # fmt: skip


def told(condition: str, detector: str, seen: Iterable[Seen]) -> Iterator[DetectionScore]:
    """The detector's scores on slices without a tumour."""
    for one in seen:
        part = one.slice
        yield DetectionScore(
            condition, detector, part.source, part.patient, part.name, False, one.score
        )


def detection_rows(scores: Iterable[DetectionScore], threshold: float) -> list[DetectionRow]:
    """Average by condition, detector and source, all sources together too."""
    groups: dict[tuple[str, str, str], list[DetectionScore]] = defaultdict(list)
    for score in scores:
        for source in (ALL, score.source):
            groups[score.condition, score.detector, source].append(score)
    return [
        _row(key, group, threshold)
        for key, group in groups.items()
        if any(score.tumour for score in group)
    ]


def coverage_curve(
    condition: str,
    detector: str,
    seen: Sequence[Seen],
    boxes: Sequence[Window],
    margins: Iterable[float],
) -> Iterator[CurvePoint]:
    """The boxes with one margin after another around them."""
    for margin in margins:
        found = [one.against(grown(box, margin)) for one, box in zip(seen, boxes, strict=True)]
        yield CurvePoint(
            condition,
            detector,
            margin,
            float(np.mean([box.area_share for box in found])),
            float(np.mean([box.perfect for box in found])),
            float(np.mean([box.acceptable for box in found])),
        )


def _row(
    key: tuple[str, str, str], group: Sequence[DetectionScore], threshold: float
) -> DetectionRow:
    tumours = [score for score in group if score.tumour]
    coverage, iou, area_share, head_share = (
        np.array([getattr(score, name) for score in tumours], np.float64)
        for name in ("coverage", "iou", "area_share", "head_share")
    )
    return DetectionRow(
        *key,
        tumours=len(tumours),
        without=len(group) - len(tumours),
        perfect=float((coverage >= 1).mean()),
        acceptable=float((coverage >= ACCEPTABLE).mean()),
        iou=float(iou.mean()),
        area_share=float(area_share.mean()),
        head_share=float(head_share.mean()),
        sensitivity=_right(tumours, threshold),
        specificity=_right([score for score in group if not score.tumour], threshold),
    )


def _right(scores: Iterable[DetectionScore], threshold: float) -> float | None:
    """The share of slices whose score is on the right side; None without a score."""
    right = [
        (score.score >= threshold) == score.tumour for score in scores if score.score is not None
    ]
    return float(np.mean(right)) if right else None
