"""Every benchmark, as a process: its help, and its smallest run."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from fakes.processes import run_python
from fakes.training import write_data

from metasr_training.run_folder import RunFolder
from metasr_training.trained import network_folder
from napari_metasr.samples.phantom import glioma_phantom

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
PAGES = [ROOT / "README.md", ROOT / "training/README.md", *sorted((ROOT / "docs").glob("*.md"))]
ABSENT = "cuda" if sys.platform == "darwin" else "mps"
LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="what benchmarks take is read as Linux counts it"
)
NUMBER = r"[\d,]*\d(?:\.\d+)?"
SMALLEST = {
    "batches": ("--data data --repeats 1 --only zoom", [rf"\| zoom \| {NUMBER} ms \| {NUMBER} ms"]),
    "encoders": (
        "--size 32 --repeats 1 --imports 1",
        [rf"\| torch \| {NUMBER} \| {NUMBER} \| {NUMBER} \|", r"\| onnxruntime \|"],
    ),
    "estimated": (
        "scan.nii.gz --scales 2 --slices 1 --noise 0.02",
        [rf"\| 2% \| k-space \| x2 \| {NUMBER} \|", r"\| gaussian \| x2"],
    ),
    "gaps": (
        "--quick",
        ["napari alone: leave the grid", "tick the contrast", "drag the cross-hair"],
    ),
    "interaction": (
        "--repeats 2 --events 20 --scale 2",
        ["results of 256x256 and 256x256 pixels", "burst of 20 slider events", "painted loupe"],
    ),
    "lesion_focus": (
        "--quick --batch 2 --slice 64 --roi 32",
        [r"around lesions, 32 x 32 \| 4 \|", r"\| meta-srgan \| x2 \|", r"\| ld-plus \|"],
    ),
    "overshoot": (
        "data --slices 1 --scales 2 --reductions bicubic",
        [r"truth \| \d+\.\d\d \|  \|", r"limited, widened by 0 \| 0\.00 \| \d\d\.\d\d \|"],
    ),
    "schedules": ("--data data --run run", [rf"\| zoom \| {NUMBER} \| {NUMBER} \| {NUMBER} \|"]),
    "soak": (
        "--slices 2 --events 1 --removals 1 --openings 1 --size 32",
        ["slices: 2 times", "docks: 1 times", "after closing everything: 0 encoded slices"],
    ),
    "told": ("scans --only thick", [rf"\| thick \| {NUMBER} \|"]),
    "training": (
        "--scales 2.5 --repeats 1 --batch 2 --patch 20",
        [rf"\| x2.5 \| {NUMBER} \| {NUMBER} \| {NUMBER} \| {NUMBER} \| {NUMBER} \|", "mean of 1"],
    ),
    "volume": (
        "scan.nii.gz --keep 4 --views 4",
        [r"\| thick \| 4 \| consistent \|", "to 80 x 96 x 24: ", r"\| upscaling, computing \|"],
    ),
    "zoom": (
        "--told meta-srgan-told --sizes 16 --repeats 1",
        [rf"\| 16 x 16 \| {NUMBER} \| {NUMBER} \| {NUMBER} \| {NUMBER} \|"],
    ),
}  # fmt: skip
"""Arguments, and what is then printed."""


def run(script, *arguments, cwd=None):
    return run_python(script, *arguments, cwd=cwd, timeout=900)


def written(name):
    """The commands that pages and the script itself give, each with the options after it."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in [*PAGES, SCRIPTS[name]])
    return re.findall(rf"python benchmarks/{name}\.py([^`\n]*)", text)


LONG = {"gaps", "interaction", "lesion_focus", "soak"}
"""The benchmarks whose smallest run takes half a minute: windows that are drawn without a GPU."""


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_knows_the_options_that_are_written_down(name):
    done = run(SCRIPTS[name], "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {name}.py [-h]")
    known = set(re.findall(r"--[\w-]+", done.stdout))
    for command in written(name):
        assert set(re.findall(r"--[\w-]+", command)) <= known


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A scan, a data folder, a run with a finished network, and what `told` looks for."""
    path = tmp_path_factory.mktemp("benchmarks")
    volume, _ = glioma_phantom((24, 48, 40), (6.0, 4.0, 4.0))
    image = nib.Nifti1Image(volume.data.T.astype(np.int16), volume.affine)
    nib.save(image, path / "scan.nii.gz")
    (path / "scans" / "volumes").mkdir(parents=True)
    small = nib.Nifti1Image(image.dataobj, np.diag([1, 1, 1.5, 1]))  # few voxels at 1 mm
    nib.save(small, path / "scans" / "volumes" / "BraTS-GLI-00000-000-t1c.nii.gz")
    write_data(path / "data")
    network = RunFolder(network_folder(path / "run", "zoom"))
    network.final.touch()
    network.log(update=100, updates_per_second=2.5)
    return path


def test_every_benchmark_is_in_the_table():
    assert SCRIPTS.keys() == SMALLEST.keys()


@LINUX
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in LONG else ()) for name in SMALLEST],
)
def test_smallest_run(folder, name):
    arguments, printed = SMALLEST[name]
    done = run(SCRIPTS[name], *arguments.split(), cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in printed:
        assert re.search(words, done.stdout), done.stdout


@LINUX
def test_zoom_on_the_cpu(folder):
    """Times of every kernel by device; the peak memory of each way in a process of its own."""
    arguments = "--device cpu --slices 1 --regions 2 --repeats 1 --quick"
    device = run(SCRIPTS["zoom"], *arguments.split(), cwd=folder)
    assert device.returncode == 0, device.stdout + device.stderr
    assert "| what | published | compiled | plain torch |" in device.stdout
    apart = run(SCRIPTS["zoom"], "--one", json.dumps([64, 4, "meta-srgan", "published"]))
    assert apart.returncode == 0, apart.stderr
    repeated = 16 * 64 * 64 * 64 * 9 * 4 / 2**20
    assert repeated < float(apart.stdout) < 5 * repeated


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("volume", "scan.nii.gz --scale 2,1", "--scale: expected one number or three, found 2,1"),
        ("training", f"--device {ABSENT}", f"the device {ABSENT} was asked for"),
    ],
)
def test_a_wrong_option_is_refused_in_words(folder, name, arguments, words):
    done = run(SCRIPTS[name], *arguments.split(), cwd=folder)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]


def test_a_measurement_that_fails_apart_says_so(folder):
    done = run(SCRIPTS["told"], "no-such-folder", "--only", "brats", cwd=folder)
    assert done.returncode == 1
    assert "no-such-folder" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("told.py: expected a measurement")
