"""A disk without room or that cannot be written to, under the training commands.

One line names the file; what a command makes at once is whole or not there; a run goes on.
"""

from __future__ import annotations

import re
import shutil
from contextlib import nullcontext
from threading import Event

import nibabel
import numpy as np
import pytest
import torch
from fakes.disks import contents, little_room, read_only
from fakes.models import install
from fakes.training import disc, write_data
from PIL import Image

from metasr_training import evaluate, export, mos, report, train
from metasr_training.campaign import Campaign
from metasr_training.catalogue import experiment
from metasr_training.trained import load_trained
from napari_metasr.errors import in_words
from napari_metasr.quality.rating import RatingSheet, read_study

PROGRAMS = {
    "metasr-train": train.main,
    "metasr-evaluate": evaluate.main,
    "metasr-export": export.main,
    "metasr-report": report.main,
    "metasr-mos": mos.main,
}
ROOMS = (0, 300, 3_000)
"""Bytes that a file may have: less than any output, than most tables, than pictures."""

RUN = "--preset smoke --data data --device cpu --output out/new"
TRAINING = f"metasr-train zoom {RUN}"
TUNING = f"metasr-train finetune {RUN} --name mine --start tiny --slices 1"
CALIBRATION = "--alpha 0.6 --acquisitions box --slices 1 --device cpu"
WRITING = [
    "metasr-train pack --data data --output out/a.zip",
    "metasr-train risk-head --data data --device cpu --updates 2 --output out/a",
    "metasr-evaluate experiment zoom --device cpu --images 1 --output out/run",
    "metasr-evaluate model tiny --data data --device cpu --slices 1 --scales 2 --output out/a",
    "metasr-evaluate native scan.nii.gz --device cpu --slices 1 --scales 2 --output out/a",
    f"metasr-evaluate calibrate data {CALIBRATION} --card out/card.json --output out/a",
    "metasr-export --run run --network zoom --output out/a --onnx",
    "metasr-export --model srgan-x2 --onnx --output out/a",
    "metasr-report run --output out/a",
    "metasr-mos prepare --input pictures --output out/a",
    "metasr-mos score study --output out/a",
]
WRITING_NOTHING = {"list", "describe"}
"""`list` remembers speeds where it can; see its own tests."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Data, a run that has been evaluated, a scan, a study that has been rated, models."""
    folder = tmp_path_factory.mktemp("disks")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("NAPARI_METASR_MODELS", str(folder / "models"))
        patch.setenv("NAPARI_METASR_CACHE", str(folder / "cache"))
        install("tiny", licence="CC-BY-4.0")
        write_data(folder / "data")
        volume = np.stack([disc(k)[0].T for k in range(4)], axis=2)
        nibabel.nifti1.save(nibabel.nifti1.Nifti1Image(volume, np.eye(4)), "scan.nii.gz")
        for method in ("bicubic", "truth"):
            (folder / "pictures" / method).mkdir(parents=True)
            Image.fromarray(disc(3)[0]).save(folder / "pictures" / method / "a.png")
        done = [
            main(TRAINING.replace("out/new", "run")),
            main("metasr-evaluate experiment zoom --device cpu --images 1 --output run"),
            main("metasr-mos prepare --input pictures --output study"),
        ]
    assert done == [0, 0, 0]
    study = read_study(folder / "study")
    with RatingSheet(study, "Ann") as sheet:
        for name in study.names:
            sheet.write(name, 3)
    return folder


@pytest.fixture
def folder(inputs, tmp_path, monkeypatch):
    """A working folder with links to all inputs, and one for outputs that has copies of some."""
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    for name in ("run", "models"):
        shutil.copytree(inputs / name, tmp_path / "out" / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path / "out" / "models"))
    monkeypatch.setenv("NAPARI_METASR_CACHE", str(tmp_path / "own-cache"))
    return tmp_path


def main(words: str) -> int:
    program, *arguments = words.split()
    return PROGRAMS[program](arguments)


