"""Every verb of every command, as a process: its help, and its simplest real arguments."""

from __future__ import annotations

import re
from importlib.metadata import entry_points

import nibabel as nib
import numpy as np
import pytest
from fakes.dicom import save, series, voxels
from fakes.processes import run_python
from fakes.training import write_data
from PIL import Image

from metasr_training import train
from napari_metasr.quality.rating import RatingSheet, read_study
from napari_metasr.weights import model_names
from napari_metasr.weights.risk import FOLDER

VERBS = {
    "napari-metasr": (
        "zoom", "upscale", "replay", "cohort", "series", "info", "detect", "trust", "models",
        "demo", "rate",
    ),
    "metasr-train": ("list", "pack", "describe", "finetune", "risk-head"),
    "metasr-evaluate": ("experiment", "model", "native", "calibrate"),
    "metasr-export": (),
    "metasr-report": (),
    "metasr-mos": ("prepare", "score"),
}  # fmt: skip
COMMANDS = [(name, *verb) for name, verbs in VERBS.items() for verb in [(), *zip(verbs)]]
BESIDE_MODEL = "--model models/zoom.safetensors --output models/risk"

# Quits a second after the window is shown, as if somebody closed it. All in the main thread: Qt
# takes the first thread that loads it for the one of its windows.
CLOSED_AT_ONCE = """
import napari
run = napari.run
def run_for_a_second():
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication
    assert any(one.isVisible() for one in QApplication.topLevelWidgets())
    QTimer.singleShot(1000, QApplication.instance().quit)
    run()
napari.run = run_for_a_second
"""


def run(command, *arguments, before="", cwd=None):
    """The console script of a command in a process of its own."""
    (entry,) = entry_points(group="console_scripts", name=command)
    code = f"import sys; sys.argv[0] = {command!r}; from {entry.module} import {entry.attr} as main"
    return run_python("-c", f"{code}\n{before}\nsys.exit(main())", *arguments, cwd=cwd)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(command):
    done = run(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {' '.join(command)} [-h]")
    if len(command) == 1 and command[0] != "metasr-train" and VERBS[command[0]]:
        listed = re.search(r"\{([\w,-]+)\}", done.stdout.partition("\n")[0])
        assert tuple(listed[1].split(",")) == VERBS[command[0]]


def test_every_console_script_is_in_the_table():
    scripts = entry_points(group="console_scripts")
    ours = {one.name for one in scripts if one.value.startswith(("napari_metasr", "metasr_"))}
    assert ours == VERBS.keys()
    assert tuple(train.VERBS) == VERBS["metasr-train"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A volume, a DICOM series, a data folder, a trained and evaluated run, a rating study."""
    path = tmp_path_factory.mktemp("commands")
    rng = np.random.default_rng(0)
    image = nib.Nifti1Image(rng.integers(1, 900, (36, 34, 4)).astype(np.int16), np.eye(4))
    (path / "scans").mkdir()
    nib.save(image, path / "scans" / "in.nii.gz")
    (path / "dicom").mkdir()
    save(path / "dicom", series(voxels()))
    write_data(path / "data")
    for method in ("truth", "ours"):
        (path / "images" / method).mkdir(parents=True)
        pixels = rng.integers(0, 255, (16, 16), np.uint8)
        Image.fromarray(pixels).save(path / "images" / method / "a.png")
    return path


def test_the_plugins_verbs(folder):
    """Super-resolve, upscale and do it again, many volumes, series, lesions, models, pictures."""
    for arguments in (
        "zoom scans/in.nii.gz --scale 2 --output out.png",
        "upscale scans/in.nii.gz --scale 2,1,1 --output up.nii.gz",
        "replay up.json --input scans/in.nii.gz --output again.nii.gz",
        "cohort scans --scale 2,1,1 --output many --workers 1",
        "series dicom",
        "info scans/in.nii.gz",
        "detect scans/in.nii.gz --output rois.json",
        "models",
    ):
        done = run("napari-metasr", *arguments.split(), cwd=folder)
        assert done.returncode == 0, done.stderr
    assert {"out.png", "up.nii.gz", "again.nii.gz", "many", "rois.json"} <= {
        one.name for one in folder.iterdir()
    }


def test_the_demo_leaves_pictures(folder):
    arguments = "demo --input scans/in.nii.gz --screen virtual --output demo --device cpu"
    done = run("napari-metasr", *arguments.split(), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "demo" / "screenshot.png").is_file()


def test_a_proof_is_written(folder):
    arguments = "trust scans/in.nii.gz --output proof.html"
    done = run("napari-metasr", *arguments.split(), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "proof.html").is_file()


def test_a_calibration_says_how_many_patients_it_needs(folder):
    arguments = "calibrate data --card card.json --splits train"
    done = run("metasr-evaluate", *arguments.split(), cwd=folder)
    assert done.returncode == 2
    assert "patients" in done.stderr
    assert not (folder / "card.json").exists()


def test_the_training_commands(folder):
    """List, pack, fine-tune, train, evaluate, report, export; the exported model is measured."""
    printed = {}
    for arguments in (
        "metasr-train list",
        "metasr-train describe --data data",
        "metasr-train pack --data data --output data.zip",
        "metasr-train finetune --data data --name mine --output mine-run --preset smoke --slices 1",
        "metasr-train zoom --preset smoke --data data.zip --output run",
        "metasr-train risk-head --data data --output head --updates 2",
        "metasr-evaluate experiment zoom --output run --images 1",
        "metasr-report run --output report",
        "metasr-export --run run --network zoom --output models",
        f"metasr-train risk-head --data data --updates 2 {BESIDE_MODEL}",
        "metasr-evaluate native scans/in.nii.gz --output native --scales 2 --slices 1",
        "metasr-evaluate model models/zoom.safetensors --data data --output out --slices 1",
    ):
        done = run(*arguments.split(), cwd=folder)
        assert done.returncode == 0, done.stderr
        printed[arguments] = done.stdout
    elsewhere, beside = (text for line, text in printed.items() if "risk-head" in line)
    assert f"Next: put both files into {FOLDER}, then metasr-evaluate calibrate" in elsewhere
    assert "Next: metasr-evaluate calibrate data --model models/zoom.safetensors" in beside
    assert (folder / "report" / "README.md").is_file()
    assert (folder / "out" / "zoom.csv").is_file()
    assert "mine" in model_names()


def test_a_study_is_made_rated_and_scored(folder):
    done = run("metasr-mos", *["prepare", "--input", "images", "--output", "study"], cwd=folder)
    assert done.returncode == 0, done.stderr
    rated = run(
        "napari-metasr", "rate", "study", "--rater", "Ann", before=CLOSED_AT_ONCE, cwd=folder
    )
    assert rated.returncode == 0, rated.stderr
    study = read_study(folder / "study")
    with RatingSheet(study, "Ann") as sheet:
        for name in study.names:
            sheet.write(name, 3)
    scored = run("metasr-mos", "score", "study", cwd=folder)
    assert scored.returncode == 0, scored.stderr
