"""What is known of the acquisition stays with the output: times, fields of BIDS, gradients."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from fakes.dicom import save, series, voxels
from fakes.nifti import affine_with, stored

from napari_metasr.cli import main
from napari_metasr.upscaling.sidecar import read_sidecar

UPSCALE = ["--scale", "1.5,1,1", "--device", "cpu", "--output"]


@pytest.fixture
def scan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = np.random.default_rng(0).integers(0, 900, (8, 7, 6, 2)).astype(np.int16)
    path = stored(tmp_path / "dwi.nii.gz", data, affine_with("LPS"))
    fields = {"EchoTime": 0.09, "PhaseEncodingDirection": "j-", "PatientName": "Mustermann"}
    (tmp_path / "dwi.json").write_text(json.dumps(fields))
    (tmp_path / "dwi.bval").write_text("0 1000\n")
    (tmp_path / "dwi.bvec").write_text("0 1\n0 0\n0 0\n")
    return path


def test_fields_and_gradients_are_carried_over(scan, tmp_path):
    assert main(["upscale", "dwi.nii.gz", *UPSCALE, "out.nii"]) == 0
    record = json.loads((tmp_path / "out.json").read_text())
    assert (record["EchoTime"], record["PhaseEncodingDirection"]) == (0.09, "j-")
    assert "Mustermann" not in (tmp_path / "out.json").read_text()
    for ending in ("bval", "bvec"):
        one, other = (tmp_path / f"{name}.{ending}" for name in ("dwi", "out"))
        assert one.read_bytes() == other.read_bytes()
    assert read_sidecar(tmp_path / "out.json").model_extra == {
        "EchoTime": 0.09, "PhaseEncodingDirection": "j-",
    }  # fmt: skip
    assert main(["replay", "out.json", "--output", "again.nii"]) == 0
    assert (tmp_path / "again.nii").read_bytes() == (tmp_path / "out.nii").read_bytes()


def test_gradients_of_something_else_stay(scan, tmp_path):
    (tmp_path / "out.bval").write_text("mine")
    assert main(["upscale", "dwi.nii.gz", *UPSCALE, "out.nii"]) == 0
    assert (tmp_path / "out.bval").read_text() == "mine"


def test_an_unknown_field_is_no_sidecar_of_ours(scan, tmp_path):
    main(["upscale", "dwi.nii.gz", *UPSCALE, "out.nii"])
    path = tmp_path / "out.json"
    path.write_text(path.read_text().replace("EchoTime", "EchoTimes"))
    with pytest.raises(ValueError, match="unknown fields EchoTimes"):
        read_sidecar(path)


def test_times_of_a_series_are_recorded(tmp_path):
    folder = save(
        tmp_path / "in", series(voxels(), RepetitionTime=2500, EchoTime=30, InversionTime=None)
    )
    output = tmp_path / "out.nii"
    assert main(["upscale", str(folder), *UPSCALE, str(output)]) == 0
    extra = read_sidecar(tmp_path / "out.json").model_extra
    assert extra == {"EchoTime": 0.03, "RepetitionTime": 2.5}


def test_no_orientation_and_thick_slices_are_known_in_the_record(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image = nib.Nifti1Image(np.arange(8 * 4 * 9).reshape(8, 4, 9).astype(np.int16), None)
    image.header.set_zooms((1, 4, 1))
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, "in.nii")
    assert (
        main(["upscale", "in.nii", "--scale", "1.5,1,1", "--device", "cpu", "--output", "o.nii"])
        == 0
    )
    record = read_sidecar(tmp_path / "o.json")
    assert record.options.plane == "coronal"
    assert "no orientation" in record.concerns[0]
    assert capsys.readouterr().err.count("no orientation") == 1
    header = nib.load("o.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_single_slice_keeps_its_brightness(tmp_path, axis):
    grid = np.meshgrid(*3 * [np.linspace(-1, 1, 32)], indexing="ij")
    ball = np.rint(np.where(sum(one**2 for one in grid) < 0.5, 700, 20)).astype(np.int16)
    data = np.take(ball, [16], axis=axis)
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "in.nii")
    scale = ["2", "2", "2"]
    scale[axis] = "1"
    output = str(tmp_path / "out.nii")
    arguments = ["--scale", ",".join(scale), "--device", "cpu", "--output", output]
    assert main(["upscale", str(tmp_path / "in.nii"), *arguments]) == 0
    made = np.asanyarray(nib.load(output).dataobj)
    assert made.mean() == pytest.approx(data.mean(), rel=0.01)
    assert (
        read_sidecar(tmp_path / "out.json").options.plane == ("sagittal", "coronal", "axial")[axis]
    )
