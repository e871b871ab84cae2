"""Boxes against tumours, and the evaluation of a detector that is known."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from evaluation_fakes import FakeFinder, bench, experiment
from training_fakes import slices

from metasr_training.datasets.slices import Slice
from metasr_training.evaluation.boxes import (
    area,
    brightest_box,
    centre_box,
    grown,
    mean_size,
    score_box,
)
from metasr_training.evaluation.detection import BRIGHTEST, CENTRE, evaluate_detection
from metasr_training.evaluation.detection_scores import DetectionScore, detection_rows
from metasr_training.recipe import Condition


@pytest.fixture
def mask():
    """A tumour of 4 x 5 pixels in a slice of 20 x 20."""
    mask = np.zeros((20, 20), bool)
    mask[8:12, 10:15] = True
    return mask


TUMOUR = (8, 10, 12, 15)
HEAD = (0, 0, 20, 10)


def test_coverage_iou_and_area_by_hand(mask):
    exact = score_box(TUMOUR, mask, TUMOUR, HEAD)
    assert (exact.coverage, exact.iou, exact.area_share, exact.head_share) == (1, 1, 0.05, 0.1)
    assert exact.perfect
    half = score_box((8, 10, 10, 15), mask, TUMOUR, HEAD)
    assert (half.coverage, half.iou) == (0.5, 0.5)
    assert not half.acceptable
    everything = score_box((-3, 0, 20, 99), mask, TUMOUR, HEAD)
    assert everything.perfect
    assert everything.iou == pytest.approx(20 / 400)
    away = score_box((0, 0, 5, 5), mask, TUMOUR, HEAD)
    assert (away.coverage, away.iou) == (0, 0)


def test_nineteen_pixels_of_twenty_are_acceptable_and_not_perfect(mask):
    mask[0, 0] = True
    mask[8, 10] = False
    found = score_box(TUMOUR, mask, TUMOUR, HEAD)
    assert found.coverage == pytest.approx(19 / 20)
    assert found.acceptable
    assert not found.perfect


def test_a_box_turned_inside_out_holds_nothing(mask):
    found = score_box((12, 15, 8, 10), mask, TUMOUR, HEAD)
    assert (found.coverage, found.area_share) == (0, 0)


def test_trivial_boxes_have_the_mean_area():
    boxes = [(0, 0, 4, 4), (0, 0, 2, 10)]
    height, width = mean_size(boxes)
    assert height * width == pytest.approx(18)
    assert height / width == pytest.approx(3 / 7)
    assert centre_box((10, 20, 30, 60), (4, 6)) == (18, 37, 22, 43)
    image = np.zeros((60, 60))
    image[40:44, 10:14] = 200
    top, left, bottom, right = brightest_box(image, (10, 12))
    assert (bottom - top, right - left) == (10, 12)
    assert (top + bottom) / 2 == pytest.approx(42, abs=1)
    assert (left + right) / 2 == pytest.approx(12, abs=1)
    assert area(grown((0, 0, 4, 4), 1)) == 36


def score(tumour, told, coverage=None, source="a"):
    return DetectionScore("x2", "LD", source, "p", "i", tumour, told, coverage, 0.5, 0.2, 0.4)


def test_shares_are_of_the_slices_with_and_without_a_tumour():
    scores = [
        score(True, 0.9, 1.0),
        score(True, 0.4, 0.96),
        score(True, 0.8, 0.5),
        score(True, 0.7, 1.0, source="b"),
        score(False, 0.6),
        score(False, 0.1),
        score(False, 0.2),
    ]
    row, a, b = detection_rows(scores, 0.5)
    assert (row.source, a.source, b.source) == ("all", "a", "b")
    assert (row.tumours, row.without) == (4, 3)
    assert (row.perfect, row.acceptable) == (0.5, 0.75)
    assert row.sensitivity == 0.75
    assert row.specificity == pytest.approx(2 / 3)
    assert (b.specificity, b.sensitivity) == (None, 1)


def evaluated(tmp_path, finder, parts):
    wanted = experiment(
        "detection",
        id="lfsr-detection",
        conditions=(Condition(scale=1), Condition(scale=2)),
        methods=({"label": "LD", "recipe": "lesion-detector"},),
        options={"roi_size": 24, "margins": [0, 8, 64]},
    )
    one = bench(tmp_path, wanted, slices=tuple(parts), finder=lambda: finder)
    findings = evaluate_detection(one)
    with (one.output / "table.csv").open(newline="") as file:
        return findings, one, list(csv.DictReader(file))


def test_a_detector_that_takes_everything_covers_it_and_is_seen_to(tmp_path):
    parts = slices(3)
    healthy = Slice(parts[0].image, (0.0, 200.0), "disc", "9", "9", parts[0].mask & False)
    findings, one, rows = evaluated(tmp_path, FakeFinder((0, 0, 1, 1), 0.9), [*parts, healthy])
    row = next(row for row in rows if (row["detector"], row["source"]) == ("LD", "all"))
    assert float(row["perfect"]) == float(row["area_share"]) == 1
    assert float(row["iou"]) < 0.3
    assert (row["tumours"], row["without"]) == ("3", "1")
    assert (float(row["sensitivity"]), float(row["specificity"])) == (1, 0)
    assert {row["detector"] for row in rows} == {"LD", "LD, 24 x 24 window", CENTRE, BRIGHTEST}
    assert {row["condition"] for row in rows} == {"x1", "x2"}
    assert "93.7" in findings.tables[0][1]
    assert (one.output / "coverage.png").stat().st_size > 0


def test_a_margin_only_adds_coverage_and_area(tmp_path):
    _, one, _ = evaluated(tmp_path, FakeFinder((0.4, 0.4, 0.6, 0.6)), slices(3))
    with (one.output / "coverage.csv").open(newline="") as file:
        points = [row for row in csv.DictReader(file) if row["detector"] == "LD"]
    for condition in ("x1", "x2"):
        here = [point for point in points if point["condition"] == condition]
        areas, acceptable = (
            [float(point[key]) for point in here] for key in ("area_share", "acceptable")
        )
        assert areas == sorted(areas)
        assert acceptable == sorted(acceptable)
        assert (areas[-1], acceptable[-1]) == (1, 1)


def test_slices_without_outlines_cannot_be_used(tmp_path):
    parts = [Slice(one.image, one.limits, "a", one.patient, one.name) for one in slices(2)]
    with pytest.raises(ValueError, match="expected slices that lfsr-detection"):
        evaluated(tmp_path, FakeFinder(), parts)
