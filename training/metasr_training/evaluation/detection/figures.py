"""Detectors' curves as figures and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.evaluation.detection.answers import (
    EXACT,
    TRIVIAL,
    any_score,
    at_any_score,
    exact,
    trivial_box,
    with_tumour,
)
from metasr_training.evaluation.detection.curves import (
    CoveragePoint,
    ThresholdPoint,
    coverage_panels,
    detector_coverage,
    reference_coverage,
    threshold_panels,
    threshold_points,
)
from metasr_training.evaluation.detection.tables import threshold_tables
from metasr_training.evaluation.output.plots import save_plot
from metasr_training.tables import write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from metasr_training.evaluation.bench import EvaluationOutput
    from metasr_training.evaluation.detection.answers import Views
    from metasr_training.evaluation.detection.scores import DetectionScore
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.weights import OperatingPoint


def add_coverage(
    output: Path,
    margins: Sequence[float],
    detectors: Mapping[str, Detector],
    points: Mapping[str, OperatingPoint],
    views: Views,
    findings: EvaluationOutput,
) -> None:
    """Add the figure of acceptable regions against their area, as a margin grows."""
    found: list[CoveragePoint] = []
    for condition, seen in views.items():
        tumours = with_tumour(seen)
        for label, detector in detectors.items():
            for name, point in (
                (label, points[label]),
                (any_score(label), at_any_score(points[label])),
            ):
                found += detector_coverage(condition, name, detector, point, tumours, margins)
        share = float(np.mean([view.score([exact(view)]).area_share for view in tumours]))
        for label in TRIVIAL:
            box_of = trivial_box(label, share)
            found += reference_coverage(condition, label, box_of, tumours, margins)
        found += reference_coverage(condition, EXACT, exact, tumours, margins)
    write_rows(output / "coverage.csv", found)
    heading = "Acceptable regions against their area, as a margin grows"
    save_plot(output / "coverage.png", coverage_panels(found, EXACT), heading)
    caption = (
        "Share of the tumours of which at least 95 % lies in the region, against the regions' mean "
        f"area, while a margin of {margins[0]:.0%} to {margins[-1]:.0%} of the slice's longer side "
        "grows around them. The trivial detectors begin with the exact boxes' mean area."
    )
    findings.figures.append(("coverage.png", caption))


def add_thresholds(
    output: Path,
    thresholds: Sequence[float],
    at: str,
    scores: Sequence[DetectionScore],
    findings: EvaluationOutput,
) -> None:
    """Draw sensitivity against specificity, where there are slices without a tumour."""
    groups: dict[tuple[str, str], list[DetectionScore]] = {}
    for score in scores:
        if score.score is not None:
            groups.setdefault((score.condition, score.detector), []).append(score)
    found: list[ThresholdPoint] = []
    for (condition, label), group in groups.items():
        highest = [one.score or 0.0 for one in group]
        tumours = [one.tumour for one in group]
        found += threshold_points(condition, label, highest, tumours, thresholds)
    if not found:
        return
    write_rows(output / "thresholds.csv", found)
    heading = "Slices told right, as the score's threshold falls"
    save_plot(output / "thresholds.png", threshold_panels(found), heading)
    caption = (
        "Share of the slices with a tumour in which anything is found, against the share of those "
        "without one in which nothing is, for score thresholds of "
        f"{thresholds[0]:g} to {thresholds[-1]:g}."
    )
    findings.figures.append(("thresholds.png", caption))
    findings.tables += threshold_tables(found, at)
