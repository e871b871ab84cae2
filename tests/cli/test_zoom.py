"""``napari-metasr zoom`` and ``models``: what is written, and where it lies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from fakes.processes import run_python
from PIL import Image

from napari_metasr.cli import main
from napari_metasr.weights import model_card, model_names
from napari_metasr.zoom.loading import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.volume import Volume


@pytest.fixture
def scan(tmp_path: Path, phantom_volume: Volume) -> Path:
    """The phantom as a file stored in LIP order, oblique and away from the origin."""
    turn = nib.eulerangles.euler2mat(0.1, -0.05, 0.2)
    affine = phantom_volume.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    canonical = nib.Nifti1Image(phantom_volume.data.transpose(2, 1, 0), affine)
    change = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(affine), nib.orientations.axcodes2ornt("LIP")
    )
    path = tmp_path / "head.nii.gz"
    nib.save(canonical.as_reoriented(change), path)
    return path


def corners(image: nib.Nifti1Image, window: list[tuple[float, float]]) -> np.ndarray:
    """World positions of a box's corners, given as voxel edges along x, y, z."""
    edges = np.array(np.meshgrid(*window, indexing="ij")).reshape(3, -1).T - 0.5
    return nib.affines.apply_affine(image.affine, edges)


def whole(image: nib.Nifti1Image) -> list[tuple[float, float]]:
    return [(0, n) for n in image.shape[:3]]


@pytest.mark.parametrize(
    ("plane", "index", "scale", "shape"),
    [
        ("axial", 7, "2", (44, 52, 1)),
        ("coronal", 11, "1.7,2.3", (51, 1, 31)),
        ("sagittal", 5, "3.7", (1, 96, 67)),
    ],
)
def test_a_whole_slice_covers_the_same_field_of_view(
    scan: Path, tmp_path: Path, plane: str, index: int, scale: str, shape: tuple[int, ...]
) -> None:
    output = tmp_path / "out.nii.gz"
    arguments = ["--plane", plane, "--slice", str(index), "--scale", scale]
    assert main(["zoom", str(scan), *arguments, "--output", str(output)]) == 0
    source = nib.as_closest_canonical(nib.load(scan))
    result = nib.as_closest_canonical(nib.load(output))
    assert result.shape == shape
    box = whole(source)
    box[["sagittal", "coronal", "axial"].index(plane)] = (index, index + 1)
    np.testing.assert_allclose(corners(result, whole(result)), corners(source, box), atol=1e-4)
    assert nib.aff2axcodes(nib.load(output).affine) == nib.aff2axcodes(nib.load(scan).affine)


def test_a_region_lies_where_it_was_and_is_what_the_engine_renders(
    scan: Path, tmp_path: Path, phantom_volume: Volume
) -> None:
    output = tmp_path / "out.nii"
    arguments = ["--slice", "9", "--region", "4,6,10,8", "--scale", "2.5", "--device", "cpu"]
    assert main(["zoom", str(scan), *arguments, "--output", str(output)]) == 0
    source = nib.as_closest_canonical(nib.load(scan))
    result = nib.as_closest_canonical(nib.load(output))
    np.testing.assert_allclose(
        corners(result, whole(result)), corners(source, [(6, 14), (4, 14), (9, 10)]), atol=1e-4
    )
    model = load_model("meta-srgan", device="cpu")
    encoded = model.encode(
        phantom_volume.data[9], phantom_volume.intensity_range, phantom_volume.value_range
    )
    expected = model.render(encoded, 2.5, (4.0, 6.0, 14.0, 14.0))
    np.testing.assert_allclose(result.get_fdata()[:, :, 0].T, expected, atol=1e-2)
    assert b"super-resolved" in nib.load(output).header["descrip"].item()
    assert b"research use" in nib.load(output).header["descrip"].item()


def test_the_middle_slice_is_the_default(scan: Path, tmp_path: Path) -> None:
    default, middle = tmp_path / "a.nii", tmp_path / "b.nii"
    assert main(["zoom", str(scan), "--scale", "1.5", "--output", str(default)]) == 0
    assert main(["zoom", str(scan), "--scale", "1.5", "--slice", "9", "--output", str(middle)]) == 0
    assert default.read_bytes() == middle.read_bytes()


def test_time_points(tmp_path: Path, rng: np.random.Generator, capsys) -> None:
    path, output = tmp_path / "series.nii", tmp_path / "out.nii"
    data = rng.uniform(0, 100, (12, 14, 5, 3)).astype(np.float32)
    data[..., 2] = 40
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    arguments = ["zoom", str(path), "--scale", "2", "--output", str(output), "--overwrite"]
    assert main([*arguments, "--time", "2"]) == 0
    np.testing.assert_array_equal(nib.load(output).get_fdata(), 40)
    assert main([*arguments, "--time", "1"]) == 0
    assert nib.load(output).get_fdata().std() > 1
    assert main([*arguments, "--time", "3"]) == 2
    assert "time point 3 is outside" in capsys.readouterr().err


