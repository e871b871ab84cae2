"""Going on with a run: finished networks, changed settings and data, interrupts, cut schedules."""

from __future__ import annotations

import json
import shutil

import nibabel
import numpy as np
import pytest
import torch
from fakes.training import disc, losses, slices, write_data

from metasr_training import evaluate, export, precision, train
from metasr_training.cards import Stated, card_fields
from metasr_training.run_data import digest
from metasr_training.trained import UntrainedError, load_trained

SETTINGS = ["--preset", "smoke", "--device", "cpu"]


def save(path, drawn):
    path.parent.mkdir(parents=True, exist_ok=True)
    volume = np.stack([one.T for one in drawn], axis=2)
    nibabel.nifti1.save(nibabel.nifti1.Nifti1Image(volume, np.eye(4)), path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Data with other contrasts, and a finished run on all of it."""
    folder = tmp_path_factory.mktemp("going-on")
    data = write_data(folder / "data")
    for name in ("tcga-lgg/P0", "others/Q1"):
        drawn = [disc(k + 50, (64, 60))[0] for k in range(4)]
        save(data / "contrasts" / f"{name}_flair.nii.gz", drawn)
    arguments = ["zoom", *SETTINGS, "--data", str(data), "--output", str(folder / "run")]
    assert train.main([*arguments, "--set", "contrasts=true", "--budget", "1h"]) == 0
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of data and run that a test may change."""
    for name in ("data", "run"):
        shutil.copytree(trained / name, tmp_path / name)
    return tmp_path


def go_on(folder, *settings):
    arguments = ["--data", str(folder / "data"), "--output", str(folder / "run"), "--resume"]
    given = settings or ("--set", "contrasts=true")
    return train.main(["zoom", *SETTINGS, *arguments, *given])


def config_file(folder):
    return folder / "run" / "networks" / "zoom" / "config.json"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["contrasts=true", "updates=500"], "stages.0.updates 24 is now 500"),
        (["contrasts=true", "rate.initial=0.5"], "stages.0.rate.initial 0.0004 is now 0.5"),
        (["contrasts=true", "pairs.batch=1"], "pairs.batch 2 is now 1"),
        (["contrasts=false"], "contrasts True is now False"),
    ],
)
def test_a_finished_network_is_not_taken_for_one_of_other_settings(
    trained, capsys, settings, words
):
    record = (trained / "run" / "run.json").read_bytes()
    assert go_on(trained, "--set", *settings) == 2
    said = capsys.readouterr().err
    assert f"networks/zoom was begun with another configuration: {words}" in said
    assert (trained / "run" / "run.json").read_bytes() == record


def test_what_is_found_out_at_the_beginning_is_no_other_setting(folder):
    """Precision, budget, and stages that had no images: not asked for, they are the run's."""
    assert go_on(folder) == 0
    assert go_on(folder, "--set", "contrasts=true", "--budget", "5m") == 0
    begun = json.loads(config_file(folder).read_text())["config"]
    precision = "float32" if begun["precision"] == "bfloat16" else "bfloat16"
    assert go_on(folder, "--set", "contrasts=true", "--precision", precision) == 2


def test_a_stopped_network_goes_on_in_its_precision_and_writes_as_often_as_asked_now(
    folder, monkeypatch
):
    network = folder / "run" / "networks" / "zoom"
    (network / "final.pt").unlink()
    checkpoint = torch.load(network / "last.pt", weights_only=True)
    torch.save(checkpoint | {"update": 20}, network / "last.pt")
    measured = []
    monkeypatch.setattr(precision, "seconds", lambda *asked: measured.append(asked) or 1.0)
    assert go_on(folder, "--set", "contrasts=true", "validate_every=5") == 2
    assert go_on(folder, "--set", "contrasts=true", "log_every=1", "checkpoint_every=3") == 0
    assert [each for each in losses(network, "loss/total") if each > 20] == [21, 22, 23, 24]
    assert measured == []


def test_data_that_has_changed_is_refused_and_missing_patients_are_named(folder, capsys):
    first = folder / "data" / "contrasts" / "others" / "Q1_flair.nii.gz"
    save(first, [disc(k + 70, (64, 60))[0] for k in range(4)])
    assert go_on(folder) == 2
    assert "networks/zoom was begun with, found others" in capsys.readouterr().err
    first.unlink()
    (folder / "run" / "networks" / "zoom" / "final.pt").unlink()  # nor is its training resumed
    assert go_on(folder) == 2
    said = capsys.readouterr().err
    assert "expected the train images that" in said
    assert "found none of contrasts/others Q1" in said


