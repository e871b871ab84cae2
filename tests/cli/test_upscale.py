"""``napari-metasr upscale`` and ``replay``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import affine_with, stored
from fakes.upscaling import small_models, smooth

from napari_metasr.cli import main
from napari_metasr.geometry.windows import Window
from napari_metasr.io import read_volume
from napari_metasr.lesions.detection import Detection
from napari_metasr.lesions.detector import Detector
from napari_metasr.zoom.loading import load_model

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
    assert "identical to the record" in capsys.readouterr().out
    first, second = (tmp_path / f"{name}.nii.gz" for name in ("out", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_replay_of_an_older_record_shows_networks_the_scan_as_it_was(scan, tmp_path, capsys):
    """Versions that did not continue the tissue said nothing of it, and are made again."""
    stripped = smooth((40, 36, 3), seed=3) + 500
    stripped[:12] = stripped[:, 25:] = 0
    stored(scan, stripped, affine_with("LPS"))
    options = ["--scale", "2,2,1", "--device", "cpu"]
    main(["upscale", "in.nii.gz", *options, "--output", "out.nii.gz"])
    record = json.loads((tmp_path / "out.json").read_text())
    assert record.pop("TissueContinued") is True
    record["OutputSha256"] = "0" * 64
    (tmp_path / "old.json").write_text(json.dumps(record))
    assert main(["replay", "old.json", "--output", "again.nii.gz"]) == 0
    volume = read_volume(scan)
    new, old = (read_volume(tmp_path / f"{name}.nii.gz").data[1] for name in ("out", "again"))
    for found, continued in ((new, True), (old, False)):
        model = load_model("meta-srgan", device="cpu", continued=continued)
        encoded = model.encode(volume.data[1], volume.intensity_range, volume.value_range)
        np.testing.assert_allclose(found, model.render(encoded, 2), atol=1)
    assert np.abs(new - old).max() > 50


def test_replay_refuses_another_input_and_says_what_differs(scan, tmp_path, capsys):
    main(["upscale", "in.nii.gz", "--scale", "2,2,1", "--device", "cpu", "--output", "out.nii.gz"])
    record = json.loads((tmp_path / "out.json").read_text())
    record["Versions"]["torch"] = "0.1"
    record["OutputSha256"] = "0" * 64
    (tmp_path / "old.json").write_text(json.dumps(record))
    assert main(["replay", "old.json", "--overwrite"]) == 0
    captured = capsys.readouterr()
    assert "different from the record" in captured.out
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


def test_replay_finds_weights_that_lie_beside_it_or_are_given(scan, tmp_path, capsys):
    folder = tmp_path / "models"
    folder.mkdir()
    model = small_models(folder)["model"]
    arguments = ["--scale", "2,2,1", "--device", "cpu", "--output", "out.nii.gz"]
    assert main(["upscale", "in.nii.gz", "--model", model, *arguments]) == 0
    assert str(tmp_path) not in (tmp_path / "out.json").read_text()
    capsys.readouterr()
    again = ["replay", "out.json", "--output", "again.nii.gz"]
    assert main(again) == 2
    assert "expected a model card at small-meta-srgan.json, found none" in capsys.readouterr().err
    assert main([*again, "--model", model]) == 0
    first, second = (tmp_path / f"{name}.nii.gz" for name in ("out", "again"))
    assert first.read_bytes() == second.read_bytes()
    for path in folder.glob("small-meta-srgan.*"):
        path.rename(tmp_path / path.name)
    assert main([*again, "--overwrite"]) == 0
    (tmp_path / "small-meta-srgan.safetensors").unlink()
    capsys.readouterr()
    assert main([*again, "--overwrite"]) == 2
    assert "small-meta-srgan.safetensors, found none" in capsys.readouterr().err


def test_replay_of_an_input_without_a_name_asks_for_it(scan, tmp_path, capsys):
    main(["upscale", "in.nii.gz", "--scale", "2,2,1", "--device", "cpu", "--output", "out.nii"])
    record = json.loads((tmp_path / "out.json").read_text())
    (tmp_path / "out.json").write_text(json.dumps(record | {"Sources": []}))
    capsys.readouterr()
    assert main(["replay", "out.json", "--overwrite"]) == 2
    assert "expected --input" in capsys.readouterr().err
    assert main(["replay", "out.json", "--overwrite", "--input", "in.nii.gz"]) == 0


def test_within_a_mask_of_another_grid_or_of_no_labels(scan, tmp_path, capsys):
    stored(tmp_path / "other.nii.gz", np.ones((16, 14, 5), np.uint8), affine_with("LPS"))
    moved = affine_with("LPS")
    moved[0, 3] += 3
    stored(tmp_path / "moved.nii.gz", np.ones((16, 14, 6), np.uint8), moved)
    arguments = ["upscale", "in.nii.gz", "--scale", "2", "--output", "out.nii", "--within"]
    assert main([*arguments, "other.nii.gz"]) == 2
    assert "found other.nii.gz with 5 x 14 x 16" in capsys.readouterr().err
    assert main([*arguments, "moved.nii.gz"]) == 2
    assert "expected regions in the space of in" in capsys.readouterr().err


def test_within_lesions_that_a_detector_finds(tmp_path, monkeypatch, capsys):
    """The boxes are those that `detect` would give, and stand in the sidecar."""
    monkeypatch.chdir(tmp_path)
    data = smooth((40, 38, 7), seed=5)
    data[:6], data[-6:] = 0, 0
    stored(tmp_path / "in.nii.gz", data, affine_with("LPS"))
    detection = Detection(Window.at(8, 10, 12, 14), 0.9)
    asked = []

    def detect_slices(self, volume, plane, time=0, **_):
        for index in range(volume.slice_count(plane)):
            asked.append(volume.slice(plane, index, time).copy())
            yield index, (detection,) if 2 <= index < 6 else ()

    monkeypatch.setattr(Detector, "detect_slices", detect_slices)
    arguments = ["--scale", "2,2,1", "--device", "cpu", "--dtype", "float32", "--output", "a.nii"]
    assert main(["upscale", "in.nii.gz", *arguments, "--within", "lesion"]) == 0
    np.testing.assert_array_equal(asked, read_volume(tmp_path / "in.nii.gz").data)
    assert "is this another contrast" in capsys.readouterr().err
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["Options"]["boxes"] == [[[2, 6], [8, 20], [10, 24]]]
    assert "in the boxes around lesions" in record["Learned"][0]
    assert main(["replay", "a.json", "--output", "b.nii"]) == 0
    assert (tmp_path / "a.nii").read_bytes() == (tmp_path / "b.nii").read_bytes()


def test_within_lesions_where_none_are_found_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = smooth((40, 38, 4), seed=5)
    data[:6] = 0
    stored(tmp_path / "in.nii", data, affine_with("LPS"))
    monkeypatch.setattr(
        Detector, "detect_slices", lambda _, volume, *__: ((k, ()) for k in range(4))
    )
    arguments = ["--scale", "2", "--within", "lesion", "--device", "cpu", "--output", "out.nii"]
    assert main(["upscale", "in.nii", *arguments]) == 2
    assert "expected lesions, found none; nothing was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.nii"]


def test_work_that_is_stopped_at_the_keyboard_can_be_gone_on_with(
    scan, tmp_path, monkeypatch, capsys
):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    arguments = ["upscale", "in.nii.gz", "--scale", "2,2,1", "--device", "cpu"]
    with monkeypatch.context() as patch:
        patch.setattr("napari_metasr.io.unfinished.compress", stopped)
        assert main([*arguments, "--output", "out.nii.gz"]) == 130
    assert "error: stopped; --resume resumes the work" in capsys.readouterr().err
    assert not (tmp_path / "out.nii.gz").exists()
    assert main([*arguments, "--output", "out.nii.gz", "--resume"]) == 0
    main([*arguments, "--output", "whole.nii.gz"])
    assert (tmp_path / "out.nii.gz").read_bytes() == (tmp_path / "whole.nii.gz").read_bytes()


def test_within_a_mask(scan, tmp_path, capsys):
    mask = np.zeros((16, 14, 6), np.uint8)
    mask[4:9, 5:9, 2:4] = 1
    stored(tmp_path / "mask.nii.gz", mask, affine_with("LPS"))
    arguments = ["--scale", "2,2,1", "--device", "cpu"]
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
        (["--output", "out.nii"], "expected --scale or --spacing, found neither"),
        (["--scale", "2", "--spacing", "1", "--output", "out.nii"], "found both"),
        (["--scale", "2,2", "--output", "out.nii"], "expected a positive number, or three"),
        (["--scale", "0", "--output", "out.nii"], "expected a positive number, or three"),
        (
            ["--scale", "2", "--output", "out.png"],
            "expected a name that ends in .nii.gz, .nii, .mgz",
        ),
        (["--scale", "2", "--output", "missing/out.nii"], "does not exist"),
        (["--scale", "2", "--output", "in.nii.gz"], "would replace the input"),
        (["--scale", "2", "--output", "in.nii.gz/out.nii"], "does not exist"),
        (["--spacing", "0.7,1.1,0.000375", "--output", "out.nii"], "16 x 14 x 40000 voxels"),
        (["--scale", "2", "--within", "none.nii", "--output", "out.nii"], "none.nii: no such file"),
        (
            ["--scale", "2", "--within", "lesion", "--detector", "meta-srgan", "--output", "o.nii"],
            "expected a detector",
        ),
        (["--scale", "2", "--thickness", "-1", "--output", "out.nii"], "greater than 0"),
        (
            ["--scale", "2", "--series", "1", "--output", "out.nii"],
            "expected DICOM to choose a series of",
        ),
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


def test_an_existing_output_or_sidecar_is_kept(scan, tmp_path, capsys):
    arguments = ["upscale", "in.nii.gz", "--scale", "2", "--device", "cpu", "--output"]
    assert main([*arguments, "out.nii.gz"]) == 0
    (tmp_path / "out.nii.gz").unlink()
    assert main([*arguments, "out.nii.gz"]) == 2
    assert "out.json: the file exists" in capsys.readouterr().err
    (tmp_path / "folder.nii").mkdir()
    assert main([*arguments, "folder.nii"]) == 2
    assert "expected a file to write, found a folder" in capsys.readouterr().err
    assert main([*arguments, "out.nii.gz", "--overwrite"]) == 0
    assert json.loads((tmp_path / "out.json").read_text())["OutputName"] == "out.nii.gz"


def _flat(path):
    return stored(path, smooth((16, 14, 6))[..., 0], affine_with("LPS"))


def _colour(path):
    image = np.zeros((5, 6, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    return stored(path, image, affine_with("LPS"))


def _five(path):
    return stored(path, np.zeros((5, 6, 7, 2, 3), np.int16), affine_with("LPS"))


def _empty(path):
    return stored(path, np.full((5, 6, 7), np.nan, np.float32), affine_with("LPS"))


def _corrupt(path):
    """The file's middle is not what was compressed."""
    stored(path, smooth((40, 38, 30)), affine_with("LPS"))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)


def _truncated(path):
    stored(path, smooth((40, 38, 30)), affine_with("LPS"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_flat, "found a 2-D image"),
        (_colour, "found colour"),
        (_five, "at most one dimension beyond space"),
        (_empty, "found no finite voxel"),
        (_corrupt, "expected a whole NIfTI file"),
        (_truncated, "found a truncated or damaged one"),
    ],
)
def test_what_is_no_volume_is_refused_and_leaves_nothing(
    tmp_path, monkeypatch, capsys, make, message
):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "bad.nii.gz")
    arguments = ["--scale", "2,2,1", "--device", "cpu", "--output", "out.nii.gz"]
    assert main(["upscale", "bad.nii.gz", *arguments]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert "bad.nii.gz" in errors[0]
    assert message in errors[0]
    assert [path.name for path in tmp_path.iterdir()] == ["bad.nii.gz"]
