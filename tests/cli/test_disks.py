"""A disk without room or that cannot be written to: one line that names the file, nothing left."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.dicom import save, series, voxels
from fakes.disks import contents, little_room, read_only
from fakes.nifti import affine_with, stored

from napari_metasr.cli import main
from napari_metasr.cli.verbs import VERBS
from napari_metasr.quality.rating import prepare

ROOM = 300
"""Bytes that a file may have: less than any output."""

WRITING = {
    "zoom": [
        *(f"zoom scan.nii.gz --scale 2 --output out/a{ending}"
          for ending in (".png", ".pdf", ".nii", ".nii.gz", ".mgz", ".nrrd", ".mha", ".html")),
        "zoom scan.nii.gz --scale 2 --output out/a.gif",
        "zoom scan.nii.gz --scale 2 --output out/a.mp4",
        "zoom scan.nii.gz --scale 2 --profile 2,2,9,9 --output out/a.png",
        "zoom scan.nii.gz --scale 2 --lesion all --mask seg.nii.gz --output out/a.nii.gz",
        "zoom scan.nii.gz --scale 2 --risk --output out/a.nii.gz",
    ],
    "upscale": [
        "upscale scan.nii.gz --scale 2,2,1 --output out/a.nii.gz",
        "upscale scan.nii.gz --scale 2,2,1 --output out/a.mgz",
        "upscale scan.nii.gz --scale 2,2,1 --output out/a.nii --labels seg.nii.gz",
        "upscale scan.nii.gz --scale 2,2,1 --output out/a.nii --risk out/b.nii.gz",
        "upscale dicom --scale 2,2,1 --output out/a.nii --dicom out/a.dcm",
    ],
    "replay": ["replay made.json --input scan.nii.gz --output out/a.nii.gz"],
    "detect": [
        "detect scan.nii.gz --labels seg.nii.gz --output out/a.json --mask out/a.nii.gz",
        "detect big-dicom --output out/a.json --seg out/a.dcm --rtstruct out/b.dcm",
    ],
    "trust": ["trust scan.nii.gz --slice 1 --scales 2 --output out/a.html"],
    "cohort": ["cohort many --scale 2,2,1 --workers 1 --output out/a"],
    "demo": ["demo --input scan.nii.gz --screen virtual --device cpu --output out/a"],
    "rate": ["rate out/study --rater Ann"],
}  # fmt: skip
WRITING_NOTHING = {"series", "info", "models"}
"""`models` removes."""

STUDIED = {"a": {name: np.eye(4) for name in ("bicubic", "truth")}}

ALL = [words for lines in WRITING.values() for words in lines]
NOT_FILLED = ("demo", "trust", "rate")
"""Pictures and proofs take long, and are written like the others: see their own tests.

`rate` opens its window, in which an answer that finds no room is told: see the dock's tests.
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disks")
    rng = np.random.default_rng(0)
    scan = stored(
        folder / "scan.nii.gz",
        rng.integers(1, 900, (18, 16, 3)).astype(np.int16),
        affine_with("RAS"),
    )
    labels = np.zeros((18, 16, 3), np.uint8)
    labels[4:9, 4:9, 1] = 1
    stored(folder / "seg.nii.gz", labels, affine_with("RAS"))
    for name, shape in (("dicom", (3, 16, 16)), ("big-dicom", (3, 40, 40))):
        (folder / name).mkdir()
        save(folder / name, series(voxels(shape, np.uint16)))
    (folder / "many").mkdir()
    (folder / "many" / "scan.nii.gz").write_bytes(scan.read_bytes())
    made = folder / "made.nii.gz"
    assert main(["upscale", str(scan), "--scale", "2,2,1", "--output", str(made)]) == 0
    return folder


@pytest.fixture
def folder(inputs, tmp_path, monkeypatch):
    """A working folder with links to all inputs, and one for outputs, in which a study lies."""
    for path in inputs.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "out").mkdir()
    prepare(STUDIED, tmp_path / "out" / "study", seed=1)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_verb_that_writes_is_tried():
    assert {*WRITING, *WRITING_NOTHING} == {*VERBS}


@pytest.mark.parametrize("words", [words for words in ALL if not words.startswith(NOT_FILLED)])
def test_a_full_disk(folder, words, capsys):
    before = contents(folder)
    with little_room(ROOM):
        code = main(words.split())
    where = "workers" if words.startswith("cohort") else "out/"  # they write files of their own
    refused_in_one_line(capsys.readouterr().err, code, where)
    assert contents(folder) == before


@pytest.mark.parametrize("words", ALL)
def test_a_disk_that_cannot_be_written_to(folder, words, capsys):
    before = contents(folder)
    with read_only(folder / "out"):
        code = main(words.split())
    refused_in_one_line(capsys.readouterr().err, code)
    assert contents(folder) == before


def refused_in_one_line(shown: str, code: int, where: str = "out/") -> None:
    """An error of the program alone, which names an output; progress may stand beside it."""
    lines = [line.rpartition("\r")[2] for line in shown.splitlines()]
    errors = [line for line in lines if line.startswith("napari-metasr: error: ")]
    assert (code, len(errors)) == (2, 1), shown
    assert where in errors[0]
    assert [line for line in lines if "rror" in line] == errors