def test_a_run_of_an_older_version_is_gone_on_with(folder):
    about = json.loads(config_file(folder).read_text())
    del about["data"]
    config_file(folder).write_text(json.dumps(about))
    (folder / "data" / "contrasts" / "others" / "Q1_flair.nii.gz").unlink()
    assert go_on(folder) == 0


def test_a_card_counts_the_patients_of_all_slices_that_were_trained_on(trained):
    network = load_trained(trained / "run", "zoom")
    assert network.about["split"]["train"] == [
        "contrasts/others/Q1", "contrasts/tcga-lgg/P0", "tcga-lgg/P0", "tcga-lgg/P1", "tcga-lgg/P2"
    ]  # fmt: skip
    fields = card_fields(network, "zoom", Stated())
    assert "slices of 4 patients" in fields["limitations"]  # P0 once, of whom there is a FLAIR too
    assert fields["trained_contrasts"] == ("FLAIR", "T1c")
    images = [line for line in fields["data"] if line.startswith("contrasts/")]
    assert [line.split(", ")[0] for line in images] == [
        "contrasts/others: 1 training patients",
        "contrasts/tcga-lgg: 1 training patients",
    ]


def test_slices_have_another_digest_when_anything_of_them_changes():
    found, again, brighter, other, bare = (slices(2) for _ in range(5))
    brighter[1].image[3, 4] += 1
    other[0] = other[0].__class__(**vars(other[0]) | {"patient": "other"})
    bare[0] = bare[0].__class__(**vars(bare[0]) | {"mask": None})
    assert digest(found) == digest(again)
    assert len({digest(one) for one in (found, found[::-1], brighter, other, bare)}) == 5


def test_a_network_that_was_stopped_is_neither_measured_nor_exported(folder, capsys):
    """The best weights so far are not what a whole schedule gives."""
    (folder / "run" / "networks" / "zoom" / "final.pt").unlink()
    with pytest.raises(UntrainedError, match="stopped before the end of its training: resume it"):
        load_trained(folder / "run", "zoom")
    asked = ["--output", str(folder / "run"), "--device", "cpu", "--images", "1"]
    assert evaluate.main(["experiment", "zoom", *asked]) == 2
    said = capsys.readouterr().err
    assert "stopped before the end" in said
    assert "metasr-train zoom --preset smoke" in said
    assert not (folder / "run" / "evaluation").exists()
    asked = ["--run", str(folder / "run"), "--network", "zoom", "--output", str(folder / "models")]
    assert export.main(asked) == 2
    assert "stopped before the end of its training: resume it first" in capsys.readouterr().err
    assert not (folder / "models").exists()


def test_a_file_of_validation_patients_that_cannot_be_read_is_found_before_training(
    tmp_path, capsys
):
    data = write_data(tmp_path / "data")
    bad = data / "tumour-slices" / "tcga-lgg" / "val" / "P91_t1ce.nii.gz"
    bad.write_bytes(bad.read_bytes()[:100])
    arguments = ["zoom", *SETTINGS, "--data", str(data), "--output", str(tmp_path / "run")]
    assert train.main(arguments) == 2
    assert "P91_t1ce.nii.gz" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert train.main([*arguments, "--unreadable", "skip"]) == 0
    assert load_trained(tmp_path / "run", "zoom").about["split"]["val"] == ["tcga-lgg/P90"]


@pytest.mark.parametrize("verb", [*train.VERBS, "zoom"])
def test_an_interrupt_ends_every_verb_with_one_line(verb, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    if verb in train.VERBS:
        monkeypatch.setitem(train.VERBS, verb, interrupted)
    monkeypatch.setattr(train, "Campaign", interrupted)
    assert train.main([verb, "--data", str(tmp_path), "--output", str(tmp_path / "run")]) == 130
    go_on = "; go on with --resume" if verb in {"zoom", "finetune"} else ""
    assert capsys.readouterr().err == f"metasr-train: stopped{go_on}\n"
