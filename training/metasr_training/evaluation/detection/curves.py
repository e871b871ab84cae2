"""What detectors trade: coverage for area as a margin grows, sensitivity for specificity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.evaluation.output.plots import Line, Panel

if TYPE_CHECKING:
    from metasr_training.evaluation.detection.boxes import RegionScore
    from metasr_training.evaluation.detection.views import View
    from napari_metasr.geometry.windows import Window
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.weights import OperatingPoint


@dataclass(frozen=True)
class CoveragePoint:
    """All regions of a detector, grown by a margin: their mean area, and how many cover enough.

    ``margin`` is a share of the slice's longer side.
    """

    condition: str
    detector: str
    margin: float
    area_share: float
    perfect: float
    acceptable: float


@dataclass(frozen=True)
class ThresholdPoint:
    """A detector under a score threshold: slices told right, with and without a tumour."""

    condition: str
    detector: str
    threshold: float
    sensitivity: float
    specificity: float


def coverage_point(
    condition: str, detector: str, margin: float, scores: Sequence[RegionScore]
) -> CoveragePoint:
    """Average the scores of slices with a tumour."""
    return CoveragePoint(
        condition,
        detector,
        margin,
        float(np.mean([one.area_share for one in scores])),
        float(np.mean([one.perfect for one in scores])),
        float(np.mean([one.acceptable for one in scores])),
    )


def detector_coverage(
    condition: str,
    label: str,
    detector: Detector,
    point: OperatingPoint,
    views: Sequence[View],
    margins: Iterable[float],
) -> Iterator[CoveragePoint]:
    """Yield a detector's coverage with one margin after another."""
    for margin in margins:
        wider = point.model_copy(update={"margin": margin})
        scores = [view.score(view.boxes(detector, wider)) for view in views]
        yield coverage_point(condition, label, margin, scores)


def reference_coverage(
    condition: str,
    label: str,
    box_of: Callable[[View], Window],
    views: Sequence[View],
    margins: Iterable[float],
) -> Iterator[CoveragePoint]:
    """Put one margin after another around the one box of a slice."""
    for margin in margins:
        scores = [view.score([box_of(view).grown(margin * max(view.shape))]) for view in views]
        yield coverage_point(condition, label, margin, scores)


def threshold_points(
    condition: str,
    label: str,
    highest: Sequence[float],
    tumours: Sequence[bool],
    thresholds: Iterable[float],
) -> list[ThresholdPoint]:
    """Measure sensitivity and specificity by threshold; none unless slices are of both kinds.

    Parameters
    ----------
    highest
        The highest score of each slice.
    tumours
        Whether there is a tumour in it.
    """
    scores, present = np.array(highest, np.float64), np.array(tumours, bool)
    if present.all() or not present.any():
        return []
    return [
        ThresholdPoint(
            condition,
            label,
            threshold,
            float((scores[present] >= threshold).mean()),
            float((scores[~present] < threshold).mean()),
        )
        for threshold in thresholds
    ]


def coverage_panels(points: Iterable[CoveragePoint], reference: str) -> list[Panel]:
    """Make a coverage panel for each condition; ``reference`` is drawn as the reference line."""
    lines: dict[str, dict[str, list[CoveragePoint]]] = {}
    for point in points:
        lines.setdefault(point.condition, {}).setdefault(point.detector, []).append(point)
    return [
        Panel(
            condition,
            "mean area of the regions (share of the slice)",
            "acceptable",
            tuple(
                Line(
                    label,
                    [one.area_share for one in group],
                    [one.acceptable for one in group],
                    reference=label == reference,
                )
                for label, group in detectors.items()
            ),
        )
        for condition, detectors in lines.items()
    ]


def threshold_panels(points: Iterable[ThresholdPoint]) -> list[Panel]:
    """Make a panel of sensitivity against specificity for each condition."""
    lines: dict[str, dict[str, list[ThresholdPoint]]] = {}
    for point in points:
        lines.setdefault(point.condition, {}).setdefault(point.detector, []).append(point)
    return [
        Panel(
            condition,
            "specificity (slices without a tumour)",
            "sensitivity (slices with one)",
            tuple(
                Line(label, [one.specificity for one in group], [one.sensitivity for one in group])
                for label, group in detectors.items()
            ),
        )
        for condition, detectors in lines.items()
    ]