def refused_in_one_line(words: str, shown: str) -> None:
    """An error of the program alone, the last that is said, which names an output."""
    program = words.split(maxsplit=1)[0]
    lines = [line.rpartition("\r")[2] for line in shown.splitlines()]
    said = [line for line in lines if line.startswith(f"{program}: ")]
    assert len(said) == 1, shown
    assert lines[-1] == said[0]
    assert re.search("out/|study/opened", said[0])  # that a key was opened is noted in the study
    assert not re.search(r"/\.[0-9a-f]{32}\.|Traceback|Error", said[0]), said[0]


def test_every_verb_that_writes_is_tried():
    tried = {tuple(words.split()[:2]) for words in (TRAINING, TUNING, *WRITING)}
    verbs = {verb for program, verb in tried if program == "metasr-train"}
    assert {*train.VERBS} == verbs - {"zoom"} | WRITING_NOTHING
    verbs = {verb for program, verb in tried if program == "metasr-evaluate"}
    assert {*evaluate.VERBS} == verbs
    assert {*mos.VERBS} == {verb for program, verb in tried if program == "metasr-mos"}


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("words", WRITING)
def test_a_full_disk(folder, words, room, capsys):
    """What is too large for the disk is refused, and then nothing is left."""
    before = contents(folder / "out")
    with little_room(room):
        code = main(words)
    if code or room < max(ROOMS):
        assert code == 2
        refused_in_one_line(words, capsys.readouterr().err)
        assert contents(folder / "out") == before


@pytest.mark.parametrize("words", [TRAINING, TUNING, *WRITING])
def test_a_disk_that_cannot_be_written_to(folder, words, capsys):
    before = contents(folder / "out")
    with read_only(folder / "out"):
        code = main(words)
    assert code == 2
    refused_in_one_line(words, capsys.readouterr().err)
    assert contents(folder / "out") == before


def test_models_that_cannot_be_installed_are_not_trained(folder, capsys):
    with read_only(folder / "out" / "models"):
        assert main(TUNING) == 2
    refused_in_one_line(TUNING, capsys.readouterr().err)
    assert not (folder / "out" / "new").exists()


def weights_of(run, network):
    return load_trained(run, network).weights["network"]


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first.keys() | second.keys())


@pytest.mark.parametrize("room", [*ROOMS, 30_000])
def test_a_run_that_filled_the_disk_goes_on(folder, room, capsys):
    with little_room(room):
        assert main(TRAINING) == 2
    refused_in_one_line(TRAINING, capsys.readouterr().err)
    assert main(f"{TRAINING} --resume") == 0
    new = folder / "out" / "new"
    assert same(weights_of(new, "zoom"), weights_of(folder / "run", "zoom"))
    assert not [path for path in new.rglob(".*") if path.name != ".lock"]


class Filling(Event):
    """Asked after every update whether to stop, it fills the disk once there is a checkpoint."""

    def __init__(self, checkpoint, limit):
        super().__init__()
        self.checkpoint, self.limit = checkpoint, limit

    def is_set(self):
        if self.checkpoint.exists():
            self.limit.enter()
        return False


class Limit:
    """Little room from a moment on, until it is left."""

    def __init__(self):
        self.room = None

    def enter(self):
        if self.room is None:
            self.room = little_room(300)
            self.room.__enter__()

    def leave(self):
        if self.room is not None:
            self.room.__exit__(None, None, None)


def test_a_disk_that_fills_after_a_checkpoint_leaves_it_to_go_on_from(folder):
    new, limit = folder / "out" / "new", Limit()
    checkpoint = new / "networks" / "zoom" / "last.pt"
    arguments = experiment("zoom"), "smoke", folder / "data", new
    new.mkdir()
    filling = Filling(checkpoint, limit)
    campaign = Campaign(*arguments, interrupts=lambda: nullcontext(filling))
    campaign.record()
    try:
        with pytest.raises(OSError, match="File too large") as full:
            campaign.train()
    finally:
        limit.leave()
    assert str(checkpoint.parent) in in_words(full.value)
    assert torch.load(checkpoint, weights_only=True)["update"] == 12
    assert main(f"{TRAINING} --resume") == 0
    assert same(weights_of(new, "zoom"), weights_of(folder / "run", "zoom"))


def test_a_speed_that_cannot_be_remembered_is_done_without(folder, caplog):
    cache = folder / "own-cache"
    cache.mkdir()
    with read_only(cache):
        assert main(TRAINING) == 0
    assert "the speed cannot be remembered" in caplog.text
