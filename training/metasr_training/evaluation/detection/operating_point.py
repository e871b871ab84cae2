"""Choosing how a detector's answers are read: threshold, then level and margin.

On validation patients: figures of the same patients at a point chosen on them flatter it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.evaluation.detection.curves import CoveragePoint, detector_coverage

if TYPE_CHECKING:
    from metasr_training.evaluation.detection.views import View
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.weights import OperatingPoint

SPECIFICITY = 0.9
"""Share of the slices without a tumour that have to stay empty."""

ENOUGH = 0.95
"""Share of the tumours that have to be covered acceptably."""

LARGEST_SHARE = 0.25
"""Share of a slice that regions may take on average: covering everything is worthless."""

CLOSE = 0.03
"""Share of the tumours that is given up for smaller regions where not enough can be covered."""

THRESHOLDS = tuple(step / 200 for step in range(1, 200))


@dataclass(frozen=True)
class Choice:
    """A point, and what it reaches under the condition it was chosen at.

    Attributes
    ----------
    point
        Threshold, level and margin; the rest is as before.
    acceptable, area_share
        Of the slices with a tumour, see ``CoveragePoint``.
    specific
        Whether enough slices without a tumour stay empty under every condition.
    reached
        Whether enough tumours are covered, by regions that are small enough.
    """

    point: OperatingPoint
    acceptable: float
    area_share: float
    specific: bool
    reached: bool


def lowest_threshold(scores: Iterable[Sequence[float]]) -> tuple[float, bool]:
    """Find the lowest threshold that is specific enough, and therefore the most sensitive one.

    Parameters
    ----------
    scores
        For each condition the highest scores of its slices without a tumour; at least one.

    Returns
    -------
    threshold, specific
        The highest there is, and False, where none will do.
    """
    groups = [np.array(group, np.float64) for group in scores]
    for threshold in THRESHOLDS:
        if all((group < threshold).mean() >= SPECIFICITY for group in groups):
            return threshold, True
    return THRESHOLDS[-1], False


def choose_point(
    detector: Detector,
    views: Mapping[str, Sequence[View]],
    at: str,
    *,
    levels: Iterable[float],
    margins: Iterable[float],
) -> Choice:
    """Choose how a detector's answers are read.

    First the lowest score threshold that leaves 90 % of the slices without a tumour empty under
    every condition, so that sensitivity is the highest. Then, under one condition, the level (none
    above the threshold, which it would raise) and margin with the smallest mean area of all that
    cover 95 % of the tumours acceptably; where none does on a quarter of the slice or less, the
    smallest that covers at most 3 % of the tumours fewer than the best of those that are as small:
    the last few cost as much area as all others.

    Parameters
    ----------
    detector
        Whose ``point`` is kept where there is nothing to choose by: the threshold without slices
        that have no tumour.
    views
        Slices by condition, some with a tumour.
    at
        The condition that level and margin are chosen under.
    levels, margins
        To choose from.
    """
    levels = sorted(levels)
    lowest = detector.point.model_copy(update={"level": levels[0]})
    empty = [
        [view.highest(detector, lowest) for view in group if view.tumour is None]
        for group in views.values()
    ]
    threshold, specific = detector.point.threshold, True
    if all(empty):
        threshold, specific = lowest_threshold(empty)
    tumours = [view for view in views[at] if view.tumour is not None]
    tried: list[tuple[OperatingPoint, CoveragePoint]] = []
    for level in [one for one in levels if one <= threshold] or levels[:1]:
        point = lowest.model_copy(update={"threshold": threshold, "level": level})
        for found in detector_coverage(at, "", detector, point, tumours, sorted(margins)):
            tried.append((point.model_copy(update={"margin": found.margin}), found))
            if found.acceptable >= ENOUGH or found.area_share > LARGEST_SHARE:
                break
    small = [one for _, one in tried if one.area_share <= LARGEST_SHARE]
    most = max((one.acceptable for one in small), default=0.0)
    point, found = max(tried, key=lambda one: _worth(one[1], most))
    return Choice(point, found.acceptable, found.area_share, specific, _reached(found))


def choice_text(label: str, choice: Choice, at: str) -> str:
    """Describe a choice in words, with the point as JSON for a model card."""
    if not choice.specific:
        verdict = f"no threshold leaves {SPECIFICITY:.0%} of the slices without a tumour empty"
    elif choice.reached:
        verdict = "which is what was aimed at"
    else:
        verdict = (
            f"within {CLOSE:.0%} of the most that {LARGEST_SHARE:.0%} of the slice holds, and less "
            "than was aimed at"
        )
    return (
        f"Operating point of {label}, chosen on these very patients, whom its figures above "
        f"flatter: {choice.acceptable:.1%} acceptable at {at} on {choice.area_share:.1%} of the "
        f"slice, {verdict}. For its card: `{choice.point.model_dump_json()}`"
    )


def _reached(found: CoveragePoint) -> bool:
    return found.acceptable >= ENOUGH and found.area_share <= LARGEST_SHARE


def _worth(found: CoveragePoint, most: float) -> tuple[float, float, float]:
    """Rank a candidate: acceptable enough first, then close to the best, then by smallest area."""
    if _reached(found):
        return 3.0, -found.area_share, found.acceptable
    if found.area_share > LARGEST_SHARE:
        return 0.0, -found.area_share, found.acceptable
    nearly = found.acceptable >= most - CLOSE
    return (2.0 if nearly else 1.0), -found.area_share, found.acceptable
