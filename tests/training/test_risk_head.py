"""``metasr-train risk-head``: the error head of a model of one's own, on one's own scans."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
from fakes.models import install
from fakes.training import disc

from metasr_training import evaluate, risk, train
from metasr_training.trained_patients import patient_hash
from napari_metasr.weights import remove_model
from napari_metasr.weights.risk import head_path, own_card_path, risk_card

PATIENTS = 5


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Scans of five patients, a split of them, and a small model in the user's folder."""
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NAPARI_METASR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scans").mkdir()
    for seed in range(PATIENTS):
        volume = np.stack([disc(seed * 10 + k, (96, 90))[0].T for k in range(4)], axis=2)
        image = nibabel.nifti1.Nifti1Image(volume, np.eye(4))
        nibabel.nifti1.save(image, tmp_path / "scans" / f"P{seed}_FLAIR.nii.gz")
    split = {"train": ["P0", "P1"], "val": ["P2", "P3"], "test": ["P4"]}
    text = json.dumps({name: {"scans": patients} for name, patients in split.items()})
    (tmp_path / "split.json").write_text(text)
    install("mine", data=("somewhere else",), patients=(patient_hash("scans", "P2"),))
    return tmp_path


def risk_head(*arguments):
    words = ["risk-head", "--data", "scans", "--model", "mine", "--output", "models/risk"]
    return train.main([*words, "--device", "cpu", *arguments])


def test_a_model_of_ones_own_gets_a_head_and_a_calibration_by_its_name(folder, capsys, caplog):
    assert risk_head("--updates", "2", "--split", "split.json") == 0
    assert "put both files" not in capsys.readouterr().out
    assert head_path("mine") == folder / "models" / "risk" / "mine.safetensors"
    card = risk_card("mine")
    assert card.updates == 2
    assert card.data == ("scans: 2 training patients, 8 training images",)
    assert set(card.patients) == {patient_hash("scans", one) for one in ("P0", "P1")}
    words = ["calibrate", "scans", "--model", "mine", "--alpha", "0.6", "--acquisitions", "box"]
    assert evaluate.main([*words, "--split", "split.json", "--device", "cpu"]) == 0
    assert "mine was trained on 1 of the patients that it is measured on (scans P2)" in caplog.text
    calibration = risk_card("mine").calibration
    assert calibration.data == ("scans: 2 patients",)
    assert calibration.contrasts == ("FLAIR",)
    assert risk_head("--updates", "1", "--start", "models/risk") == 0
    assert risk_card("mine").updates == 3
    remove_model("mine")
    assert not list((folder / "models").rglob("mine*"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--updates", "-5"], "expected a number of updates from 1 on, found -5"),
        (["--updates", "0"], "expected a number of updates from 1 on, found 0"),
        (["--rate", "0"], "expected a positive learning rate, found 0"),
        (["--budget", "soon"], "expected a duration"),
        (["--split", "none.json"], "none.json"),
        (["--rate", "1e30"], "the error head: expected finite weights"),
    ],
)
def test_a_head_that_was_not_trained_is_not_written(folder, capsys, arguments, words):
    assert risk_head("--updates", "1") == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()
    more = [] if "--updates" in arguments else ["--updates", "20"]
    assert risk_head(*arguments, *more) == 2
    assert words in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_one_that_is_stopped_before_its_first_update_is_not_written(folder, monkeypatch, capsys):
    monkeypatch.setattr(risk, "_train", lambda *arguments, **options: (0, 0.0))
    assert risk_head() == 2
    assert "stopped before the first update: no head was written" in capsys.readouterr().err
    assert not (folder / "models" / "risk").exists()


def test_a_contrast_that_is_none_is_refused(folder, capsys):
    words = ["calibrate", "scans", "--model", "mine", "--contrast", "FLAR", "--device", "cpu"]
    assert evaluate.main(words) == 2
    assert "did you mean 'FLAIR'?" in capsys.readouterr().err


def test_where_heads_and_their_calibrations_lie(folder):
    package = head_path("meta-srgan").parent
    assert own_card_path("meta-srgan") == folder / "models" / "risk" / "meta-srgan.json"
    assert head_path("not-there").parent == package
    elsewhere = folder / "elsewhere" / "mine.safetensors"
    assert head_path(elsewhere) == folder / "elsewhere" / "risk" / "mine.safetensors"
    assert own_card_path(elsewhere) == folder / "elsewhere" / "risk" / "mine.json"
    assert own_card_path(elsewhere) != own_card_path("mine")
    assert head_path(folder / "authors.pth") == folder / "risk" / "authors.safetensors"
