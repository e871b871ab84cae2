"""``detection``: how often the lesion detector's box holds the tumour, and how large it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field
from tqdm import tqdm

from metasr_training.catalogue import recipe
from metasr_training.datasets.windows import roi_window
from metasr_training.eight_bits import intensity_limits
from metasr_training.evaluation.bench import Bench, Findings, box_on
from metasr_training.evaluation.boxes import brightest_box, centre_box, mean_size
from metasr_training.evaluation.cases import RegionOptions, degrade_slice, whole_step
from metasr_training.evaluation.detection_scores import (
    CurvePoint,
    DetectionRow,
    DetectionScore,
    Seen,
    coverage_curve,
    covered,
    detection_rows,
    told,
)
from metasr_training.evaluation.plots import Line, Panel, save_plot
from metasr_training.evaluation.published import published_text
from metasr_training.evaluation.scores import ALL
from metasr_training.evaluation.tables import markdown_table, write_rows

if TYPE_CHECKING:
    from metasr_training.datasets.slices import Slice
    from metasr_training.detector import LesionFinder
    from metasr_training.recipe import Condition
    from napari_metasr.volume import Window

CENTRE = "centre of the head"
BRIGHTEST = "brightest blob"


class DetectionOptions(RegionOptions, frozen=True):
    """What the evaluation of a detector takes besides its window's size.

    Attributes
    ----------
    threshold
        The score from which on a tumour counts as found.
    margins
        By which boxes are grown on every side, in high-resolution pixels, for the curve of
        coverage against area.
    """

    threshold: float = Field(0.5, gt=0, lt=1)
    margins: tuple[float, ...] = Field((0, 4, 8, 12, 16, 24, 32, 48, 64), min_length=1)


def evaluate_detection(bench: Bench) -> Findings:
    """Run the detector, and two that need no network, on slices reduced by every condition."""
    options = bench.options(DetectionOptions)
    findings = Findings()
    slices = bench.chosen(lambda one: one.mask is not None)
    findings.images = len(slices)
    method = bench.experiment.methods[0]
    finder = bench.finder()
    scores: list[DetectionScore] = []
    points: list[CurvePoint] = []
    for condition in bench.experiment.conditions:
        findings.took_part([bench.load(recipe(str(method.recipe)).network_name(condition))])
        seen = [
            look(one, condition, finder) for one in tqdm(slices, desc=condition.name, unit="slice")
        ]
        tumours = [one for one in seen if one.tumour is not None]
        if not tumours:
            raise ValueError(f"expected slices with a tumour, found none among {len(slices)}")
        for label, boxes in boxes_of(tumours, method.label, condition, options).items():
            scores += covered(condition.name, label, tumours, boxes, own=label == method.label)
            points += coverage_curve(condition.name, label, tumours, boxes, options.margins)
        scores += told(condition.name, method.label, [one for one in seen if one.tumour is None])
    rows = detection_rows(scores, options.threshold)
    write_rows(bench.output / "scores.csv", scores)
    write_rows(bench.output / "table.csv", rows)
    write_rows(bench.output / "coverage.csv", points)
    findings.tables = _tables(bench.experiment.id, rows)
    heading = "Acceptable boxes against their area, as a margin grows"
    save_plot(bench.output / "coverage.png", _panels(points), heading)
    caption = (
        "Share of the tumours of which at least 95 % lies in the box, against the mean area of the "
        f"boxes, while a margin of {options.margins[0]:g} to {options.margins[-1]:g} pixels grows "
        "around them."
    )
    findings.figures.append(("coverage.png", caption))
    findings.notes.append(
        "Perfect: all of the outlined tumour lies in the box; acceptable: at least 95 %. The "
        f"{CENTRE} and the {BRIGHTEST} have boxes of the detector's mean area; the window is "
        f"{options.roi_size} x {options.roi_size} pixels around the detector's box. The outlines "
        "of tcga-lgg were drawn on FLAIR and reach beyond what T1 post-contrast shows."
    )
    return findings


def look(one: Slice, condition: Condition, finder: LesionFinder) -> Seen:
    """Reduce a slice, and ask the detector."""
    one, truth, low_resolution, _ = degrade_slice(one, condition)
    box, score = finder.detect(low_resolution, intensity_limits(one))
    return Seen(one, truth, box_on(box, low_resolution.shape, (len(truth), len(truth[0]))), score)


def boxes_of(
    seen: Sequence[Seen], label: str, condition: Condition, options: DetectionOptions
) -> dict[str, list[Window]]:
    """The boxes of the detector, of its window of interest, and of the two trivial detectors."""
    boxes = [one.box for one in seen]
    size = mean_size(boxes)
    step, side = whole_step(condition.scale), options.roi_size
    return {
        label: boxes,
        f"{label}, {side} x {side} window": [
            roi_window(one.box, side, (len(one.truth), len(one.truth[0])), step) for one in seen
        ],
        CENTRE: [centre_box(one.head, size) for one in seen],
        BRIGHTEST: [brightest_box(one.truth, size) for one in seen],
    }


def _tables(experiment: str, rows: Sequence[DetectionRow]) -> list[tuple[str, str]]:
    together = [row for row in rows if row.source == ALL]
    apart = [row for row in rows if row.source != ALL]
    tables = [("All data sets", markdown_table(_columns(experiment), together))]
    if len({row.source for row in apart}) > 1:
        columns = {"source": _source, **_columns("")}
        tables.append(("Each data set", markdown_table(columns, apart)))
    return tables


def _source(row: DetectionRow) -> str:
    return row.source


def _columns(experiment: str) -> dict[str, Callable[[DetectionRow], str]]:
    def percent(share: float | None) -> str:
        return "" if share is None else f"{100 * share:.1f} %"

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
        "IoU": lambda row: f"{row.iou:.3f}",
        "area of the slice": lambda row: percent(row.area_share),
        "of the head's box": lambda row: percent(row.head_share),
        "sensitivity": lambda row: percent(row.sensitivity),
        "tumour-free slices": lambda row: str(row.without) if row.without else "",
        "specificity": lambda row: percent(row.specificity),
    }


def _panels(points: Iterable[CurvePoint]) -> list[Panel]:
    lines: dict[str, dict[str, list[CurvePoint]]] = {}
    for point in points:
        lines.setdefault(point.condition, {}).setdefault(point.detector, []).append(point)
    return [
        Panel(
            condition,
            "mean area of the boxes (share of the slice)",
            "acceptable",
            tuple(
                Line(label, [one.area_share for one in group], [one.acceptable for one in group])
                for label, group in detectors.items()
            ),
        )
        for condition, detectors in lines.items()
    ]
