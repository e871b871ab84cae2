"""Every verb that takes a scale says that it is beyond what its model was trained on."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_metasr.cli import main
from napari_metasr.io import write_volume

SAID = "x6 in plane is beyond the x4 that Meta-SRGAN was trained on"


@pytest.fixture
def scan(tmp_path, phantom_volume):
    return write_volume(
        tmp_path / "scan.nii.gz", phantom_volume.data, phantom_volume.affine, phantom_volume.source
    )


@pytest.fixture
def mask(tmp_path, phantom_volume):
    lesion = (phantom_volume.data > 700).astype(np.uint8)
    return write_volume(
        tmp_path / "seg.nii.gz", lesion, phantom_volume.affine, phantom_volume.source
    )


@pytest.mark.parametrize(
    "words",
    [
        ["out.nii.gz"],
        ["out.png"],
        ["out.html"],
        ["out.gif"],
        ["out.gif", "--blink"],
        ["out.png", "--profile", "4.5,3.5,20.5,15.5"],
        ["out.png", "--lesion", "1", "--mosaic", "3"],
    ],
    ids=["volume", "figure", "page", "animation", "blink", "profile", "mosaic"],
)
def test_zoom(scan, mask, tmp_path, capsys, words):
    output, *options = words
    if "--lesion" in options:
        options += ["--mask", str(mask)]
    if not {"--lesion", "--profile"} & set(options):
        options += ["--region", "4,6,8,6"]
    arguments = ["--scale", "6", "--device", "cpu", "--output", str(tmp_path / output)]
    assert main(["zoom", str(scan), *arguments, *options]) == 0
    assert SAID in capsys.readouterr().err
    assert (tmp_path / output).is_file()


def test_zoom_within_the_range_says_nothing(scan, tmp_path, capsys):
    arguments = ["--scale", "4", "--region", "4,6,8,6", "--output", str(tmp_path / "out.png")]
    assert main(["zoom", str(scan), *arguments]) == 0
    assert "beyond" not in capsys.readouterr().err


def test_upscale_and_replay_say_it_and_it_is_recorded(scan, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["--scale", "6,6,1", "--device", "cpu", "--output", "out.nii.gz"]
    assert main(["upscale", str(scan), *arguments]) == 0
    assert SAID in capsys.readouterr().err
    record = json.loads((tmp_path / "out.json").read_text())
    assert any(SAID in concern for concern in record["Concerns"])
    again = ["--input", str(scan), "--output", "again.nii.gz"]
    assert main(["replay", "out.json", *again]) == 0
    assert SAID in capsys.readouterr().err
    assert nib.load("again.nii.gz").shape == nib.load("out.nii.gz").shape


def test_detect_says_what_small_pixels_it_was_trained_for(scan, tmp_path, capsys):
    arguments = ["--scale-input", "6", "--device", "cpu", "--output", str(tmp_path / "l.json")]
    main(["detect", str(scan), *arguments])  # which refuses so small an image
    assert "was trained on slices reduced by 1 to 4" in capsys.readouterr().err
