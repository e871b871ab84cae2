"""``metasr-evaluate``: from a run folder to its evaluation, whole or not at all."""

from __future__ import annotations

import csv
import json
import math

import pytest
from fakes.evaluation import FakeNetwork, experiment
from fakes.training import slices, write_data

from metasr_training import evaluate
from metasr_training.catalogue import experiment as catalogued
from metasr_training.catalogue import experiment_ids
from metasr_training.condition import Condition
from metasr_training.evaluation import driver
from metasr_training.evaluation.about import EvaluationAbout
from metasr_training.evaluation.driver import evaluate_experiment
from metasr_training.evaluation.kinds import KINDS
from metasr_training.trained import UntrainedError


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run folder whose networks are fakes, and whose data is a small folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    record = {"experiments": ["lfsr-table1"], "preset": "smoke", "seed": 7}
    data = write_data(tmp_path / "data")
    (folder / "run.json").write_text(json.dumps({**record, "data": str(data)}))
    wanted = experiment(images={"smoke": 2}, conditions=(Condition(scale=2), Condition(scale=4)))
    monkeypatch.setattr(driver, "experiment", lambda name: wanted)
    monkeypatch.setattr(driver, "load_trained", lambda run, name, device: FakeNetwork(name))
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
    return folder


def test_every_experiment_is_of_a_kind_and_its_options_are_known(tmp_path):
    """The options of every file are what its kind takes: nothing is evaluated here."""
    models = {
        "table": "method_table.TableOptions",
        "samples": "samples.SampleOptions",
        "scales": "scales.ScaleOptions",
        "detection": "detection.kind.DetectionOptions",
        "opinion": "opinion.kind.OpinionOptions",
        "time": "timing.TimeOptions",
        "through-plane": "through_plane.ThroughPlaneOptions",
        "zoom": "every_scale.EveryScaleOptions",
    }
    assert models.keys() == KINDS.keys()
    for name in experiment_ids():
        wanted = catalogued(name)
        module, _, model = models[wanted.kind].rpartition(".")
        found = __import__(f"metasr_training.evaluation.{module}", fromlist=[model])
        getattr(found, model)(**wanted.options)


def test_a_run_is_evaluated_into_its_folder(run):
    about = evaluate_experiment("lfsr-table1", run)
    folder = run / "evaluation" / "lfsr-table1"
    names = {path.name for path in folder.iterdir()}
    assert names == {"about.json", "table.md", "table.csv", "scores.csv", "curves.png"}
    assert EvaluationAbout.model_validate_json((folder / "about.json").read_text()) == about
    assert (about.preset, about.seed, about.split, about.images) == ("smoke", 7, "val", 2)
    assert {one.name for one in about.networks} == {
        "srresnet-x2", "lfsr-x2", "srresnet-x4", "lfsr-x4",
    }  # fmt: skip
    assert about.networks[0].perceptual == "VGG19 relu5_4, random weights"
    assert {"commit", "hardware", "torch"} <= about.surroundings.keys()
    for name in ("table.csv", "scores.csv"):
        with (folder / name).open(newline="") as file:
            for row in csv.DictReader(file):
                assert all(math.isfinite(float(row[key])) for key in ("psnr", "ssim"))
    text = (folder / "table.md").read_text()
    for words in ("| SRResNet |", "32.1", "preset smoke, seed 7", "random weights", "x4: "):
        assert words in text


def test_the_same_images_and_figures_come_again(run):
    evaluate_experiment("lfsr-table1", run)
    scores = run / "evaluation" / "lfsr-table1" / "scores.csv"
    first = scores.read_text()
    evaluate_experiment("lfsr-table1", run)
    assert scores.read_text() == first


def test_images_and_split_can_be_chosen(run):
    about = evaluate_experiment("lfsr-table1", run, images=1, split="test")
    assert (about.images, about.split) == (1, "test")


def test_options_can_be_given_over_those_of_the_experiment(run, capsys):
    arguments = ["experiment", "lfsr-table1", "--output", str(run), "--option", "roi_size=16"]
    assert evaluate.main([*arguments, "epoch_images=7"]) == 0
    assert evaluate.main([*arguments, "epoch_images=many"]) == 2
    assert "options of lfsr-table1: epoch_images" in capsys.readouterr().err
    assert evaluate.main([*arguments, "choose"]) == 2
    assert "KEY=VALUE, found 'choose'" in capsys.readouterr().err


def test_values_of_options_are_json_or_text():
    found = evaluate.parsed(["choose=true", "at=x4", "margins=[0, 0.1]", "name=a=b", "empty="])
    assert found == {"choose": True, "at": "x4", "margins": [0, 0.1], "name": "a=b", "empty": ""}


@pytest.fixture
def asked(monkeypatch):
    """What slices were asked for; none is read."""
    found = {}

    def load_slices(data, split, sources, **options):
        found.update(options, data=data)
        return slices(2)

    monkeypatch.setattr(driver, "load_slices", load_slices)
    return found


