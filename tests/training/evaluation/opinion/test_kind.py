"""The blinded study of a run: prepared, kept once begun, scored once it is rated."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from fakes.evaluation import bench, experiment
from fakes.training import slices

from metasr_training import catalogue
from metasr_training.claims.claim import PairedClaim, Side
from metasr_training.claims.evidence import Evidence
from metasr_training.claims.verdict import ClaimOutcome, judge
from metasr_training.condition import Condition
from metasr_training.evaluation.opinion.kind import (
    begun,
    evaluate_opinion,
    fully_rated,
    measured_study,
    opinions_of,
    study_folder,
)
from napari_metasr.quality.rating import OPENED_FILE, Rating, open_key, read_study

NAME = "ms-gan-mos"


def study_bench(tmp_path, **options):
    wanted = experiment(
        "opinion",
        id=NAME,
        region="roi",
        conditions=(Condition(scale=4),),
        methods=(
            {"label": "WGAN", "recipe": "wgan"},
            {"label": "MS-GAN", "recipe": "ms-gan"},
        ),
        options={"roi_size": 24, **options},
    )
    return bench(tmp_path, wanted)


def rate(study, name, images, grade, *, scripted=False):
    """Give every image the same grade, or one that depends on its name, and find it noisy."""
    study.ratings.mkdir(exist_ok=True)
    lines = [
        Rating(
            study=study.card.id, rater=name, image=image, flags="N",
            grade=grade(image) if callable(grade) else grade,
            time=datetime.now(UTC), scripted=scripted,
        ).model_dump_json()
        for image in images
    ]  # fmt: skip
    (study.ratings / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def rows(folder):
    with (folder / "table.csv").open(newline="") as file:
        return {row["method"]: row for row in csv.DictReader(file)}


def test_a_study_is_prepared_blind_and_the_papers_figures_stand_alone(tmp_path):
    one = study_bench(tmp_path)
    findings = evaluate_opinion(one)
    study = read_study(study_folder(one.run, NAME))
    assert findings.images == len(study.names) == 3 * 3
    assert study.image(study.names[0]).shape == (24, 24)
    assert "GAN" not in (study.folder / "study.json").read_text()
    assert all(path.stem.isdigit() for path in (study.folder / "images").iterdir())
    found = rows(one.output)
    assert list(found) == ["WGAN", "MS-GAN", "Ground truth"]
    assert (found["MS-GAN"]["mos"], found["MS-GAN"]["published_mos"]) == ("", "3.26")
    assert any("it is not completely rated" in note for note in findings.notes)
    assert set(findings.networks) == {"wgan-x4", "ms-gan-x4"}


def test_fewer_slices_can_be_rated(tmp_path):
    assert evaluate_opinion(study_bench(tmp_path, slices=2)).images == 2 * 3


def test_a_hundred_slices_are_rated_whatever_the_preset_and_others_stand_in(tmp_path):
    published = catalogue.experiment(NAME)
    assert published.options["slices"] == 100
    assert set(published.images.values()) == {0, published.images["smoke"]}
    found = slices(110)
    found[0] = replace(found[0], mask=np.zeros_like(found[0].mask))  # has no region of interest
    one = replace(study_bench(tmp_path, slices=100), slices=tuple(found), preset="laptop")
    findings = evaluate_opinion(one)
    study = read_study(study_folder(one.run, NAME))
    assert findings.images == len(study.names) == 100 * 3
    assert not any("were asked for" in note for note in findings.notes)
    few = replace(study_bench(tmp_path / "few", slices=100), slices=tuple(found[:9]))
    short = "8 slices where 100 were asked for: no more of the 8 that are compared"
    assert any(short in note for note in evaluate_opinion(few).notes)


def test_a_study_that_was_begun_is_kept_and_its_key_stays_sealed(tmp_path):
    one = study_bench(tmp_path)
    evaluate_opinion(one)
    folder = study_folder(one.run, NAME)
    study = read_study(folder)
    rate(study, "ann", study.names[:4], 3)
    before = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    assert begun(folder)
    assert not fully_rated(folder)
    evaluate_opinion(one)
    assert {path.name: path.read_bytes() for path in folder.glob("*.json")} == before
    assert measured_study(one.run, NAME) is None


def test_a_study_that_nobody_began_is_made_anew(tmp_path):
    one = study_bench(tmp_path)
    evaluate_opinion(one)
    first = read_study(study_folder(one.run, NAME)).card.key_sha256
    evaluate_opinion(one)
    assert read_study(study_folder(one.run, NAME)).card.key_sha256 != first


def test_a_rated_study_is_scored(tmp_path):
    one = study_bench(tmp_path)
    evaluate_opinion(one)
    study = read_study(study_folder(one.run, NAME))
    rate(study, "ann", study.names, 3)
    rate(study, "bob", study.names, 1)
    findings = evaluate_opinion(one)
    found = rows(one.output)
    for label in ("WGAN", "MS-GAN", "Ground truth"):
        row = found[label]
        assert (row["ratings"], row["good"], row["poor"], row["flag_n"]) == ("6", "3", "3", "6")
        assert float(row["mos"]) == pytest.approx(2.0)
        assert float(row["mos_std"]) == pytest.approx(1.0)
    assert findings.tables[0][0] == "Mean opinion scores"
    assert "2.000 ± 1.000" in findings.tables[0][1]
    assert "script" not in findings.tables[0][1]
    assert np.isclose(opinions_of(measured_study(one.run, NAME))["WGAN"].mean, 2.0)


def test_the_table_says_which_ratings_scripts_gave(tmp_path):
    one = study_bench(tmp_path)
    evaluate_opinion(one)
    study = read_study(study_folder(one.run, NAME))
    rate(study, "ann", study.names, 3)
    rate(study, "robot", study.names, 1, scripted=True)
    ((title, table),) = evaluate_opinion(one).tables
    assert title == "Mean opinion scores (scripted raters, no person's opinion)"
    assert "scripted ratings" in table
    assert {row["scripted"] for row in rows(one.output).values()} == {"3"}


def rated_with_a_preference(tmp_path, *, scripted):
    """Evaluate a study in which MS-GAN has 4 from one rater, everything else 1, and a script."""
    one = replace(study_bench(tmp_path), slices=tuple(slices(8)))
    evaluate_opinion(one)
    folder = study_folder(one.run, NAME)
    study = read_study(folder)
    methods = {name: origin.method for name, origin in open_key(study).images.items()}
    (folder / OPENED_FILE).unlink()
    rate(study, "ann", study.names, lambda image: 4 if methods[image] == "MS-GAN" else 1,
         scripted=scripted)  # fmt: skip
    rate(study, "robot", study.names, 0, scripted=True)
    evaluate_opinion(one)
    return one


def preference():
    return PairedClaim(
        id="G", kind="paired", source="a paper", text="Raters prefer MS-GAN.", published="",
        experiment=NAME, metric="mos", greater=Side(method="MS-GAN", condition="x4"),
        lesser=Side(method="WGAN", condition="x4"),
    )  # fmt: skip


def test_what_raters_said_of_each_image_decides_a_claim_of_preference(tmp_path):
    one = rated_with_a_preference(tmp_path, scripted=False)
    with (one.output / "scores.csv").open(newline="") as file:
        given = list(csv.DictReader(file))
    assert len(given) == len(read_study(study_folder(one.run, NAME)).names)
    assert {(row["method"], row["mos"]) for row in given} == {
        ("MS-GAN", "4.0"), ("WGAN", "1.0"), ("Ground truth", "1.0")
    }  # fmt: skip
    (verdict,) = judge([preference()], {NAME: Evidence.read(one.output)})
    assert verdict.outcome == ClaimOutcome.REPRODUCED
    assert verdict.images == len(given) / 3


def test_scripts_decide_no_claim(tmp_path):
    one = rated_with_a_preference(tmp_path, scripted=True)
    (verdict,) = judge([preference()], {NAME: Evidence.read(one.output)})
    assert verdict.outcome == ClaimOutcome.OPEN
    assert verdict.images == 0
