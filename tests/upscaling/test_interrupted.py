"""Work that is killed, or finds no room on the disk: no broken file, and it can be gone on with."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import upscale_children
from fakes.nifti import affine_with, stored
from fakes.upscaling import small_models

from napari_metasr.cli import main
from napari_metasr.io.compressed import compress
from napari_metasr.upscaling import parts
from napari_metasr.upscaling.workspace import Journal, Workspace

SHAPE = (12, 11, 6)
MOMENTS = ["reading", "3", "17", "compressing"]
"""Of 22 parts: 6 in plane, 8 and 8 across."""

KEPT = "12"
"""As one of these, for what is not gone on with."""

ROOM = {"to unpack": 3_000, "to upscale": 8_000}
"""Bytes that a file may have: the input takes 3,168, what lies between the stages 12,672."""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def command(base):
    """Arguments but for the output."""
    noise = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    stored(base / "in.nii", noise, affine_with("LPS"))
    names = small_models(base)
    models = ["--model", names["model"], "--through-plane-model", names["through_plane_model"]]
    return ["upscale", str(base / "in.nii"), "--scale", "2", "--device", "cpu", *models]


@pytest.fixture(scope="module")
def ended(base, command):
    """Work that was stopped, by when or why: its folder and how the process ended."""
    folders = {name: base / name.replace(" ", "-") for name in [*MOMENTS, *ROOM, KEPT]}
    tasks = []
    for name, folder in folders.items():
        folder.mkdir()
        task = {
            "arguments": [*command, "--output", str(folder / "out.nii.gz")],
            "folder": str(folder / ".out.nii.gz.unfinished"),
            "errors": str(folder / "errors"),
            "moment": None if name in ROOM else name,
            "room": ROOM.get(name),
        }
        tasks.append(json.dumps(task))
    script = [sys.executable, str(Path(upscale_children.__file__)), str(base / "codes.json")]
    subprocess.run(script, input="\n".join(tasks), text=True, check=True, stdout=subprocess.DEVNULL)
    codes = json.loads((base / "codes.json").read_text())
    return {
        name: (folder, code) for (name, folder), code in zip(folders.items(), codes, strict=True)
    }


@pytest.fixture
def cut(monkeypatch):
    """The work is cut up as in the processes that were stopped."""
    monkeypatch.setattr(parts, "SLAB_BYTES", upscale_children.SLAB_BYTES)
    monkeypatch.setattr(parts, "LEAST_PARTS", 1)


@pytest.fixture(scope="module")
def expected(base, command):
    """The output of work that nothing happened to."""
    output = base / "whole.nii.gz"
    assert main([*command, "--output", str(output)]) == 0
    return output.read_bytes()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "errors")


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_work_leaves_no_broken_file_and_goes_on(ended, moment, command, expected, cut):
    folder, code = ended[moment]
    assert code == -9
    assert not [name for name in names_in(folder) if not name.startswith(".")]
    output = folder / "out.nii.gz"
    assert main([*command, "--output", str(output), "--resume"]) == 0
    assert output.read_bytes() == expected
    assert names_in(folder) == ["out.json", "out.nii.gz"]


@pytest.mark.parametrize("what", ROOM)
def test_a_full_disk_is_told_in_a_line_and_gone_on_after(ended, what, command, expected, cut):
    folder, code = ended[what]
    assert code == 2
    lines = (folder / "errors").read_text().strip().splitlines()
    errors = [line for line in lines if "error:" in line]
    assert len(errors) == 1
    assert "File too large" in errors[0]
    assert ".out.nii.gz.unfinished" in errors[0]
    assert "Traceback" not in "".join(lines)
    assert not [name for name in names_in(folder) if not name.startswith(".")]
    output = folder / "out.nii.gz"
    assert main([*command, "--output", str(output), "--resume"]) == 0
    assert output.read_bytes() == expected


def test_a_disk_that_is_full_when_it_is_compressed_is_named(tmp_path, rng):
    (tmp_path / "a").write_bytes(rng.bytes(5_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"File too large.*a\.gz"):
            list(compress(tmp_path / "a", tmp_path / "a.gz", 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_slabs_of_another_size_are_other_work(command, tmp_path, capsys, monkeypatch):
    """What is done by one way of cutting cannot be gone on with by another."""
    output = tmp_path / "out.nii.gz"
    monkeypatch.setattr(parts, "LEAST_PARTS", 1)
    monkeypatch.setattr(parts, "SLAB_BYTES", 4_000)
    with monkeypatch.context() as patch:
        patch.setattr("napari_metasr.io.unfinished.compress", _interrupted)
        assert main([*command, "--output", str(output)]) == 2
    monkeypatch.setattr(parts, "SLAB_BYTES", 8_000)
    assert main([*command, "--output", str(output), "--resume"]) == 2
    assert "with other options or by another version; without --resume" in capsys.readouterr().err
    assert not output.exists()


def _interrupted(*_, **__):
    raise OSError("as if it were interrupted")


def zeroed(folder):
    path = folder / "first.raw"
    path.write_bytes(bytes(path.stat().st_size))


def cut_short(folder):
    path = folder / "output.raw"
    path.write_bytes(path.read_bytes()[:-7])


def another_input(folder):
    path = folder / "input.raw"
    path.write_bytes(path.read_bytes()[::-1])


def no_input(folder):
    (folder / "input.raw").unlink()


def one_bit(folder):
    path = folder / "in-plane.raw"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


def too_far(folder):
    journal = Journal.model_validate_json((folder / "journal.json").read_bytes())
    digests = journal.digests + journal.digests[-1:] * 1000
    Workspace(folder.with_name("out.nii.gz")).write(journal.model_copy(update={"digests": digests}))


def another_range(folder):
    journal = json.loads((folder / "journal.json").read_text())
    journal["findings"]["intensity_range"][1] += 1
    (folder / "journal.json").write_text(json.dumps(journal))


@pytest.mark.parametrize(
    "damage", [zeroed, cut_short, another_input, no_input, one_bit, too_far, another_range]
)
def test_work_that_is_not_as_it_was_left_is_not_gone_on_with(
    ended, command, cut, expected, tmp_path, capsys, damage
):
    folder = tmp_path / "copy"
    shutil.copytree(ended[KEPT][0], folder)
    damage(folder / ".out.nii.gz.unfinished")
    output = folder / "out.nii.gz"
    assert main([*command, "--output", str(output), "--resume"]) == 2
    assert re.search(r"found (it damaged|a damaged one)", capsys.readouterr().err)
    assert not output.exists()
    assert main([*command, "--output", str(output)]) == 0
    assert output.read_bytes() == expected


def test_work_whose_output_is_gone_begins_anew_and_gives_the_same_bytes(
    ended, command, cut, expected, tmp_path
):
    folder = tmp_path / "copy"
    shutil.copytree(ended[KEPT][0], folder)
    (folder / ".out.nii.gz.unfinished" / "output.raw").unlink()
    output = folder / "out.nii.gz"
    assert main([*command, "--output", str(output), "--resume"]) == 0
    assert output.read_bytes() == expected
