"""``napari-metasr upscale`` and ``replay``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from test_cohort_upscale import smooth
from test_io_writer import affine_with, stored

from napari_metasr.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return stored(tmp_path / "in.nii.gz", smooth((16, 14, 6)), affine_with("LPS"))


def test_a_volume_gets_the_spacing_that_is_asked_for(scan, capsys):
    arguments = ["--spacing", "0.35,0.55,1.25", "--device", "cpu", "--output", "out.nii.gz"]
    assert main(["upscale", "in.nii.gz", *arguments]) == 0
    captured = capsys.readouterr()
    assert "32 x 28 x 12 voxels of 0.35 x 0.55 x 1.25 mm" in captured.out
    assert "for research use, not for diagnosis" in captured.out
    assert "100%" in captured.err
    assert nib.load("out.nii.gz").shape == (32, 28, 12)


def test_replay_makes_the_same_file_again(scan, tmp_path, capsys):
    main(["upscale", "in.nii.gz", "--scale", "2,2,1", "--device", "cpu", "--output", "out.nii.gz"])
    scan.rename(tmp_path / "moved.nii.gz")
    arguments = ["out.json", "--input", "moved.nii.gz", "--output", "again.nii.gz"]
    assert main(["replay", *arguments]) == 0
    assert "the same file as then" in capsys.readouterr().out
    first, second = (tmp_path / f"{name}.nii.gz" for name in ("out", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_replay_refuses_another_input_and_says_what_differs(scan, tmp_path, capsys):
    main(["upscale", "in.nii.gz", "--scale", "2,2,1", "--device", "cpu", "--output", "out.nii.gz"])
    record = json.loads((tmp_path / "out.json").read_text())
    record["Versions"]["torch"] = "0.1"
    record["OutputSha256"] = "0" * 64
    (tmp_path / "old.json").write_text(json.dumps(record))
    assert main(["replay", "old.json", "--overwrite"]) == 0
    captured = capsys.readouterr()
    assert "another file as then" in captured.out
    assert "in place of 0.1" in captured.err
    stored(scan, smooth((16, 14, 6), seed=9), affine_with("LPS"))
    assert main(["replay", "out.json", "--output", "again.nii.gz"]) == 2
    assert "expected the input with sha256" in capsys.readouterr().err
    assert not (tmp_path / "again.nii.gz").exists()


def test_replay_wants_weights_that_are_the_same(scan, tmp_path, capsys):
    main(["upscale", "in.nii.gz", "--scale", "2,2,1", "--device", "cpu", "--output", "out.nii.gz"])
    text = (tmp_path / "out.json").read_text()
    digest = json.loads(text)["Models"][0]["Sha256"]
    (tmp_path / "out.json").write_text(text.replace(digest, "f" * 64))
    assert main(["replay", "out.json", "--overwrite"]) == 2
    assert "expected the weights meta-srgan with sha256 ffff" in capsys.readouterr().err
    (tmp_path / "out.json").write_text("{}")
    assert main(["replay", "out.json", "--overwrite"]) == 2
    assert "expected a sidecar as `napari-metasr upscale` writes it" in capsys.readouterr().err


def test_within_a_mask(scan, tmp_path, capsys):
    mask = np.zeros((16, 14, 6), np.uint8)
    mask[4:9, 5:9, 2:4] = 1
    stored(tmp_path / "mask.nii.gz", mask, affine_with("LPS"))
    arguments = ["--scale", "2,2,1", "--device", "cpu", "--dtype", "float32"]
    main(["upscale", "in.nii.gz", *arguments, "--output", "all.nii"])
    main(["upscale", "in.nii.gz", *arguments, "--within", "mask.nii.gz", "--output", "part.nii"])
    same = nib.load("all.nii").get_fdata() == nib.load("part.nii").get_fdata()
    inside = mask.repeat(2, 0).repeat(2, 1) > 0
    assert same[inside].all()
    assert same[~inside].mean() < 0.1
    stored(tmp_path / "empty.nii.gz", 0 * mask, affine_with("LPS"))
    capsys.readouterr()
    arguments += ["--within", "empty.nii.gz", "--output", "none.nii"]
    assert main(["upscale", "in.nii.gz", *arguments]) == 2
    assert "expected lesions, found none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "out.nii"], "expected a scale or a spacing, found neither"),
        (["--scale", "2", "--spacing", "1", "--output", "out.nii"], "found both"),
        (["--scale", "2,2", "--output", "out.nii"], "expected a positive number, or three"),
        (["--scale", "0", "--output", "out.nii"], "expected a positive number, or three"),
        (["--scale", "2", "--output", "out.png"], "expected a name that ends in .nii or .nii.gz"),
        (["--scale", "2", "--output", "missing/out.nii"], "does not exist"),
        (["--scale", "2", "--output", "in.nii.gz"], "the file exists"),
        (["--scale", "2", "--output", "in.nii.gz/out.nii"], "does not exist"),
        (["--spacing", "0.7,1.1,0.0003", "--output", "out.nii"], "--force"),
        (["--scale", "2", "--model", "meta-sran", "--output", "out.nii"], "did you mean"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    scan, tmp_path, capsys, arguments, message
):
    assert main(["upscale", "in.nii.gz", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.nii.gz"]
