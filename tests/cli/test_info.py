"""``napari-metasr info``: one screen about a scan, or JSON."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from fakes.acquisition import texture, zero_filled
from fakes.dicom import TELLTALE, save, series

from napari_metasr.cli import main


@pytest.fixture
def stored(tmp_path):
    """Sixteen slices, interpolated along the second of the file's axes."""
    stack = np.stack([zero_filled(texture(k, (96, 128)), 0.75, 1) for k in range(16)])
    image = nib.Nifti1Image(stack.transpose(1, 2, 0).astype(np.int16), np.diag([0.5, 0.5, 4, 1]))
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "sub-01_T1w.nii.gz")
    return tmp_path / "sub-01_T1w.nii.gz"


def test_lines(stored, capsys):
    assert main(["info", str(stored)]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    lines = {name: value.strip() for name, value in lines.items()}
    assert lines["size"] == "96 x 128 x 16, 0.5 x 0.5 x 4 mm"
    assert lines["orientation"] == "RAS"
    assert lines["resolution"] == (
        "stored 128 x 96, acquired about 97 x 96: x2 along rows is truly x1.52"
    )
    assert lines["slices"] == "16, 4 apart"
    assert lines["contrast"] == "T1 (by the name)"
    assert lines["trained on the like"] == "meta-srgan-told"


def test_a_stated_contrast_decides_which_models_fit(stored, capsys):
    assert main(["info", str(stored), "--contrast", "t1c", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["acquisition"]["contrast_told_by"] == "you"
    assert "meta-srgan" in found["models"]
    assert found["acquisition"]["rows"]["acquired"] == 97
    assert found["lines"][0].startswith("stored 128 x 96, acquired about 97 x 96")
    assert main(["info", str(stored), "--contrast", "bold"]) == 2
    assert "expected a contrast among" in capsys.readouterr().err


def test_a_json_file_beside_the_scan_tells_too(stored, capsys):
    told = {"EchoTime": 0.09, "RepetitionTime": 5, "SeriesDescription": "brain AIR Recon DL"}
    stored.with_name("sub-01_T1w.json").write_text(json.dumps(told))
    assert main(["info", str(stored)]) == 0
    text = capsys.readouterr().out
    assert "T2 (by the header)" in text
    assert "reconstructed by the scanner's own network (AIR Recon)" in text
    stored.with_name("sub-01_T1w.json").write_text("[")
    assert main(["info", str(stored)]) == 0


def test_dicom_headers_are_read_and_name_no_one(tmp_path, capsys):
    data = np.stack([texture(k, (64, 96)) for k in range(8)]).astype(np.int16)
    images = series(
        data,
        AcquisitionMatrix=[0, 72, 48, 0],
        PercentSampling=100,
        ProtocolName="Mustermann t1 post gd",
        ConvolutionKernel="edge",
        ScanOptions="ZIP512",
    )
    save(tmp_path / "in", images)
    assert main(["info", str(tmp_path / "in")]) == 0
    text = capsys.readouterr().out
    assert "stored 64 x 96, acquired about 48 x 72" in text
    assert "x2 along rows is truly x1.5 and x2 along columns is truly x1.5" in text
    assert "the scanner interpolated" in text
    assert "reconstruction kernel edge" in text
    assert not any(word in text.lower() for word in TELLTALE)


def test_a_tag_that_is_damaged_tells_nothing(tmp_path, capsys):
    images = series(np.stack([texture(k, (64, 96)) for k in range(8)]).astype(np.int16))
    for one in images:
        one.add_new("PercentSampling", "DS", None)
    save(tmp_path / "in", images)
    assert main(["info", str(tmp_path / "in")]) == 0
    assert "acquired alike" in capsys.readouterr().out


def test_what_is_no_scan_is_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "x.nii").write_text("text")
    assert main(["info", str(tmp_path / "x.nii")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
