"""Boxes against tumours, and the evaluation of a detector that is known."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from fakes.evaluation import FakeFinder, bench, experiment
from fakes.training import slices

from metasr_training.condition import Condition
from metasr_training.datasets.slices import Slice
from metasr_training.detector import UNTUNED, kept_point
from metasr_training.evaluation.detection import figures as detection_figures
from metasr_training.evaluation.detection.answers import EXACT, TRIVIAL
from metasr_training.evaluation.detection.boxes import (
    brightest_point,
    score_region,
    square,
)
from metasr_training.evaluation.detection.curves import threshold_points
from metasr_training.evaluation.detection.kind import evaluate_detection
from metasr_training.evaluation.detection.scores import DetectionScore, detection_rows
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.brightness import brightness


@pytest.fixture
def mask():
    """A tumour of 4 x 5 pixels in a slice of 20 x 20."""
    mask = np.zeros((20, 20), bool)
    mask[8:12, 10:15] = True
    return mask


TUMOUR = Window(8, 10, 12, 15)
HEAD = Window(0, 0, 20, 10)


def test_coverage_iou_and_area_by_hand(mask):
    exact = score_region([TUMOUR], mask, TUMOUR, HEAD)
    assert (exact.coverage, exact.iou, exact.area_share, exact.head_share) == Window(
        1, 1, 0.05, 0.1
    )
    assert exact.perfect
    half = score_region([Window(8, 10, 10, 15)], mask, TUMOUR, HEAD)
    assert (half.coverage, half.iou) == (0.5, 0.5)
    assert half.found
    assert not half.acceptable
    everything = score_region([Window(-3, 0, 20, 99)], mask, TUMOUR, HEAD)
    assert everything.perfect
    assert everything.iou == pytest.approx(20 / 400)
    away = score_region([Window(0, 0, 5, 5)], mask, TUMOUR, HEAD)
    assert (away.coverage, away.iou, away.found) == (0, 0, False)


def test_boxes_count_together_and_what_they_share_counts_once(mask):
    halves = [Window(8, 10, 10, 15), Window(9, 10, 12, 15)]
    found = score_region(halves, mask, TUMOUR, HEAD)
    assert (found.coverage, found.iou, found.area_share) == (1, 1, 0.05)
    beside = score_region([*halves, Window(0, 0, 2, 10)], mask, TUMOUR, HEAD)
    assert (beside.coverage, beside.iou, beside.area_share) == (1, 0.5, 0.1)


def test_a_tumour_that_was_missed_is_not_covered_and_has_no_area(mask):
    missed = score_region([], mask, TUMOUR, HEAD)
    assert (missed.coverage, missed.iou, missed.area_share, missed.head_share) == Window(0, 0, 0, 0)


def test_nineteen_pixels_of_twenty_are_acceptable_and_not_perfect(mask):
    mask[0, 0] = True
    mask[8, 10] = False
    found = score_region([TUMOUR], mask, TUMOUR, HEAD)
    assert found.coverage == pytest.approx(19 / 20)
    assert found.acceptable
    assert not found.perfect


def test_a_box_turned_inside_out_or_outside_holds_nothing(mask):
    for box in (
        Window(12, 15, 8, 10),
        Window(10.2, 12.2, 10.2, 12.2),
        Window(-9, 0, -2, 5),
        Window(30, 0, 40, 5),
    ):
        found = score_region([box], mask, TUMOUR, HEAD)
        assert (found.coverage, found.area_share) == (0, 0)


def test_trivial_boxes_have_the_area_they_are_given():
    assert square((20, 40), 36) == Window(17, 37, 23, 43)
    image = np.zeros((60, 60))
    image[40:44, 10:14] = 200
    row, column = brightest_point(image)
    assert row == pytest.approx(42, abs=1)
    assert column == pytest.approx(12, abs=1)
    assert Window(0, 0, 4, 4).grown(1).area == 36


def score(tumour, regions, coverage=None, source="a", patient="p"):
    return DetectionScore(
        "x2", "LD", source, patient, "i", tumour, regions, 0.9, 0.01, coverage, 0.5, 0.2, 0.4
    )


def test_shares_are_of_the_slices_with_and_without_a_tumour():
    scores = [
        score(True, 2, 1.0),
        score(True, 0, 0.0),
        score(True, 1, 0.96, patient="q"),
        score(True, 1, 0.3, source="b"),  # another patient of the same number
        score(False, 3),
        score(False, 0, patient="r"),
        score(False, 0, patient="s"),
    ]
    row, a, b = detection_rows(scores)
    assert (row.source, a.source, b.source) == ("all", "a", "b")
    assert (row.tumours, row.patients, row.without) == (4, 3, 3)
    assert (row.perfect, row.acceptable, row.found) == (0.25, 0.5, 0.5)
    assert row.sensitivity == 0.75
    assert row.patients_found == pytest.approx(2 / 3)
    assert row.specificity == pytest.approx(2 / 3)
    assert row.milliseconds == 10
    assert (b.specificity, b.sensitivity, b.patients_found) == (None, 1, 0)


def test_references_are_told_that_there_is_a_tumour():
    scores = [score(True, None, 1.0), score(True, None, 0.0, patient="q")]
    row, _ = detection_rows(scores)
    assert (row.sensitivity, row.specificity, row.patients_found) == (None, None, 0.5)


def test_thresholds_trade_sensitivity_for_specificity():
    found = threshold_points(
        "x2", "LD", [0.2, 0.6, 0.9, 0.1, 0.7], [True] * 3 + [False] * 2, [0.1, 0.5, 0.8]
    )
    assert [one.sensitivity for one in found] == pytest.approx([1, 2 / 3, 1 / 3])
    assert [one.specificity for one in found] == [0, 0.5, 1]
    assert threshold_points("x2", "LD", [0.2], [True], [0.5]) == []


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out the figures, which take longer than all the rest."""
    monkeypatch.setattr(detection_figures, "save_plot", lambda *_: None)


