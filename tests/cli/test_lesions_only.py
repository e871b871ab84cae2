"""Models whose cards say that they are below bicubic on whole slices."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import texture

from napari_metasr.cli import main
from napari_metasr.io import write_volume
from napari_metasr.volume import Source
from napari_metasr.weights import model_card, model_names


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "head.nii.gz"
    slices = np.stack([texture(seed, (40, 44)) for seed in range(3)]).astype(np.float32)
    write_volume(path, slices, np.diag([1.0, 1.0, 3.0, 1.0]), Source("head"))
    return path


def test_the_cards_measurements_tell_which_these_are():
    reasons = {name: model_card(name).lesions_only for name in model_names()}
    assert {name for name, reason in reasons.items() if reason} == {"srgan-x2", "ms-gan-x4"}
    assert "0.9 dB below bicubic on whole slices" in reasons["srgan-x2"]
    assert model_card("ld").whole_slice_gain is None
    for name in model_names():
        told = " ".join(model_card(name).concerns(2.0, "in plane"))
        assert ("nothing is guaranteed of the details" in told) is bool(reasons[name])


def test_whole_slices_and_volumes_are_refused_with_the_reason_and_regions_are_not(
    scan, tmp_path, capsys
):
    words = ["zoom", str(scan), "--output", str(tmp_path / "a.nii.gz"), "--model", "srgan-x2"]
    words += ["--scale", "2", "--device", "cpu"]
    assert main(words) == 2
    assert "offered for lesions and marked rectangles only" in capsys.readouterr().err
    assert not (tmp_path / "a.nii.gz").exists()
    assert main([*words, "--region", "4,5,20,20"]) == 0
    assert "nothing is guaranteed of the details that SRGAN" in capsys.readouterr().err
    words[0], words[3] = "upscale", str(tmp_path / "b.nii.gz")
    assert main([*words[:-4], "--scale", "2,2,1"]) == 2
    assert "offered for lesions" in capsys.readouterr().err
    assert not (tmp_path / "b.nii.gz").exists()


def test_a_rendition_is_marked_in_a_second_file_and_told(scan, tmp_path, capsys):
    output = tmp_path / "a.nii.gz"
    words = ["zoom", str(scan), "--output", str(output), "--scale", "2", "--risk"]
    assert main([*words, "--device", "cpu"]) == 0
    assert "of the tissue is marked. Nothing is guaranteed: the contrast is not known" in (
        capsys.readouterr().out
    )
    assert (tmp_path / "a-risk.nii.gz").exists()
    assert main([*words[:3], str(tmp_path / "b.png"), *words[4:], "--model", "srresnet-x4"]) == 2
    assert "has no error head" in capsys.readouterr().err


def test_the_marks_of_a_volume_lie_on_its_new_rows_and_columns(scan, tmp_path, capsys):
    from napari_metasr.io import read_volume

    output, marks = tmp_path / "a.nii.gz", tmp_path / "marks.nii.gz"
    words = ["upscale", scan, "--output", output, "--scale", "1.5,2,1", "--risk", marks]
    assert main([*map(str, words), "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert f"{marks}: " in told
    assert "of the tissue is marked" in told
    result, found = read_volume(output), read_volume(marks)
    assert found.data.shape == result.data.shape
    np.testing.assert_allclose(found.affine, result.affine, atol=1e-6)
    assert set(np.unique(found.data)) <= {0, 1}
