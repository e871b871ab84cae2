"""The papers' claims: every one is well formed, and verdicts follow from scores alone."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import numpy as np
import pytest

from metasr_training.catalogue import experiment, experiment_ids
from metasr_training.claims.claim import PairedClaim, RatioClaim, ShareClaim, Side, claims
from metasr_training.claims.evidence import Evidence, Pairs
from metasr_training.claims.table import claims_text, write_claims
from metasr_training.claims.verdict import ClaimOutcome, judge, patient_means, wilson_interval
from metasr_training.evaluation.published import same_name

PAIRED = PairedClaim(
    id="X1", source="a paper", text="A is above B.", published="2 against 1", kind="paired",
    experiment="table", metric="psnr", greater=Side(method="A", condition="x2"),
    lesser=Side(method="B", condition="x2"),
)  # fmt: skip


def scores(first, second, *, per_patient=1):
    rows = []
    for number, values in enumerate(zip(first, second, strict=True)):
        for method, value in zip("AB", values, strict=True):
            rows.append(
                {
                    "condition": "x2", "method": method, "source": "s",
                    "patient": str(number // per_patient), "image": str(number),
                    "region": "roi", "psnr": str(value),
                }
            )  # fmt: skip
            rows.append(rows[-1] | {"region": "slice", "psnr": "0"})
    return Evidence(tuple(rows), ())


def outcome(claim, evidence):
    (found,) = judge([claim], {"table": evidence})
    return found


def test_every_claim_names_an_experiment_with_its_methods_and_conditions():
    assert len(claims()) >= 24
    for claim in claims():
        assert claim.experiment in experiment_ids()
        wanted = experiment(claim.experiment)
        labels = [method.label for method in wanted.methods]
        sides = [claim.row] if isinstance(claim, ShareClaim) else [claim.greater, claim.lesser]
        for side in sides:
            if wanted.kind != "detection":
                assert any(same_name(label, side.method) for label in labels), claim.id
            if wanted.kind == "table":
                assert side.condition in [one.name for one in wanted.conditions], claim.id


def test_a_clear_ordering_is_reproduced_and_its_reverse_is_not():
    above = outcome(PAIRED, scores(range(31, 41), range(30, 40)))
    assert (above.outcome, above.images, above.patients) == (ClaimOutcome.REPRODUCED, 10, 10)
    assert above.p == pytest.approx(2 / 2**10)
    below = outcome(PAIRED, scores(range(30, 40), range(31, 41)))
    assert below.outcome is ClaimOutcome.NOT_REPRODUCED


def test_a_tie_and_too_few_patients_are_open():
    signs = np.array([1, -1] * 10)
    tie = outcome(PAIRED, scores(30 + signs, np.full(20, 30)))
    assert (tie.outcome, tie.reason) == (ClaimOutcome.OPEN, "no significant difference")
    few = outcome(PAIRED, scores(range(31, 51), range(30, 50), per_patient=4))
    assert few.outcome is ClaimOutcome.OPEN
    assert "5 patients" in few.reason
    assert math.isnan(few.p)


def test_images_of_a_patient_count_once():
    pairs = Pairs(np.array([2.0, 4.0, 9.0]), np.array([1.0, 1.0, 1.0]), ("a", "a", "b"))
    assert patient_means(pairs, 1, 0) == pytest.approx([2, 8])
    assert patient_means(pairs, 2, -1) == pytest.approx([2, 8])


def test_a_factor_and_an_offset_move_the_bar():
    evidence = scores(np.arange(31, 51), np.arange(30, 50))
    assert outcome(PAIRED.model_copy(update={"factor": 1.2}), evidence).outcome is (
        ClaimOutcome.NOT_REPRODUCED
    )
    lower = scores(np.arange(30, 50) - 0.1, np.arange(30, 50))
    assert outcome(PAIRED, lower).outcome is ClaimOutcome.NOT_REPRODUCED
    assert outcome(PAIRED.model_copy(update={"offset": -0.2}), lower).outcome is (
        ClaimOutcome.REPRODUCED
    )


def test_p_values_are_corrected_over_all_tested_claims():
    evidence = scores(range(31, 41), range(30, 40))
    many = [PAIRED.model_copy(update={"id": f"X{number}"}) for number in range(40)]
    found = judge(many, {"table": evidence})
    assert found[0].p == pytest.approx(40 * 2 / 2**10)
    assert {one.outcome for one in found} == {ClaimOutcome.OPEN}


def test_a_ratio_is_measured_once_and_needs_both_values():
    claim = RatioClaim(
        id="X", source="s", text="t", published="2", kind="ratio", experiment="table",
        column="epoch_seconds", greater=PAIRED.greater, lesser=PAIRED.lesser, at_least=2,
    )  # fmt: skip
    row = {"condition": "x2", "source": "all", "updates": "10"}
    table = (
        row | {"method": "A", "epoch_seconds": "5"},
        row | {"method": "B", "epoch_seconds": "2"},
    )
    assert outcome(claim, Evidence((), table)).outcome is ClaimOutcome.REPRODUCED
    assert outcome(claim, Evidence((), table)).updates == "A 10, B 10"
    tight = claim.model_copy(update={"at_most": 2.4})
    assert outcome(tight, Evidence((), table)).outcome is ClaimOutcome.NOT_REPRODUCED
    blank = (table[0], table[1] | {"epoch_seconds": ""})
    assert outcome(claim, Evidence((), blank)).outcome is ClaimOutcome.OPEN
    with pytest.raises(ValueError, match="bounds"):
        RatioClaim.model_validate(claim.model_dump() | {"at_most": 1})


def test_a_share_is_judged_by_wilsons_interval():
    assert wilson_interval(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    for count in range(1, 50):  # rounding stays within 0 to 1
        assert wilson_interval(0.0, count)[0] >= 0
        assert wilson_interval(1.0, count)[1] <= 1
    claim = ShareClaim(
        id="X", source="s", text="t", published="90 %", kind="share", experiment="table",
        column="acceptable", count="tumours", row=Side(method="LD", condition="x2"), at_least=0.9,
    )  # fmt: skip
    row = {"condition": "x2", "detector": "LD", "source": "all", "tumours": "400"}
    for share, expected in (
        ("0.95", ClaimOutcome.REPRODUCED), ("0.91", ClaimOutcome.OPEN),
        ("0.8", ClaimOutcome.NOT_REPRODUCED),
    ):  # fmt: skip
        assert outcome(claim, Evidence((), (row | {"acceptable": share},))).outcome is expected


def test_what_was_not_evaluated_is_open_and_says_so(tmp_path):
    (found,) = judge([PAIRED], {})
    assert (found.outcome, found.reason) == (ClaimOutcome.OPEN, "table was not evaluated")
    assert Evidence.read(tmp_path) == Evidence((), ())
    nothing = outcome(PAIRED, Evidence((), ()))
    assert "no psnr of A (x2) and B (x2)" in nothing.reason


def test_the_table_counts_outcomes_and_the_file_holds_every_claim(tmp_path):
    found = judge([PAIRED], {"table": scores(range(31, 41), range(30, 40))})
    found.append(replace(found[0], outcome=ClaimOutcome.OPEN, reason="a reason"))
    text = claims_text(found)
    assert "Of 2 claims: 1 reproduced, 0 not reproduced, 1 open." in text
    assert "**open**: a reason" in text
    write_claims(tmp_path, found)
    with (tmp_path / "claims.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["outcome"] for row in rows] == ["reproduced", "open"]