def healthy(one, name="healthy"):
    """A slice of another patient, without its tumour."""
    image = np.where(one.mask, 100, one.image).astype(np.uint8)
    return Slice(image, one.intensity_range, "disc", name, name, one.mask & False)


def evaluated(tmp_path, parts, detectors, **changes):
    """The detectors by their networks' names; the findings, the bench and the table's rows."""
    wanted = experiment(
        "detection",
        id="lfsr-detection",
        conditions=(Condition(scale=1), Condition(scale=2)),
        methods=(
            {"label": "LD", "recipe": "lesion-detector"},
            {"label": "LD+", "recipe": "lesion-segmenter"},
        ),
        options={"roi_size": 24, "margins": [0, 0.05, 0.25, 1], **changes.pop("options", {})},
    )
    one = bench(tmp_path, wanted, slices=tuple(parts), detector=detectors.get, **changes)
    findings = evaluate_detection(one)
    return findings, one, table(one, "table")


def table(one, name):
    with (one.output / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def both(finder, better=None):
    return {"lesion-detector": finder, "lesion-segmenter": better or finder}


def row_of(rows, detector, condition="x2", source="all"):
    keys = {"detector": detector, "condition": condition, "source": source}
    (found,) = [row for row in rows if keys.items() <= row.items()]
    return found


def test_a_detector_that_takes_everything_covers_it_and_is_seen_to(tmp_path):
    parts = [*slices(3), healthy(slices(1)[0])]
    finders = both(
        FakeFinder(Window(0, 0, 1, 1)),
        FakeFinder(Window(0, 0, 1, 1), lambda image: image.max() / 260),
    )
    findings, one, rows = evaluated(tmp_path, parts, finders)
    row = row_of(rows, "LD")
    assert float(row["perfect"]) == float(row["area_share"]) == 1
    assert float(row["iou"]) < 0.3
    assert (row["tumours"], row["without"]) == ("3", "1")
    assert (float(row["sensitivity"]), float(row["specificity"])) == (1, 0)
    assert {row["detector"] for row in rows} == {
        EXACT,
        *(
            name
            for label in ("LD", "LD+")
            for name in (
                label,
                f"{label}, at any score",
                f"{label}, 24 x 24 window",
                *(f"{trivial}, as large as {label}" for trivial in TRIVIAL),
            )
        ),
    }
    assert {row["condition"] for row in rows} == {"x1", "x2"}
    printed = findings.tables[0][1].splitlines()
    assert [line for line in printed if "| 93.7 |" in line] == [
        line for line in printed if line.startswith("| x2 | LD |")
    ]
    for figure, _ in findings.figures:
        assert (one.output / figure).stat().st_size > 0


@pytest.mark.usefixtures("undrawn")
def test_the_exact_box_is_the_reference(tmp_path):
    parts = slices(3)
    _, _, rows = evaluated(tmp_path, parts, both(FakeFinder()))
    row = row_of(rows, EXACT, "x1")
    expected = np.mean(
        [np.prod([np.ptp(axis) + 1 for axis in one.mask.nonzero()]) for one in parts]
    )
    assert float(row["area_share"]) == pytest.approx(expected / parts[0].mask.size)
    assert (float(row["perfect"]), float(row["iou"]), row["sensitivity"]) == (1, 1, "")


@pytest.mark.usefixtures("undrawn")
def test_a_detector_that_finds_nothing_covers_nothing(tmp_path):
    findings, _, rows = evaluated(tmp_path, slices(2), both(FakeFinder(score=0.3)))
    for detector in ("LD", "LD, 24 x 24 window", "brightest blob, as large as LD"):
        row = row_of(rows, detector)
        assert (float(row["acceptable"]), float(row["area_share"])) == (0, 0)
    assert float(row_of(rows, "LD")["sensitivity"]) == 0
    anyway = row_of(rows, "LD, at any score")
    assert float(anyway["area_share"]) == pytest.approx(0.25, rel=0.1)
    assert (anyway["sensitivity"], float(anyway["found"]) > 0) == ("", True)
    assert "Score thresholds at x2" not in dict(findings.tables)  # no slice without a tumour


@pytest.mark.usefixtures("undrawn")
def test_a_margin_only_adds_coverage_and_area(tmp_path):
    _, one, _ = evaluated(tmp_path, slices(3), both(FakeFinder(Window(0.4, 0.4, 0.6, 0.6))))
    for condition in ("x1", "x2"):
        for label in ("LD", "LD+", EXACT, *TRIVIAL):
            keys = {"condition": condition, "detector": label}
            here = [row for row in table(one, "coverage") if keys.items() <= row.items()]
            areas, acceptable = (
                [float(point[key]) for point in here] for key in ("area_share", "acceptable")
            )
            assert areas == sorted(areas)
            assert acceptable == sorted(acceptable)
            assert (areas[-1], acceptable[-1]) == (1, 1)


@pytest.mark.usefixtures("undrawn")
def test_margins_are_shares_of_the_longer_side_at_every_scale(tmp_path):
    _, one, _ = evaluated(tmp_path, slices(1), both(FakeFinder(Window(0.4, 0.4, 0.6, 0.6))))
    rows, columns = 60, 50
    # 0.05 of 60 pixels are 3, on either side of 12 x 10 pixels
    expected = (12 + 6) * (10 + 6) / (rows * columns)
    for point in table(one, "coverage"):
        if (point["detector"], point["margin"]) == ("LD", "0.05"):
            assert float(point["area_share"]) == pytest.approx(expected)


@pytest.mark.usefixtures("undrawn")
def test_an_operating_point_is_chosen_kept_and_used(tmp_path):
    parts = [*slices(3), healthy(slices(1)[0])]
    finders = both(
        FakeFinder(Window(0.2, 0.2, 0.8, 0.8), lambda image: 0.3 + 0.4 * (image.max() > 220))
    )
    options = {"choose": True, "test": True, "margins": [0, 0.05, 0.1, 0.25], "levels": [0.2, 0.6]}
    findings, one, rows = evaluated(tmp_path, parts, finders, options=options)
    point = kept_point(one.run, "lesion-segmenter")
    assert 0.3 < point.threshold <= 0.31
    training = [brightness(one.normalised)["0.75"] for one in slices(2)]
    assert point.brightness["0.75"] == pytest.approx((np.mean(training), np.std(training)))
    assert any(point.model_dump_json() in note for note in findings.notes)
    assert all(finder.point == UNTUNED for finder in finders.values())
    for label in ("LD", "LD+"):
        row = row_of(rows, label)
        assert (float(row["sensitivity"]), float(row["specificity"])) == (1, 1)
    tested = row_of(table(one, "test-table"), "LD+")
    assert (tested["tumours"], float(tested["sensitivity"])) == ("2", 1)
    assert any(title.startswith("Test patients: ") for title, _ in findings.tables)


@pytest.mark.usefixtures("undrawn")
def test_each_data_set_has_the_detectors_alone(tmp_path):
    other = [replace(one, source="other") for one in slices(1)]
    findings, _, rows = evaluated(tmp_path, [*slices(1), *other], both(FakeFinder()))
    apart = dict(findings.tables)["Each data set"].splitlines()[2:]
    assert {tuple(line.split(" | ")[:3]) for line in apart} == {
        (f"| {source}", condition, label)
        for source in ("disc", "other")
        for condition in ("x1", "x2")
        for label in ("LD", "LD+")
    }
    assert {row["source"] for row in rows if row["detector"] == EXACT} == {"all", "disc", "other"}


def test_nothing_is_chosen_on_test_patients_or_at_a_scale_that_is_not_there(tmp_path):
    for split, at in (("test", "x2"), ("val", "x3")):
        options = {"choose": True, "at": at}
        with pytest.raises(ValueError, match="expected"):
            evaluated(tmp_path, slices(2), both(FakeFinder()), split=split, options=options)
    assert kept_point(tmp_path / "run", "lesion-detector") == UNTUNED


def test_slices_without_outlines_cannot_be_used(tmp_path):
    parts = [Slice(one.image, one.intensity_range, "a", one.patient, one.name) for one in slices(2)]
    with pytest.raises(ValueError, match="expected slices that lfsr-detection"):
        evaluated(tmp_path, parts, both(FakeFinder()))
    with pytest.raises(ValueError, match="expected slices with a tumour"):
        evaluated(tmp_path, [healthy(one) for one in slices(2)], both(FakeFinder()))
