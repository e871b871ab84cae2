"""Detectors, and what they are held against, on every slice under every condition."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from metasr_training.datasets.windows import roi_window
from metasr_training.evaluation.cases import whole_step
from metasr_training.evaluation.detection.boxes import square
from metasr_training.evaluation.detection.scores import DetectionScore, scored
from metasr_training.evaluation.detection.views import View, look
from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from metasr_training.condition import Condition
    from metasr_training.datasets.slices import Slice
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.weights import OperatingPoint

    Views = Mapping[str, Sequence[View]]
    Seconds = Mapping[tuple[str, str], Sequence[float]]

EXACT = "exact box"
TRIVIAL: dict[str, Callable[[View], tuple[float, float]]] = {
    "centre of the head": lambda view: view.head.centre,
    "brightest blob": lambda view: view.brightest,
}
"""Where detectors that have learned nothing look."""


def trivial_box(label: str, share: float) -> Callable[[View], Window]:
    """Return a trivial detector, which finds a square that covers this share of the slice."""
    centre = TRIVIAL[label]
    return lambda view: square(centre(view), share * view.mask.size)


def look_at(slices: Sequence[Slice], conditions: Sequence[Condition]) -> Views:
    """Prepare every slice under every condition.

    Raises
    ------
    ValueError
        If there is no tumour in any of them.
    """
    if not any(one.tumour for one in slices):
        raise ValueError(f"expected slices with a tumour, found none among {len(slices)}")
    return {
        condition.name: [
            look(one, condition) for one in tqdm(slices, desc=condition.name, unit="slice")
        ]
        for condition in conditions
    }


def with_tumour(views: Sequence[View]) -> list[View]:
    """Choose those in which there is something to cover."""
    return [view for view in views if view.tumour is not None]


def exact(view: View) -> Window:
    """Return the tumour's own box.

    Raises
    ------
    ValueError
        If there is none.
    """
    if view.tumour is None:
        raise ValueError(f"expected a slice with a tumour, found {view.slice.name}")
    return view.tumour


def ask(views: Views, detectors: Mapping[str, Detector]) -> Seconds:
    """Time each detector on each slice, by condition and detector.

    Detectors that remember what they have seen are fast from then on.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for condition, seen in views.items():
        for label, detector in detectors.items():
            seconds = found[condition, label] = []
            for view in tqdm(seen, desc=f"{condition}, {label}", unit="slice"):
                started = time.perf_counter()
                view.boxes(detector)
                seconds.append(time.perf_counter() - started)
    return found


def score_all(
    conditions: Sequence[Condition],
    views: Views,
    detectors: Mapping[str, Detector],
    points: Mapping[str, OperatingPoint],
    seconds: Seconds,
    side: int,
) -> Iterator[DetectionScore]:
    """Yield the scores of the exact box, then of each detector and its references.

    Parameters
    ----------
    conditions, views
        As of ``look_at``.
    detectors, points
        By label: those that are asked, and how their answers are read.
    seconds
        As of ``ask``.
    side
        Rows and columns of the window around a detector's surest box.
    """
    for condition in conditions:
        name, seen = condition.name, views[condition.name]
        for view in with_tumour(seen):
            yield scored(name, EXACT, view, [exact(view)])
        for label, detector in detectors.items():
            found = [view.boxes(detector, points[label]) for view in seen]
            for view, boxes, took in zip(seen, found, seconds[name, label], strict=True):
                highest = view.highest(detector, points[label])
                yield scored(name, label, view, boxes, score=highest, seconds=took)
            every = at_any_score(points[label])
            for view in with_tumour(seen):
                yield scored(name, any_score(label), view, view.boxes(detector, every))
            pairs = [one for one in zip(seen, found, strict=True) if one[0].tumour is not None]
            yield from _references(condition, label, pairs, side)


def any_score(label: str) -> str:
    """Name a detector whose boxes count at any score, for slices known to have a tumour."""
    return f"{label}, at any score"


def at_any_score(point: OperatingPoint) -> OperatingPoint:
    """Return the operating point at which a box counts whatever its score."""
    return point.model_copy(update={"threshold": 0.0})


def _references(
    condition: Condition, label: str, found: Sequence[tuple[View, list[Window]]], side: int
) -> Iterator[DetectionScore]:
    """Yield the scores of a detector's window, and of trivial detectors with its mean area."""
    name, step = condition.name, whole_step(condition.scale)
    for view, boxes in found:
        window = [Window(*roi_window(box, side, view.shape, step)) for box in boxes[:1]]
        yield scored(name, f"{label}, {side} x {side} window", view, window)
    share = float(np.mean([view.score(boxes).area_share for view, boxes in found]))
    for trivial in TRIVIAL:
        box_of = trivial_box(trivial, share)
        for view, _ in found:
            yield scored(name, f"{trivial}, as large as {label}", view, [box_of(view)])
