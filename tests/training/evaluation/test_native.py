"""``metasr-evaluate native``: what models add to scans that were not reduced."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from metasr_training import evaluate


@pytest.fixture
def scan(tmp_path):
    """A stripped head: bright tissue cut out of an empty field."""
    x, y, _ = np.indices((56, 48, 5))
    data = np.where(np.hypot(x - 28, y - 24) < 18, 1500 + smooth((56, 48, 5)) // 4, 0)
    return stored(tmp_path / "sub-1_T1w.nii.gz", data.astype(np.int16), affine_with("LPS"))


def test_a_table_of_every_method_and_a_picture(scan, tmp_path, capsys):
    arguments = ["native", str(scan), "--output", str(tmp_path / "out"), "--scales", "2", "3"]
    assert evaluate.main([*arguments, "--slices", "2", "--device", "cpu"]) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "native.csv").read_text().splitlines()))
    assert {row["scan"] for row in rows} == {"sub-1_T1w.nii.gz", "all"}
    assert {row["method"] for row in rows} == {
        "bicubic",
        "lanczos",
        "meta-srgan, scan as it is",
        "meta-srgan",
    }
    at = {(row["scan"], row["scale"], row["method"]): row for row in rows}
    assert len(at) == len(rows) == 16
    one, all_scans = (at[scan_name, "3.0", "meta-srgan"] for scan_name in (scan.name, "all"))
    assert one["slices"] == "2"
    assert one["rim"] == all_scans["rim"]
    as_it_is = float(at[scan.name, "3.0", "meta-srgan, scan as it is"]["rim"])
    assert float(one["rim"]) < 0.5
    assert as_it_is > 1
    assert "| sub-1_T1w.nii.gz |" in capsys.readouterr().out
    assert (tmp_path / "out" / "rim.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        ((30, 30, 3), 0, "found no slice that shows one"),
        ((30, 30, 3, 2), 5, "expected one volume"),
    ],
)
def test_scans_that_are_refused(tmp_path, shape, value, message, capsys):
    data = np.full(shape, value, np.int16)
    path = stored(tmp_path / "in.nii.gz", data, affine_with("LPS"))
    assert evaluate.main(["native", str(path), "--output", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