def test_other_data_than_the_runs_is_not_split_as_the_runs(run, asked, tmp_path):
    evaluate_experiment("lfsr-table1", run)
    assert asked["split_file"] == run / "split.json"
    evaluate_experiment("lfsr-table1", run, data=tmp_path / "elsewhere" / ".." / "data")
    assert asked["split_file"] == run / "split.json"
    evaluate_experiment("lfsr-table1", run, data=tmp_path / "elsewhere")
    assert asked["split_file"] is None


def test_unreadable_files_are_treated_as_in_training(run, asked):
    evaluate_experiment("lfsr-table1", run)
    assert asked["unreadable"] == "stop"
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "unreadable": "skip"}))
    evaluate_experiment("lfsr-table1", run)
    assert asked["unreadable"] == "skip"


def test_a_failure_leaves_the_evaluation_that_was_there(run, monkeypatch):
    evaluate_experiment("lfsr-table1", run)
    folder = run / "evaluation" / "lfsr-table1"
    before = (folder / "about.json").read_text()

    def fail(bench):
        (bench.output / "half.csv").write_text("half")
        raise ValueError("no more")

    monkeypatch.setitem(KINDS, "table", fail)
    with pytest.raises(ValueError, match="no more"):
        evaluate_experiment("lfsr-table1", run)
    assert (folder / "about.json").read_text() == before
    assert [path.name for path in (run / "evaluation").iterdir()] == ["lfsr-table1"]


def test_a_missing_network_says_how_to_train_it(run, monkeypatch, capsys):
    def missing(folder, name, device):
        raise UntrainedError(f"expected the network {name} in {folder}, found none")

    monkeypatch.setattr(driver, "load_trained", missing)
    assert evaluate.main(["experiment", "lfsr-table1", "--output", str(run)]) == 2
    said = capsys.readouterr().err
    assert "expected the network srresnet-x2" in said
    assert "metasr-train lfsr-table1 --preset smoke --data" in said
    assert not (run / "evaluation").exists()


def test_an_unknown_experiment_suggests_the_nearest(tmp_path, capsys):
    assert evaluate.main(["experiment", "ms-gan-tabel1", "--output", str(tmp_path)]) == 2
    assert "did you mean 'ms-gan-table1'?" in capsys.readouterr().err


def test_a_folder_that_is_no_run(tmp_path, capsys):
    assert evaluate.main(["experiment", "ms-gan-table1", "--output", str(tmp_path)]) == 2
    assert "expected a run folder with run.json" in capsys.readouterr().err


def test_a_model_is_measured_at_every_scale_under_every_degradation(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluate, "slices_of_split", lambda *asked: slices(1))
    output = tmp_path / "out"
    arguments = ["--data", str(tmp_path), "--output", str(output), "--scales", "2", "--slices", "1"]
    assert evaluate.main(["model", "meta-srgan", *arguments, "--device", "cpu"]) == 0
    assert {path.name for path in output.iterdir()} == {"zoom.csv", "zoom.md", "zoom.json"}
    summary = json.loads((output / "zoom.json").read_text())
    assert set(summary["psnr_gain_over_bicubic"]) == {
        f"disc/{name}/x2.0".replace(".0", "") for name in ("bicubic", "bilinear", "box", "k-space")
    }
    assert "| disc | box | x2 | 1 |" in capsys.readouterr().out


def test_a_split_is_followed_and_one_that_is_not_there_is_refused(tmp_path, monkeypatch, capsys):
    asked = []

    def slices_of_split(*arguments):
        asked.append(arguments)
        return slices(1)

    monkeypatch.setattr(evaluate, "slices_of_split", slices_of_split)
    arguments = ["--data", str(tmp_path), "--output", str(tmp_path / "out"), "--scales", "2"]
    arguments += ["--slices", "1", "--split", str(tmp_path / "split.json"), "--device", "cpu"]
    assert evaluate.main(["model", "meta-srgan", *arguments, "--degradations", "box"]) == 0
    assert asked == [(tmp_path, "val", (), tmp_path / "split.json")]
    monkeypatch.undo()
    assert evaluate.main(["model", "meta-srgan", *arguments, "--degradations", "box"]) == 2
    assert "split.json" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--scales", "--sources", "--degradations", "--noise"])
def test_an_option_of_several_values_without_one_is_refused_in_one_line(tmp_path, capsys, option):
    arguments = ["model", "meta-srgan", "--data", str(tmp_path), "--output", str(tmp_path / "out")]
    for words in ([*arguments, option], [*arguments[:2], option, *arguments[2:]]):
        assert evaluate.main(words) == 2
        said = capsys.readouterr().err
        assert said == f"metasr-evaluate: expected at least one value of {option}, found none\n"
    assert not (tmp_path / "out").exists()
