"""Detectors' averages and thresholds as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from metasr_training.evaluation.published import published_text
from metasr_training.evaluation.scores import ALL
from metasr_training.tables import markdown_table

if TYPE_CHECKING:
    from metasr_training.evaluation.detection.curves import ThresholdPoint
    from metasr_training.evaluation.detection.scores import DetectionRow

Tables = list[tuple[str, str]]


def detection_tables(experiment: str, rows: Sequence[DetectionRow], heading: str = "") -> Tables:
    """Tabulate all data sets together, then detectors on each, if there are several.

    Parameters
    ----------
    experiment
        Whose published figures stand beside the measured ones.
    rows
        Of all conditions.
    heading
        What the titles begin with.
    """
    together = [row for row in rows if row.source == ALL]
    apart = [row for row in rows if row.source != ALL and row.sensitivity is not None]
    tables = [(f"{heading}All data sets", markdown_table(_columns(experiment), together))]
    if len({row.source for row in apart}) > 1:
        columns = {"source": _source, **_columns("")}
        tables.append((f"{heading}Each data set", markdown_table(columns, apart)))
    return tables


def threshold_tables(points: Iterable[ThresholdPoint], at: str) -> Tables:
    """Tabulate every detector's sensitivity and specificity by threshold, under one condition."""
    found: dict[float, dict[str, ThresholdPoint]] = {}
    for point in points:
        if point.condition == at:
            found.setdefault(point.threshold, {})[point.detector] = point
    if not found:
        return []
    columns: dict[str, Callable[[dict[str, ThresholdPoint]], str]] = {
        "threshold": lambda row: f"{next(iter(row.values())).threshold:g}"
    }
    for label in next(iter(found.values())):
        columns[f"{label}, sensitivity"] = _share(label, "sensitivity")
        columns[f"{label}, specificity"] = _share(label, "specificity")
    return [(f"Score thresholds at {at}", markdown_table(columns, found.values()))]


def _share(label: str, name: str) -> Callable[[dict[str, ThresholdPoint]], str]:
    return lambda row: percent(getattr(row[label], name))


def percent(share: float | None) -> str:
    """Format a share as ``93.7 %``; empty if it is unknown."""
    return "" if share is None else f"{100 * share:.1f} %"


def _source(row: DetectionRow) -> str:
    return row.source


def _columns(experiment: str) -> dict[str, Callable[[DetectionRow], str]]:
    def printed(metric: str) -> Callable[[DetectionRow], str]:
        return lambda row: published_text(experiment, row.condition, row.detector, metric)

    return {
        "condition": lambda row: row.condition,
        "detector": lambda row: row.detector,
        "tumours": lambda row: str(row.tumours),
        "perfect": lambda row: percent(row.perfect),
        "published perfect (%)": printed("perfect_percent"),
        "acceptable": lambda row: percent(row.acceptable),
        "published acceptable (%)": printed("acceptable_percent"),
        "half covered": lambda row: percent(row.found),
        "IoU": lambda row: f"{row.iou:.3f}",
        "area of the slice": lambda row: percent(row.area_share),
        "of the head's box": lambda row: percent(row.head_share),
        "sensitivity": lambda row: percent(row.sensitivity),
        "patients": lambda row: str(row.patients),
        "patients found": lambda row: percent(row.patients_found),
        "tumour-free slices": lambda row: str(row.without) if row.without else "",
        "specificity": lambda row: percent(row.specificity),
        "ms a slice": lambda row: "" if row.milliseconds is None else f"{row.milliseconds:.0f}",
    }
