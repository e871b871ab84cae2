"""``napari-metasr series``, and the verbs that take a series."""

from __future__ import annotations

import gzip
import json

import nibabel as nib
import numpy as np
import pytest
from fakes.dicom import STUDY, TELLTALE, save, series, voxels

from napari_metasr.cli import main

MISSING = (
    "expected 5 slices 2.5 mm apart, found 1 of them missing: number 3, counted from the inferior "
    "end"
)


@pytest.fixture
def folder(tmp_path):
    missing = series(voxels(seed=2), uid=STUDY + ".3", SeriesNumber=12, SeriesDescription="flair")
    del missing[2]
    first = series(voxels((5, 24, 20)), SliceThickness=2)
    timed = [
        one
        for time in (1, 2)
        for one in series(
            voxels(seed=time), uid=STUDY + ".2", SeriesNumber=7, SeriesDescription="bold",
            TemporalPositionIdentifier=time,
        )
    ]  # fmt: skip
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("text")
    return save(tmp_path / "in", [*missing, *first, *timed])


def test_table(folder, capsys):
    assert main(["series", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "series  modality  description   matrix  slices  times           spacing (mm)  axes",
        "     3  MR        t1 mprage    20 x 24       5      1  0.600 x 0.800 x 2.500  LPS",
        "    slices 2 mm thick, 2.5 mm apart",
        "     7  MR        bold           6 x 7       5      2  0.600 x 0.800 x 2.500  LPS",
        "    time points told apart by their temporal position",
        "    12  MR        flair          6 x 7       4      -                      -  -",
        f"    no volume: {MISSING}",
        "besides: 1 file of other kinds",
    ]


def test_nothing_to_list(tmp_path, capsys):
    assert main(["series", str(tmp_path)]) == 2
    assert "expected DICOM images that make up a volume, found none" in capsys.readouterr().err
    assert main(["series", str(tmp_path / "none")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_series_is_super_resolved(folder, tmp_path, capsys):
    output = tmp_path / "out.nii.gz"
    arguments = ["zoom", str(folder), "--scale", "2", "--output", str(output)]
    assert main(arguments) == 2
    assert "expected one series, found 2" in capsys.readouterr().err
    assert main([*arguments, "--series", "3", "--device", "cpu"]) == 0
    image = nib.load(output)
    assert image.shape == (40, 48, 1)
    np.testing.assert_allclose(image.header.get_zooms(), (0.3, 0.4, 2.5), rtol=1e-5)


def test_what_upscale_writes_names_nobody(tmp_path, capsys):
    folder = save(tmp_path / "Mustermann_Erika", series(voxels((3, 24, 20)), step=2))
    output = tmp_path / "out.nii.gz"
    arguments = ["--scale", "1.5,1.5,1", "--device", "cpu", "--output", str(output)]
    assert main(["upscale", str(folder), *arguments]) == 0
    written = output.with_name("out.json").read_text(encoding="utf-8")
    assert json.loads(written)["Sources"] == []
    printed = capsys.readouterr()
    written += printed.out + printed.err + gzip.decompress(output.read_bytes()).decode("latin-1")
    assert [secret for secret in TELLTALE if secret in written.lower()] == []
    image = nib.load(output)
    assert image.shape == (30, 36, 3)
    assert (int(image.header["sform_code"]), image.get_data_dtype()) == (1, np.int16)
