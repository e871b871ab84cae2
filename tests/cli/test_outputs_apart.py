"""Outputs keep apart from each other and from files of others, and say what is true of them."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from napari_metasr.cli import main
from napari_metasr.cli.parsing import OUTPUT
from napari_metasr.cli.verbs import VERBS
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions

SCALE = ("--scale", "1.5,1.5,1")
COUPLES = [
    (verb, *couple)
    for verb in VERBS.values()
    for couple in combinations(
        [name for name, field in verb.model_fields.items() if OUTPUT in field.metadata], 2
    )
]


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return stored(tmp_path / "in.nii.gz", smooth((24, 20, 4)), affine_with("LPS"))


def upscale(*arguments, output="out.nii.gz"):
    return main(["upscale", "in.nii.gz", *SCALE, "--device", "cpu", "--output", output, *arguments])


@pytest.mark.parametrize(("verb", "one", "other"), COUPLES)
def test_no_verb_writes_two_outputs_to_one_file(tmp_path, monkeypatch, verb, one, other):
    monkeypatch.chdir(tmp_path)
    fields = {
        name: None if field.is_required() else field.default
        for name, field in verb.model_fields.items()
    } | {"output": tmp_path / "new.nii.gz"}
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    same = {one: tmp_path / "a.json", other: tmp_path / "link" / "a.json"}
    with pytest.raises(ValueError, match="two outputs would be this one file"):
        verb.model_construct(**fields | same).check_kept()


def test_couples_of_outputs_were_found():
    assert {verb.__name__ for verb, *_ in COUPLES} >= {"Upscale", "Detect", "Trust"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--risk", "out.nii.gz"),
        ("--risk", "out.json"),
        ("--labels", "seg.nii.gz", "--risk", "out_seg.nii.gz"),
        ("--risk", "marks.png"),
        ("--dicom", "out.nii"),
        ("--detector", "nonsense"),
        ("--through-plane-model", "nonsense"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(scan, tmp_path, capsys, arguments):
    stored(tmp_path / "seg.nii.gz", np.ones((24, 20, 4), np.uint8), affine_with("LPS"))
    before = sorted(tmp_path.iterdir())
    assert upscale(*arguments, "--overwrite") == 2
    assert "%" not in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_of_others_in_the_sidecar_s_place_is_kept(scan, tmp_path, capsys):
    (tmp_path / "out.json").write_text('{"EchoTime": 1}')
    assert upscale("--overwrite") == 2
    assert "expected the record of out.nii.gz, found another file" in capsys.readouterr().err
    assert (tmp_path / "out.json").read_text() == '{"EchoTime": 1}'


def test_the_record_of_another_output_is_kept_as_long_as_that_is_there(scan, tmp_path, capsys):
    assert upscale() == 0
    record = (tmp_path / "out.json").read_text()
    assert upscale("--overwrite", output="out.nii") == 2
    assert "it is the record of out.nii.gz" in capsys.readouterr().err
    assert (tmp_path / "out.json").read_text() == record
    (tmp_path / "out.nii.gz").unlink()
    assert upscale("--overwrite", output="out.nii") == 0
    assert json.loads((tmp_path / "out.json").read_text())["OutputName"] == "out.nii"


@pytest.mark.parametrize(("output", "record"), [("a.nii.gz", "a.json"), ("a.png", "a.png.json")])
def test_a_zoom_replaces_its_own_record_alone(scan, tmp_path, capsys, output, record):
    words = ["zoom", "in.nii.gz", "--scale", "2", "--output", output, "--device", "cpu"]
    (tmp_path / record).write_text('{"EchoTime": 1}')
    assert main([*words, "--overwrite"]) == 2
    assert f"{record}: expected the record of an earlier zoom" in capsys.readouterr().err
    (tmp_path / record).unlink()
    assert main(words) == 0
    assert main([*words, "--overwrite"]) == 0


@pytest.mark.parametrize("ending", ["html", "gif"])
def test_what_shows_one_scale_takes_one(scan, capsys, ending):
    words = ["zoom", "in.nii.gz", "--region", "2,2,16,16", "--output", f"a.{ending}"]
    assert main([*words, "--scale", "2,3"]) == 2
    assert "one scale for rows and columns, found 2,3" in capsys.readouterr().err


def test_slices_with_lesions_are_counted_once(scan, tmp_path, capsys):
    mask = np.zeros((24, 20, 4), np.uint8)
    mask[3:7, 3:7, 1:3] = mask[14:18, 10:14, 1:3] = 1
    stored(tmp_path / "mask.nii.gz", mask, affine_with("LPS"))
    words = ["detect", "in.nii.gz", "--output", "rois.json"]
    assert main([*words, "--labels", "mask.nii.gz", "--truth-labels", "1"]) == 2
    assert "--truth-labels are of --truth" in capsys.readouterr().err
    assert main([*words, "--labels", "mask.nii.gz"]) == 0
    assert "2 lesions in 2 slices" in capsys.readouterr().out


def test_nothing_is_said_to_be_consistent_that_is_not_super_resolved(scan, capsys):
    across = ["upscale", "in.nii.gz", "--scale", "1,1,2", "--output", "out.nii.gz"]
    assert main([*across, "--consistent", "auto"]) == 2
    assert "super-resolved in plane" in capsys.readouterr().err
    options = UpscaleOptions(scale=(1, 1, 2), consistent="k-space")  # of a cohort, or a sidecar
    job = Job(input=Path("in.nii.gz"), output=Path("out.nii.gz"), options=options, device="cpu")
    for _ in job.prepare().steps():
        pass
    record = json.loads(Path("out.json").read_text())
    assert "ConsistentWith" not in record
    assert any("made consistent" in concern for concern in record["Concerns"])


def test_a_thickness_without_effect_is_not_recorded(scan, tmp_path):
    assert upscale("--thickness", "0.5") == 0
    assert "thickness" not in json.loads((tmp_path / "out.json").read_text())["Options"]


def test_marks_lie_in_the_boxes_in_which_networks_worked(scan, tmp_path, capsys):
    noise = np.random.default_rng(0).normal(0, 150, (24, 20, 4))
    stored(scan, smooth((24, 20, 4)) + noise, affine_with("LPS"))
    mask = np.zeros((24, 20, 4), np.uint8)
    mask[6:14, 4:12, 1:3] = 1
    stored(tmp_path / "mask.nii.gz", mask, affine_with("LPS"))
    assert upscale("--risk", "all.nii.gz") == 0
    assert upscale("--risk", "some.nii.gz", "--within", "mask.nii.gz", "--overwrite") == 0
    assert "tissue in the boxes is marked" in capsys.readouterr().out
    every, some = (np.asarray(nib.load(f"{name}.nii.gz").dataobj) for name in ("all", "some"))
    inside = np.zeros(every.shape, bool)
    inside[9:21, 6:18, 1:3] = True  # 1.5 times the mask's rows and columns
    assert every[~inside].any()
    assert np.array_equal(some, np.where(inside, every, 0))
    assert some.any()


def test_voxels_without_a_value_are_among_the_concerns(scan, tmp_path, capsys):
    data = smooth((24, 20, 4)).astype(np.float32)
    data[3, 4, 1:] = np.nan
    stored(scan, data, affine_with("LPS"))
    assert upscale() == 0
    assert "3 voxels are NaN or infinite" in capsys.readouterr().err
    (concern,) = json.loads((tmp_path / "out.json").read_text())["Concerns"]
    assert concern.startswith("3 voxels are NaN or infinite")


@pytest.mark.parametrize("columns", ["40", "80", None])
def test_a_value_is_told_as_it_was_typed(monkeypatch, capsys, columns):
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    typed = "2,3," + "1" * 90
    assert main(["zoom", "in.nii", "--scale", typed, "--output", "out.nii"]) == 2
    assert f"found {typed!r}" in capsys.readouterr().err
