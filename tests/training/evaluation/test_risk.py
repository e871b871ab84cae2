"""Calibration of an error head: what is counted, by cell, and what is refused."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from fakes.training import slices, write_data

from metasr_training import evaluate
from metasr_training.calibrate import chosen
from metasr_training.condition import Condition
from metasr_training.evaluation.risk import (
    Found,
    agreement_table,
    calibrated,
    compared,
    coverage_rows,
    coverage_table,
    scale_of,
    search,
)
from napari_metasr.quality.hallucination import NOT_JUDGED, RIGHT, WRONG
from napari_metasr.quality.metrics import brain_box
from napari_metasr.weights.risk import RiskCell, risk_card

BAND = (1.75, 2.5)


class Known:
    """Renders the truth plus what it is told, or what it is told alone."""

    def __init__(self, truth, added):
        self.truth, self.added = truth, added

    def encode(self, image, intensity_range, value_range):
        self.seen = image, intensity_range, value_range
        return image

    def render_pixels(self, encoded, grid, pixels):
        return np.asarray(self.truth + self.added, np.float32)


def found(patient, large, small=(0.0, 1.0), acquisition="box", patches=None):
    """What the head estimates of pixels with an error of 0.3 and with none."""
    risk = np.array([*large, *small], float)
    error = np.array([0.3] * len(large) + [0.0] * len(small))
    kinds = np.full(len(risk), NOT_JUDGED) if patches is None else np.array(patches)
    return Found(acquisition, BAND, "s", str(patient), error, risk, kinds, 0.1)


def test_true_and_estimated_errors_are_shares_of_the_range_in_the_heads_box():
    one = slices(1)[0]  # 60 x 50, intensity range 0..200
    rng = np.random.default_rng(0)
    error, risk = rng.normal(0, 20, one.image.shape), rng.random(one.image.shape)
    model, risk_model = Known(one.image.astype(float), error), Known(0.0, risk)
    got = compared(one, Condition(scale=2, degradation="box"), model, risk_model)
    top, left, bottom, right = brain_box(one.image.astype(np.float32))
    np.testing.assert_allclose(got[0], np.abs(error)[top:bottom, left:right] / 200, atol=1e-4)
    np.testing.assert_allclose(got[1], risk[top:bottom, left:right], atol=1e-6)
    assert got[2].shape == got[1].shape
    assert model.seen[0].shape == (30, 25)
    assert model.seen[1] == (0.0, 200.0)


def test_slices_of_a_patient_count_together_and_scales_stay_in_their_band():
    one, other = slices(2)
    same = [one, other.__class__(**{**other.__dict__, "patient": one.patient})]
    flat = Known(0.0, np.zeros(one.image.shape))
    ticks = []
    got = list(
        search(same, ["box", "k-space"], flat, flat, tau=0.1, bands=[BAND],
               tick=lambda: ticks.append(1))
    )  # fmt: skip
    assert [(each.acquisition, each.patient) for each in got] == [("box", "0"), ("k-space", "0")]
    assert len(ticks) == 4
    assert len(got[0].risk) > len(got[0].large) > 0
    scales = {scale_of(each, "box", BAND) for each in slices(30)}
    assert min(scales) >= BAND[0]
    assert max(scales) <= BAND[1]
    assert len(scales) > 20
    assert scale_of(one, "box", BAND) == scale_of(one, "box", BAND)


def test_each_cell_has_a_threshold_of_its_own_and_is_tested_on_others():
    """Nine patients at alpha 0.1 may miss nothing: the threshold is the smallest estimate."""
    own = [found(n, [0.2 + n / 100, 0.9]) for n in range(9)]
    own += [found(n, [0.5], acquisition="k-space") for n in range(9)]
    cells = calibrated(own, 0.1)
    assert [(one.acquisition, one.threshold, one.patients) for one in cells] == [
        ("box", 0.2, 9),
        ("k-space", 0.5, 9),
    ]
    assert [one.missed for one in cells] == [0, 0]
    assert [one.marked for one in cells] == [0.75, pytest.approx(2 / 3)]
    others = [found("a", [0.1, 0.3], []), found("b", [0.4], [0.3, 0.1])]
    rows = coverage_rows(cells, own, others)
    assert [(row.acquisition, row.group) for row in rows] == [
        ("box", "calibration"),
        ("box", "test"),
        ("k-space", "calibration"),
    ]
    assert (rows[1].patients, rows[1].missed, rows[1].missed_error) == (2, 0.25, 0.25)
    assert rows[1].marked == pytest.approx((1 / 2 + 2 / 3) / 2)
    table = coverage_table(rows)
    assert "| box | x1.75-x2.5 | 0.200 | 9 | 0.0% | 75.0% | 2 | 25.0% ± 25.0 | 58.3% |" in table
    assert "| k-space | x1.75-x2.5 | 0.500 | 9 | 0.0% | 66.7% |  |  |  |" in table


def test_large_errors_in_background_are_never_marked_and_count_as_missed():
    """Of ten errors one lies where nothing is estimated."""
    own = [found(n, [0.0, *np.full(9, 0.5)], [0.0]) for n in range(9)]
    (cell,) = calibrated(own, 0.3)
    assert (cell.threshold, cell.missed) == (0.5, pytest.approx(0.1))
    assert cell.marked == pytest.approx(9 / 11)
    with pytest.raises(ValueError, match=r"box, x1.75 to x2.5: .* in background, which is never"):
        calibrated(own, 0.1)
    free = [found(n, [], [0.0, 0.5]) for n in range(9)]  # nothing to miss: all tissue is marked
    assert [(one.threshold, one.marked) for one in calibrated(free, 0.1)] == [(0, 0.5)]


def test_every_data_set_may_miss_no_more_than_allowed():
    """One set's estimates are lower: the threshold of all would miss half of its errors."""
    high, low = ([found(n, [at, 0.9]) for n in range(9)] for at in (0.5, 0.2))
    low = [replace(one, source="t") for one in low]
    (cell,) = calibrated([*high, *low], 0.4)
    assert cell.threshold == 0.2
    assert calibrated([*high, *(replace(one, source="s") for one in low)], 0.4)[0].threshold == 0.5


