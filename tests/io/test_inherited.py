"""What JSON files above an image in a BIDS dataset say of it."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_metasr.cohort.bids import is_skull_stripped
from napari_metasr.io.acquisition import gradients_beside
from napari_metasr.io.inherited import fields_of
from napari_metasr.io.opening import open_stored
from napari_metasr.io.reader import read_layers


@pytest.fixture
def dataset(tmp_path):
    """A dataset; a function that writes a JSON file of it, and one that makes an image."""
    root = tmp_path / "bids"

    def write(name, **fields):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(fields), encoding="utf-8")
        return path

    write("dataset_description.json", Name="x", BIDSVersion="1.9.0")
    return root, write


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4)), path)
    return path


def test_the_nearest_and_most_particular_file_has_the_last_word(dataset):
    root, write = dataset
    write("T1w.json", EchoTime=0.001, FlipAngle=9, SliceThickness=4, SkullStripped=True)
    write("acq-fast_T1w.json", FlipAngle=10)
    write("sub-01/ses-1/sub-01_ses-1_T1w.json", EchoTime=0.002, InversionTime=1.1)
    scan = image(root / "sub-01/ses-1/anat/sub-01_ses-1_acq-fast_T1w.nii.gz")
    write("sub-01/ses-1/anat/sub-01_ses-1_acq-fast_T1w.json", InversionTime=0.9)
    for other in (
        "T2w.json",
        "acq-slow_T1w.json",
        "sub-02/anat/sub-02_T1w.json",
        "sub-01/ses-1/anat/sub-01_ses-1_run-1_T1w.json",
    ):
        write(other, EchoTime=9, FlipAngle=99, SliceThickness=99)
    expected = {
        "EchoTime": 0.002,
        "FlipAngle": 10,
        "SliceThickness": 4,
        "InversionTime": 0.9,
        "SkullStripped": True,
    }
    assert fields_of(scan) == expected
    assert is_skull_stripped(scan)
    source = open_stored(scan).source
    assert source.acquisition == {"EchoTime": 0.002, "FlipAngle": 10, "InversionTime": 0.9}
    assert source.told["SliceThickness"] == 4


def test_diffusion_weightings_are_inherited_and_those_beside_come_first(dataset):
    root, write = dataset
    write("dwi.bval").write_text("0 1000")
    write("dwi.bvec").write_text("0 1\n0 0\n0 0")
    scan = image(root / "sub-01/dwi/sub-01_dwi.nii.gz")
    assert gradients_beside(scan) == {".bval": root / "dwi.bval", ".bvec": root / "dwi.bvec"}
    own = write("sub-01/dwi/sub-01_dwi.bval")
    assert gradients_beside(scan)[".bval"] == own
    assert gradients_beside(image(root / "sub-01/anat/sub-01_T1w.nii.gz")) == {}


def test_outside_of_a_dataset_the_file_of_the_same_name_alone_counts(tmp_path):
    scan = image(tmp_path / "sub-01" / "sub-01_T1w.nii.gz")
    for name in ("T1w.json", "sub-01/T1w.json"):
        (tmp_path / name).write_text('{"EchoTime": 1}')
    assert fields_of(scan) == {}
    scan.with_name("sub-01_T1w.json").write_text('{"EchoTime": 2}')
    assert fields_of(scan) == {"EchoTime": 2}


def test_a_dataset_within_another_inherits_nothing_of_it(dataset):
    root, write = dataset
    write("T1w.json", EchoTime=1)
    write("derivatives/p/dataset_description.json", Name="y", BIDSVersion="1.9.0")
    scan = image(root / "derivatives/p/sub-01/anat/sub-01_T1w.nii.gz")
    assert fields_of(scan) == {}
    assert fields_of(image(root / "sub-01" / "anat" / "sub-01_[1]_T1w.nii.gz")) == {"EchoTime": 1}


@pytest.mark.parametrize("content", ["", "[1]", "{", "\x00"])
def test_damaged_files_say_nothing(dataset, content):
    root, write = dataset
    write("T1w.json").write_text(content)
    assert fields_of(image(root / "sub-01" / "sub-01_T1w.nii.gz")) == {}


@pytest.mark.parametrize(
    ("name", "image_type", "is_phase"),
    [
        ("sub-01_part-phase_T1w", None, True),
        ("sub-01_phasediff", None, True),
        ("scan", ["ORIGINAL", "PRIMARY", "P", "ND"], True),
        ("scan", ["ORIGINAL", "PRIMARY", "PHASE MAP", "FFE"], True),
        ("sub-01_part-mag_T1w", ["ORIGINAL", "PRIMARY", "M", "ND"], False),
        ("two-phase_T1w", "P", False),
        ("sub-01_run-2_phase1", None, True),
        ("liver_venous_phase", None, False),
    ],
)
def test_phases_are_a_concern(tmp_path, name, image_type, is_phase):
    scan = image(tmp_path / f"{name}.nii.gz")
    if image_type is not None:
        (tmp_path / f"{name}.json").write_text(json.dumps({"ImageType": image_type}))
    said = [one for one in open_stored(scan).source.concerns if "numbers are phases" in one]
    assert bool(said) == is_phase
    if is_phase:
        with pytest.warns(UserWarning, match="numbers are phases"):
            read_layers(str(scan))
