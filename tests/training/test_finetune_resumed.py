"""``metasr-train finetune`` gone on with: its start, its seeds, its measurement, interrupts."""

from __future__ import annotations

import json
import os
import shutil
import signal

import pytest
from fakes.models import install
from fakes.training import disc, write_scans

from metasr_training import fine_tuning, train
from metasr_training.condition import Condition
from metasr_training.datasets.slices import Slice
from metasr_training.left_out import in_plane, measure
from metasr_training.trained import load_trained
from napari_metasr import weights
from napari_metasr.zoom.loading import load_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Scans, models, and finished runs of one and of two seeds that began with ``tiny``."""
    folder = tmp_path_factory.mktemp("resumed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_METASR_MODELS", str(folder / "models"))
        write_scans(folder / "scans", 5)
        for name in ("tiny", "other"):
            install(name, licence="CC-BY-4.0")
        assert finetune(folder, "--name", "one", "--output", folder / "one", start="tiny") == 0
        seeds = ["--name", "two", "--output", folder / "two", "--seeds", 2]
        assert finetune(folder, *seeds, start="tiny") == 0
    return folder


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    """A copy that a test may change."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path / "models"))
    return tmp_path


def finetune(folder, *arguments, start=None):
    options = ["--preset", "smoke", "--device", "cpu", "--slices", "2"]
    options += ["--data", folder / "scans", *(["--start", start] if start else [])]
    return train.main(["finetune", *map(str, [*options, *arguments])])


def go_on(folder, run, *arguments, start=None):
    given = ["--name", "again", "--output", folder / run, "--resume", *arguments]
    return finetune(folder, *given, start=start)


@pytest.mark.parametrize(
    ("run", "start", "arguments", "words"),
    [
        ("one", "other", [], "shipped 'tiny' is now 'other'"),
        ("one", "tiny", ["--set", "rate.initial=0.1"], "rate.initial 0.0002 is now 0.1"),
        ("one", None, ["--seeds", "2"], "expected seed 0, with which"),
        ("two", None, [], "expected seeds 0 to 1, with which"),
        ("two", None, ["--seed", "1", "--seeds", "2"], "found seeds 1 to 2"),
        ("two", "other", ["--seeds", "2"], "shipped 'tiny' is now 'other'"),
    ],
)
def test_a_finished_run_is_not_told_of_with_another_start_other_settings_or_seeds(
    folder, capsys, run, start, arguments, words
):
    before = sorted((folder / run).rglob("*"))
    assert go_on(folder, run, *arguments, start=start) == 2
    assert words in capsys.readouterr().err
    assert sorted((folder / run).rglob("*")) == before
    assert not (folder / "models" / "again.json").exists()


def test_seeds_of_a_run_without_a_record_are_told_by_their_folders(folder, capsys):
    (folder / "two" / "run.json").unlink()
    assert go_on(folder, "two") == 2
    assert "expected seeds 0 to 1, with which" in capsys.readouterr().err


def test_the_start_is_that_of_the_run(folder, capsys):
    assert go_on(folder, "one") == 0
    assert "begun with tiny" in weights.model_card("again").schedule
    assert "Better than tiny on" in capsys.readouterr().out


def test_a_start_of_other_weights_under_its_name_is_refused(folder, capsys):
    weights.remove_model("tiny")
    install("tiny", licence="CC-BY-4.0")  # its random weights are others
    assert go_on(folder, "one") == 2
    assert "expected the weights of tiny with which" in capsys.readouterr().err
    assert not (folder / "models" / "again.json").exists()


def test_missing_patients_are_named_when_a_finished_run_is_resumed(folder, capsys):
    split = json.loads((folder / "one" / "split.json").read_text())
    patient = split["train"]["scans"][0]
    (folder / "scans" / f"{patient}_FLAIR.nii.gz").unlink()
    assert go_on(folder, "one") == 2
    assert f"found none of scans {patient}" in capsys.readouterr().err


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_file_that_cannot_be_read_is_found_before_training_or_skipped(folder, capsys, split):
    entry = json.loads((folder / "one" / "split.json").read_text())[split]["scans"][0]
    good = folder / "scans" / f"{entry}_FLAIR.nii.gz"
    bad = good.with_name(f"{entry}_T2.nii.gz")
    bad.write_bytes(good.read_bytes()[:100])
    arguments = ["--name", "new", "--output", folder / "new"]
    assert finetune(folder, *arguments, start="tiny") == 2
    assert bad.name in capsys.readouterr().err
    assert not (folder / "new").exists()
    assert finetune(folder, *arguments, "--unreadable", "skip", start="tiny") == 0
    assert weights.model_card("new").results["patients"] == 1


def test_an_interrupt_while_it_is_measured_ends_it_and_it_goes_on(folder, monkeypatch, capsys):
    def interrupted(*_):
        os.kill(os.getpid(), signal.SIGINT)

    arguments = ["--name", "new", "--output", folder / "new"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patch:
        patch.setattr(fine_tuning, "measure", interrupted)
        assert finetune(folder, *arguments, start="tiny") == 130
    signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.splitlines()[-1] == "metasr-train: stopped; go on with --resume"
    assert load_trained(folder / "new", "finetune").updates
    assert finetune(folder, *arguments, "--resume") == 0


def test_a_start_brings_its_own_options_under_every_preset(folder):
    arguments = ["--name", "new", "--output", folder / "new", "--recipe", "srresnet"]
    assert finetune(folder, *arguments, "--set", "updates=1", start="srresnet-x4") == 0
    begun, tuned = (weights.model_card(name) for name in ("srresnet-x4", "new"))
    assert (tuned.options, tuned.parameters) == (begun.options, begun.parameters)


def test_patients_of_two_sites_with_one_name_are_two(folder):
    images = [
        Slice(disc(seed)[0], (0.0, 200.0), source, "P1", f"{source} P1:0")
        for seed, source in enumerate(["site-a", "site-b", "contrasts/site-b"])
    ]
    start, tuned = (load_model(name, device="cpu") for name in ("tiny", "one"))
    found = measure(images, "test", start, [tuned], in_plane([Condition()]), 0)
    assert (found.patients, found.slices) == (2, 3)
    same = measure(images, "test", start, [start], in_plane([Condition()]), 0)
    assert (same.patients, same.better) == (2, 0)
