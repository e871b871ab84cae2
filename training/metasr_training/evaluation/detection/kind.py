"""``detection``: how often lesion detectors' regions hold the tumour, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from pydantic import Field

from metasr_training.catalogue import recipe
from metasr_training.datasets.familiar import familiar_brightness
from metasr_training.detector import MAPPING, keep_point
from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.cases import RegionOptions
from metasr_training.evaluation.detection.answers import ask, look_at, score_all
from metasr_training.evaluation.detection.figures import add_coverage, add_thresholds
from metasr_training.evaluation.detection.operating_point import choice_text, choose_point
from metasr_training.evaluation.detection.scores import DetectionScore, detection_rows
from metasr_training.evaluation.detection.tables import Tables, detection_tables
from metasr_training.tables import write_rows

if TYPE_CHECKING:
    from metasr_training.datasets.slices import Slice
    from metasr_training.evaluation.detection.answers import Views
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.weights import OperatingPoint

NOTES = """\
Regions are the union of a detector's boxes, at full resolution. Perfect: all of the outlined \
tumour lies in the region; acceptable: at least 95 %; half covered: at least 50 %; a tumour that \
was missed is not covered, and its region has no area. Sensitivity and specificity: shares of the \
slices with a tumour in which anything is found, and of those without one in which nothing is. A \
patient is found if at least half of the tumour is covered in at least one of the slices \
evaluated. At any score: told that there is a tumour, as there seems to be in all of the paper's \
slices. The exact box is that of the outline; the two trivial detectors, squares around the \
centre of the head and around the brightest blob, are as large as the detector's regions on \
average, cut off at the slice's edges; windows of {side} x {side} pixels lie around its surest \
box. Milliseconds are medians, on {threads} threads of this machine, one slice at a time. The \
outlines of tcga-lgg were drawn on FLAIR and reach beyond what T1 post-contrast shows; of cheng \
there are tumours alone, so that specificity is of other data sets."""


class DetectionOptions(RegionOptions, frozen=True):
    """What the evaluation of detectors takes besides its window's size.

    Attributes
    ----------
    choose
        Choose each detector's operating point on these slices, of validation patients, and keep
        it beside its weights.
    test
        Evaluate test patients too, at the same operating points. For the end.
    at
        The condition that level and margin are chosen under.
    margins
        By which regions are grown on every side, as shares of the slice's longer side.
    levels
        Of a map, to choose from.
    thresholds
        Of the score, for the curve of sensitivity against specificity.
    """

    choose: bool = False
    test: bool = False
    at: str = "x2"
    margins: tuple[float, ...] = Field(
        (0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25), min_length=1
    )
    levels: tuple[float, ...] = Field((0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), min_length=1)
    thresholds: tuple[float, ...] = Field(
        (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95), min_length=1
    )


def evaluate_detection(bench: Bench) -> EvaluationOutput:
    """Run detectors, and two that need no network, on slices reduced by every condition.

    Raises
    ------
    ValueError
        If no slice has an outline, or none a tumour; or operating points are to be chosen on
        other patients than those of validation.
    """
    options = bench.options(DetectionOptions)
    conditions = bench.experiment.conditions
    if options.choose and bench.split != "val":
        raise ValueError(f"expected validation patients to choose on, found {bench.split}")
    if options.choose and options.at not in {one.name for one in conditions}:
        raise ValueError(
            f"expected a condition among {', '.join(one.name for one in conditions)} to choose "
            f"at, found {options.at!r}"
        )
    names = {
        method.label: recipe(str(method.recipe)).network_name(conditions[0])
        for method in bench.experiment.methods
    }
    findings = EvaluationOutput()
    findings.took_part(map(bench.load, names.values()))
    detectors = {label: bench.detector(name) for label, name in names.items()}
    slices = bench.chosen(_outlined)
    findings.images = len(slices)
    findings.notes = [NOTES.format(side=options.roi_size, threads=torch.get_num_threads())]
    views = look_at(slices, conditions)
    seconds = ask(views, detectors)
    points = {label: detector.point for label, detector in detectors.items()}
    if options.choose:
        for label, name in names.items():
            points[label] = _chosen(bench, options, label, name, detectors[label], views, findings)
    scores = list(score_all(conditions, views, detectors, points, seconds, options.roi_size))
    findings.tables = _tables(bench, scores, "table")
    add_coverage(bench.output, options.margins, detectors, points, views, findings)
    add_thresholds(bench.output, options.thresholds, options.at, scores, findings)
    if options.test:
        held_out = look_at(bench.some_of(bench.of_split("test"), _outlined), conditions)
        seconds = ask(held_out, detectors)
        scores = list(score_all(conditions, held_out, detectors, points, seconds, options.roi_size))
        findings.tables += _tables(bench, scores, "test-table", "Test patients: ")
    return findings


def _outlined(one: Slice) -> bool:
    return one.mask is not None


def _chosen(
    bench: Bench,
    options: DetectionOptions,
    label: str,
    name: str,
    detector: Detector,
    views: Views,
    findings: EvaluationOutput,
) -> OperatingPoint:
    """Choose a detector's operating point, with what it has seen; keep it and tell it."""
    levels = options.levels if name in MAPPING else (detector.point.level,)
    choice = choose_point(detector, views, options.at, levels=levels, margins=options.margins)
    config = bench.load(name).config.detection
    seen = familiar_brightness(
        bench.some_of(bench.of_split("train"), _outlined), config.stripped_share if config else 0
    )
    point = choice.point.model_copy(update={"brightness": seen})
    keep_point(bench.run, name, point)
    findings.notes.append(choice_text(label, replace(choice, point=point), options.at))
    return point


def _tables(bench: Bench, scores: Sequence[DetectionScore], name: str, heading: str = "") -> Tables:
    """Write scores and averages to files, and return the averages as tables."""
    rows = detection_rows(scores)
    write_rows(bench.output / f"{name.replace('table', 'scores')}.csv", scores)
    write_rows(bench.output / f"{name}.csv", rows)
    return detection_tables(bench.experiment.id, rows, heading)