@pytest.mark.parametrize(("axis", "plane"), [(0, "sagittal"), (1, "coronal"), (2, "axial")])
def test_the_plane_of_the_thick_slices_is_the_default(tmp_path, monkeypatch, rng, axis, plane):
    monkeypatch.chdir(tmp_path)
    shape, spacing = [20, 22, 24], np.ones(4)
    shape[axis], spacing[axis] = 4, 6
    data = rng.integers(1, 900, shape).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.diag(spacing)), "scan.nii")
    assert main(["zoom", "scan.nii", "--scale", "2", "--output", "a.nii"]) == 0
    assert json.loads((tmp_path / "a.json").read_text())["Plane"] == plane


def test_a_dim_volume_of_a_series_is_what_it_is_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    dim = rng.uniform(0, 9, (24, 20, 4)).astype(np.float32)
    series = np.stack([1000 * dim[::-1], dim], axis=-1)
    nib.save(nib.Nifti1Image(series, np.eye(4)), "series.nii")
    nib.save(nib.Nifti1Image(dim, np.eye(4)), "alone.nii")
    assert main(["zoom", "series.nii", "--scale", "2", "--time", "1", "--output", "a.nii"]) == 0
    assert main(["zoom", "alone.nii", "--scale", "2", "--output", "b.nii"]) == 0
    first, second = (np.asanyarray(nib.load(name).dataobj) for name in ("a.nii", "b.nii"))
    np.testing.assert_array_equal(first, second)
    assert first.max() <= dim.max()


def test_a_figure_and_what_is_said(scan: Path, tmp_path: Path, capsys) -> None:
    output = tmp_path / "figure.png"
    arguments = ["--region", "4,6,10,8", "--scale", "2", "--output", str(output)]
    assert main(["zoom", str(scan), *arguments]) == 0
    captured = capsys.readouterr()
    assert "20 x 16 pixels, ×2, 0.5 × 0.4 mm, super-resolved by Meta-SRGAN" in captured.out
    assert captured.err == ""
    with Image.open(output) as picture:
        assert "Super-resolved by Meta-SRGAN, ×2" in picture.text["Description"]
        assert picture.width > picture.height > 300


def test_a_gray_picture(tmp_path: Path, rng: np.random.Generator, capsys) -> None:
    path, output = tmp_path / "slice.png", tmp_path / "figure.png"
    Image.fromarray(rng.integers(0, 255, (40, 30), np.uint8)).save(path)
    assert main(["zoom", str(path), "--scale", "2", "--output", str(output)]) == 0
    assert "80 x 60 pixels, ×2, 0.5 × 0.5 px" in capsys.readouterr().out
    assert main(["zoom", str(path), "--scale", "2", "--plane", "coronal", "--overwrite",
                 "--output", str(output)]) == 2  # fmt: skip
    assert "no coronal slices" in capsys.readouterr().err


def test_gaps_stay_and_are_warned_of_once(tmp_path: Path, rng: np.random.Generator, capsys) -> None:
    path, output = tmp_path / "gaps.nii", tmp_path / "out.nii"
    data = rng.uniform(0, 100, (12, 14, 5)).astype(np.float32)
    data[3, 4, 2] = np.nan
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    assert main(["zoom", str(path), "--scale", "2", "--output", str(output)]) == 0
    warned = capsys.readouterr().err.strip().splitlines()
    assert len(warned) == 1
    assert warned[0].startswith("napari-metasr: warning: gaps.nii: 1 of 840 voxels")
    gaps = np.argwhere(np.isnan(nib.load(output).get_fdata()))
    np.testing.assert_array_equal(gaps[:, :2], [[6, 8], [6, 9], [7, 8], [7, 9]])


def test_models_are_listed_with_their_cards(capsys) -> None:
    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    assert "meta-srgan" in model_names()
    for name in model_names():
        card = model_card(name)
        for value in (name, card.title, f"{card.parameters:,}", card.licence, card.sha256):
            assert value in listed


def test_the_program_runs_and_helps_without_loading_a_network() -> None:
    code = (
        "import sys; from napari_metasr.cli import main; code = main(['zoom', '--help']);"
        "heavy = {'torch', 'napari', 'matplotlib', 'skimage', 'qtpy'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    for option in ("--plane", "--slice", "--region", "--scale", "--model", "--device", "--output"):
        assert option in done.stdout


def test_a_volume_is_written_without_loading_what_other_work_takes(scan, tmp_path) -> None:
    code = (
        "import sys; from napari_metasr.cli import main; code = main(sys.argv[1:]);"
        "heavy = {'napari', 'matplotlib', 'skimage', 'scipy.optimize', 'sympy'};"
        "heavy &= set(sys.modules); sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    words = ["zoom", str(scan), "--scale", "2", "--output", str(tmp_path / "slice.nii.gz")]
    done = run_python("-c", code, *words)
    assert done.returncode == 0, done.stderr
