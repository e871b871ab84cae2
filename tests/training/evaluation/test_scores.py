"""Averages by hand, and the rule of ranking."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes.evaluation import FakeNetwork

from metasr_training.evaluation.contestants import Contestant
from metasr_training.evaluation.scores import (
    ALL,
    ImageScore,
    average_rows,
    averages,
)
from metasr_training.evaluation.standing import standing
from metasr_training.evaluation.zoom import gain_table, zoom_conditions, zoom_rows, zoom_table
from metasr_training.tables import csv_text, markdown_table


def score(method, psnr, source="a", image="1", region="roi"):
    return ImageScore(
        "x2", method, source, "p", image, region, psnr, psnr / 100, psnr / 50, 1.0, 0.25
    )


def contestant(label, network=None, reference=False):
    return Contestant(label, lambda image, grid: image, network, is_reference=reference)


def test_means_are_over_images_and_not_over_data_sets():
    scores = [
        score("m", 20, "a", "1"),
        score("m", 22, "a", "2"),
        score("m", 30, "b", "3"),
    ]
    found = averages(scores)
    together = found["x2", "m", "roi", ALL]
    assert (together.images, together.psnr) == (3, 24)
    assert together.psnr_std == pytest.approx(math.sqrt((16 + 4 + 36) / 3))
    assert together.ssim == pytest.approx(0.24)
    assert together.vif == pytest.approx(0.48)
    assert together.high_frequency == 1
    assert together.flagged == 0.25
    assert (found["x2", "m", "roi", "a"].images, found["x2", "m", "roi", "a"].psnr) == (2, 21)


def test_an_image_too_small_for_a_measure_does_not_take_it_from_the_others():
    small = dict.fromkeys(("ssim", "vif", "flagged"), math.nan)
    scores = [score("m", 20), replace(score("m", 30, image="2"), **small)]
    found = averages(scores)["x2", "m", "roi", ALL]
    assert (found.images, found.psnr) == (2, 25)
    assert (found.ssim, found.ssim_std, found.vif, found.flagged) == (0.2, 0, 0.4, 0.25)
    nothing = averages([replace(one, **small) for one in scores])["x2", "m", "roi", ALL]
    assert math.isnan(nothing.ssim)
    assert math.isnan(nothing.vif)


def test_networks_that_have_not_converged_are_not_ranked_but_baselines_are():
    psnr = {"Bicubic": 30.0, "Bilinear": 29.0, "good": 31.0, "same": 30.0, "bad": 29.99}
    methods = [
        contestant(label, None if label[0].isupper() else FakeNetwork(label), label == "Bicubic")
        for label in psnr
    ]
    order, below = standing([score(*one) for one in psnr.items()], methods)
    assert order[0] == "good"
    assert set(order[1:3]) == {"Bicubic", "same"}
    assert order[3] == "Bilinear"
    assert below == ["bad"]


def test_standing_looks_at_the_first_region():
    scores = [score("Bicubic", 30), score("net", 31)]
    scores += [score("Bicubic", 40, region="slice"), score("net", 20, region="slice")]
    methods = [contestant("Bicubic", reference=True), contestant("net", FakeNetwork("net"))]
    assert standing(scores, methods) == (["net", "Bicubic"], [])


def test_rows_go_into_csv_with_every_digit():
    rows = average_rows([score("m", 20.123456789)])
    text = csv_text(rows)
    assert text.splitlines()[0].startswith("condition,method,region,source,images,psnr")
    assert "20.123456789" in text
    with pytest.raises(ValueError, match="at least one row"):
        csv_text([])


def test_columns_without_any_figure_are_left_out():
    columns = {"a": lambda row: row[0], "b": lambda row: row[1], "none": lambda row: ""}
    assert markdown_table(columns, [("1", "x|y"), ("2", "")]) == (
        "| a | b |\n|---|---|\n| 1 | x\\|y |\n| 2 |  |"
    )


def test_the_table_of_every_scale_averages_over_images():
    conditions = zoom_conditions([2.0], ["box"])
    scores = [
        ImageScore("x2-box", method, "a", name, name, region, psnr + more, ssim, 0.7, 1.0, 0.0)
        for method, values in (("bicubic", (30.0, 32.0)), ("model", (33.0, 36.0)))
        for name, psnr in zip("pq", values, strict=True)
        for region, more, ssim in (("slice", 0, 0.5), ("brain", 1, 0.6))
    ]
    rows = zoom_rows(scores, conditions)
    assert [(row.method, row.images, row.psnr, row.psnr_std, row.psnr_box) for row in rows] == [
        ("bicubic", 2, 31.0, 1.0, 32.0),
        ("model", 2, 34.5, 1.5, 35.5),
    ]
    line = "| a | box | x2 | 2 | 31.00 / 0.500 | 34.50 / 0.500 | +3.50 | +3.50 |"
    assert line in zoom_table(rows)


def test_gains_are_over_the_first_method_in_the_brain_box():
    conditions = zoom_conditions([2.0], ["box"], (0, 5.1))
    assert [one.name for one in conditions] == ["x2-box", "x2-box-noise5.1"]
    scores = [
        ImageScore(name, method, "a", "p", "p", region, psnr + more, 0.5, 0.7, 1.0, 0.0)
        for name, more in (("x2-box", 0.0), ("x2-box-noise5.1", -2.0))
        for method, psnr in (("bicubic", 30.0), ("noise", 33.0), ("other", 29.5))
        for region in ("slice", "brain")
    ]
    rows = zoom_rows(scores, conditions)
    assert gain_table(rows).splitlines()[2:] == [
        "| a | box | x2 |  | +3.00 | -0.50 |",
        "| a | box | x2 | 5.1 | +3.00 | -0.50 |",
    ]
    assert "| noise sigma | bicubic | noise | other |" in zoom_table(rows)
