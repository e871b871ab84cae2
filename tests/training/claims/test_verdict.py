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
from metasr_training.claims.verdict import (
    ClaimOutcome,
    judge,
    patient_means,
    wilson_interval,
    worth,
)
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
    for share, expected in (
        (0.95, ClaimOutcome.REPRODUCED), (0.91, ClaimOutcome.OPEN),
        (0.8, ClaimOutcome.NOT_REPRODUCED),
    ):  # fmt: skip
        found = outcome(SHARE, covered([[number < 400 * share] for number in range(400)]))
        assert found.outcome is expected
        assert (found.images, found.patients) == (400, 400)


SHARE = ShareClaim(
    id="X", source="s", text="t", published="90 %", kind="share", experiment="table",
    metric="coverage", reaches=0.95, row=Side(method="LD", condition="x2"), at_least=0.9,
)  # fmt: skip


def covered(patients):
    """A detector's scores; slices without a tumour have no coverage."""
    row = {"condition": "x2", "detector": "LD", "source": "s"}
    rows = [
        row | {"patient": str(patient), "image": str(image), "coverage": "0.96" if one else "0.9"}
        for patient, images in enumerate(patients)
        for image, one in enumerate(images)
    ]
    return Evidence((*rows, row | {"patient": "0", "image": "empty", "coverage": ""}), ())


def test_images_of_a_patient_that_are_alike_are_worth_one():
    """91 % of 400 images, but of eleven patients of whom one has none: no more is known."""
    alone, alike = [[True]] * 10 + [[False]], [[True] * 40] * 10 + [[False] * 40]
    assert worth(alone) == pytest.approx(10)  # 11 less the one that the variance takes
    assert worth(alike) == pytest.approx(worth(alone))
    assert worth([[True] * 40]) == 1
    assert worth([[True] * 40] * 9) == 9
    assert outcome(SHARE, covered([[True] * 40] * 9)).outcome is ClaimOutcome.OPEN


def test_the_interval_of_a_share_covers_it_where_images_of_a_patient_are_alike(rng):
    """Patients with shares of their own, drawn anew 600 times; the share of all is 0.7."""
    within = {"patients": 0, "images": 0}
    for _ in range(600):
        own = rng.beta(1.4, 0.6, 30)
        patients = [list(rng.random(rng.integers(5, 30)) < share) for share in own]
        images = sum(map(len, patients))
        share = sum(map(sum, patients)) / images
        for unit, count in (("patients", worth(patients)), ("images", images)):
            low, high = wilson_interval(share, count)
            within[unit] += low <= 0.7 <= high
    assert 0.92 < within["patients"] / 600 < 0.98
    assert within["images"] / 600 < 0.6


def test_the_direction_is_that_of_the_ranks_which_are_tested():
    """Nineteen of twenty patients are worse by a little, one is better by much."""
    first = np.append(np.full(19, 30.0) - np.linspace(0.1, 0.3, 19), 50)
    found = outcome(PAIRED, scores(first, np.full(20, 30)))
    assert found.p < 0.001
    assert found.outcome is ClaimOutcome.NOT_REPRODUCED
    assert found.effect.endswith("(+0.81); it holds in 1 of 20 patients")
    assert outcome(PAIRED, scores(np.full(20, 30), first)).outcome is ClaimOutcome.REPRODUCED


@pytest.mark.parametrize("missing", [math.nan, math.inf])
def test_an_image_without_a_finite_score_is_left_out(missing):
    found = outcome(PAIRED, scores([missing, *range(31, 41)], range(29, 40)))
    assert (found.outcome, found.images) == (ClaimOutcome.REPRODUCED, 10)
    assert "nan" not in found.effect


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
