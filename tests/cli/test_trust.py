"""``napari-metasr trust``: a report of a scan, refusals, an interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import nibabel as nib
import numpy as np
import pytest
from fakes.dicom import TELLTALE, save, series
from fakes.models import install
from fakes.trust import head

from napari_metasr.cli import main

LIGHT = ["--scales", "2", "--slices", "2", "--device", "cpu"]


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A scan whose name, folder and header name a patient; and a small network."""
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path / "models"))
    install("tiny")
    folder = tmp_path / "Mustermann_Erika"
    folder.mkdir()
    volume = head()
    image = nib.Nifti1Image(volume.data.transpose(2, 1, 0), volume.affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"Erika Mustermann 19700101"
    image.header["intent_name"] = b"Mustermann"
    path = folder / "Mustermann_Erika_19700101_T1w.nii.gz"
    nib.save(image, path)
    return path


def trust(*words):
    return main(["trust", *map(str, words), "--model", "tiny", *LIGHT])


def test_page_and_pdf_are_written_and_name_no_one(stored, tmp_path, capsys):
    page, pdf = tmp_path / "r.html", tmp_path / "r.pdf"
    assert trust(stored, "--output", page, "--pdf", pdf) == 0
    told = capsys.readouterr().out
    assert "At ×2 a lesion 30% brighter than its surroundings is seen in 90% of places" in told
    assert "for research use, not for diagnosis" in told
    for content in (page.read_bytes(), pdf.read_bytes()):
        assert len(content) > 20_000
        for secret in ("Mustermann", "Erika", "19700101", str(tmp_path)):
            assert secret.encode() not in content
            assert secret.encode("utf-16-be") not in content


def test_dicom_is_taken_and_no_identifier_is_told(tmp_path, stored, capsys):
    data = head().data.astype(np.int16)
    save(tmp_path / "in", series(data, ProtocolName="Mustermann t1 post gd"))
    page = tmp_path / "r.html"
    assert trust(tmp_path / "in", "--output", page) == 0
    content = page.read_text(encoding="utf-8").lower()
    words = "".join(part.split('"')[-1] for part in content.split("data:image"))
    assert not any(word in words for word in TELLTALE)


def test_a_slice_a_region_and_a_lesion_of_a_segmentation(stored, tmp_path, capsys):
    assert trust(stored, "--slice", 2, "--output", tmp_path / "slice.html") == 0
    region = ["--region", "30,30,40,40"]
    assert trust(stored, *region, "--output", tmp_path / "region.html") == 0
    image = nib.load(stored)
    labels = np.zeros(image.shape, np.uint8)
    labels[40:60, 35:65, 1:4] = 1
    nib.save(nib.Nifti1Image(labels, image.affine), tmp_path / "seg.nii.gz")
    lesion = ["--lesion", 1, "--mask", tmp_path / "seg.nii.gz"]
    assert trust(stored, *lesion, "--output", tmp_path / "lesion.html") == 0
    assert "rows 35 to 65, columns 40 to 60" in (tmp_path / "lesion.html").read_text()
    assert "lesion 1 of 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--output", "{old}"], "the file exists"),
        (["--output", "{tmp}/r.txt"], "expected a report that ends in .html or .pdf"),
        (["--output", "{tmp}/r.html", "--pdf", "{tmp}/q.html"], "ends in .pdf"),
        (["--output", "{tmp}/none/r.html"], "does not exist"),
        (["--output", "{tmp}/r.html", "--region", "40,40,0.5,9"], "smaller than the smallest"),
        (["--output", "{tmp}/r.html", "--acquisition", "autp"], "did you mean 'auto'"),
        (["--output", "{tmp}/r.html", "--contrast", "0"], "a contrast other than 0"),
        (["--output", "{tmp}/r.html", "--slice", "99"], "outside the volume"),
        (["--output", "{tmp}/r.html", "--rois", "x.json"], "expected --lesion"),
        (
            ["--output", "{tmp}/r.html", "--lesion", "1", "--region", "1,1,9,9"],
            "expected --lesion or --region",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(stored, tmp_path, capsys, words, message):
    old = tmp_path / "old.html"
    old.write_text("mine")
    before = sorted(tmp_path.iterdir())
    filled = [word.format(old=old, tmp=tmp_path) for word in words]
    assert trust(stored, *filled) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len([line for line in error.splitlines() if "error:" in line]) == 1
    assert sorted(tmp_path.iterdir()) == before
    assert old.read_text() == "mine"


def test_a_scan_of_twelve_voxels_and_an_empty_one_are_refused(tmp_path, stored, capsys):
    for name, data in (
        ("small", np.random.default_rng(0).random((12, 12, 12))),
        ("empty", np.zeros((64, 64, 4))),
    ):
        path = tmp_path / f"{name}.nii"
        nib.save(nib.Nifti1Image(data.astype(np.float32), np.eye(4)), path)
        assert trust(path, "--output", tmp_path / "r.html") == 2
        assert not (tmp_path / "r.html").exists()
    assert "too small to be reduced" in (told := capsys.readouterr().err)
    assert "the scan is empty" in told


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_leaves_nothing(stored, tmp_path):
    """All is stopped while lesions are put in, as Ctrl+C does."""
    out = tmp_path / "out"
    out.mkdir()
    code = (
        "import signal, sys; from napari_metasr.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in the background
        "sys.exit(main())"
    )
    command = [sys.executable, "-c", code]
    words = ["trust", str(stored), "--output", str(out / "r.html"), "--model", "tiny"]
    process = subprocess.Popen(
        [*command, *words, "--device", "cpu"],
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    seen = b""
    deadline = time.monotonic() + 60
    while b"comparing slices" not in seen and time.monotonic() < deadline:
        seen += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped; no report was written" in rest
    assert list(out.iterdir()) == []