def test_marks_and_flagged_patches_are_averaged_over_the_patients_that_have_any():
    """Marked from 0.5 on: of a's flagged pixels half, of its marks a third; b has no flag."""
    a = found("a", [0.9, 0.2], [0.6, 0.6, 0.1], patches=[WRONG, WRONG, RIGHT, RIGHT, RIGHT])
    b = found("b", [0.9], [0.1], patches=[RIGHT, RIGHT])
    c = found("c", [], [0.1, 0.2])  # no large error, no patch
    cell = RiskCell(
        acquisition="box", scales=BAND, threshold=0.5, patients=3, missed=0.0, marked=0.5
    )
    (row,) = coverage_rows([cell], [a, b, c], [])
    assert row.excess == pytest.approx((1 / 2 + 1) / 2)
    assert row.recall == 1 / 2
    assert row.precision == pytest.approx((1 / 3 + 0) / 2)
    assert row.wrong == pytest.approx((2 / 5 + 0) / 2)
    assert row.missed == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert agreement_table([row]).splitlines()[-1] == (
        "| calibration | box | x1.75-x2.5 | 36.7% | 75.0% | 50.0% | 16.7% | 20.0% |"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "alpha 0.1 needs at least 9 patients to calibrate on, found"),
        (["--alpha", "1.5"], "expected an alpha between 0 and 1, found 1.5"),
        (["--tau", "0"], "expected a tau between 0 and 1, found 0"),
        (["--test", "val"], "the patients that calibrate cannot test as well"),
        (["--model", "no-such"], "expected a model among"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_in_one_line(tmp_path, capsys, options, message):
    data = write_data(tmp_path / "data")
    card = tmp_path / "card.json"
    if "--model" in options:
        options = [*options, "--alpha", "0.9"]
    words = ["calibrate", str(data), "--card", str(card), "--device", "cpu", *options]
    assert evaluate.main(words) == 2
    assert message in capsys.readouterr().err
    assert not card.exists()


def interrupt_once_it_is_waited_for():
    """As Ctrl-C, from the moment on at which the program has a handler of its own."""
    while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_leaves_no_card_and_no_tables(tmp_path, capsys):
    data, card, output = write_data(tmp_path / "data"), tmp_path / "card.json", tmp_path / "out"
    words = ["calibrate", str(data), "--alpha", "0.6", "--card", str(card), "--output", str(output)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    other = threading.Thread(target=interrupt_once_it_is_waited_for)
    other.start()
    try:
        assert evaluate.main([*words, "--slices", "0", "--device", "cpu"]) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        other.join()
        signal.signal(signal.SIGINT, before)
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "metasr-evaluate: stopped"
    assert "Traceback" not in "".join(said)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_slices_are_spread_over_every_patient(tmp_path):
    data = write_data(tmp_path / "data")
    one = chosen(data, ("train", "val"), (), 1)
    assert len({(each.source, each.patient) for each in one}) == len(one)
    assert len(chosen(data, ("train", "val"), (), 0)) >= len(one)
    with pytest.raises(FileNotFoundError):
        chosen(data, ("test",), ("nothing",), 1)


def test_a_calibration_prints_both_tables_and_its_card_is_used_from_then_on(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path / "models"))
    data = write_data(tmp_path / "data")
    words = ["calibrate", str(data), "--alpha", "0.6", "--acquisitions", "box"]
    assert evaluate.main([*words, "--output", str(tmp_path / "out"), "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert "| missed in test | marked in test |" in told
    assert "| patients | acquisition | scales | marked | excess in marks |" in told
    assert (tmp_path / "out" / "risk.md").read_text(encoding="utf-8") in f"{told}\n"
    assert len((tmp_path / "out" / "risk.csv").read_text().splitlines()) == 1 + 2 * 4
    calibration = risk_card("meta-srgan").calibration
    assert calibration.alpha == 0.6
    assert {cell.acquisition for cell in calibration.cells} == {"box"}
