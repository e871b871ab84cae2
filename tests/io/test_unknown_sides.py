"""What knows no left and right is written in its place, and read as what it is."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from napari.layers import Image as ImageLayer
from PIL import Image

from napari_metasr.cli import main
from napari_metasr.io import read, read_volume, write_volume
from napari_metasr.io.writer import write_image
from napari_metasr.volume import Source

DATA = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def read_back(path):
    with pytest.warns(UserWarning, match="holds no orientation"):
        return read_volume(path)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_plain_layer_lies_in_its_place_and_has_no_sides(tmp_path, suffix, times):
    shown = np.squeeze(np.stack([DATA] * times))
    ahead = shown.ndim - 3
    layer = ImageLayer(
        shown,
        scale=(1,) * ahead + (3, 0.5, 0.6),
        translate=(0,) * ahead + (10, -20, 30),
        units=("pixel",) * ahead + ("mm",) * 3,
    )
    path = tmp_path / f"plain{suffix}"
    write_image(str(path), *layer.as_layer_data_tuple()[:2])
    volume = read_back(path)
    assert not volume.source.is_oriented
    assert volume.spacing == pytest.approx((3, 0.5, 0.6))
    np.testing.assert_array_equal(volume.data, shown)
    np.testing.assert_allclose(volume.affine[:3, 3], (30, -20, 10))


def test_itk_finds_the_same_place(tmp_path):
    layer = ImageLayer(np.stack([DATA, DATA]), scale=(1, 3, 0.5, 0.6), translate=(0, 1, 2, 3))
    path = tmp_path / "plain.mha"
    write_image(str(path), *layer.as_layer_data_tuple()[:2])
    image = SimpleITK.ReadImage(str(path))
    assert image.TransformIndexToPhysicalPoint((0, 0, 0, 0))[:3] == (-3, -2, 1)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image)[0], DATA)


def test_what_is_made_of_it_has_no_sides_either(tmp_path):
    layer = ImageLayer(DATA, scale=(3, 0.5, 0.6), translate=(10, -20, 30), units="mm")
    write_image(str(tmp_path / "plain.nii"), *layer.as_layer_data_tuple()[:2])
    volume = read_back(tmp_path / "plain.nii")
    write_volume(tmp_path / "made.nii", volume.data, volume.affine, volume.source)
    made = read_back(tmp_path / "made.nii")
    assert not made.source.is_oriented
    np.testing.assert_allclose(made.affine, volume.affine)


def test_a_volume_with_sides_keeps_them(tmp_path):
    path = write_volume(tmp_path / "scan.nii", DATA, np.eye(4), Source(name="scan"))
    assert read_volume(path).source.is_oriented
    assert not nib.load(path).header["aux_file"].item()


def test_a_picture_has_no_sides(tmp_path):
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / "slice.png")
    picture = read(tmp_path / "slice.png")
    assert not picture.source.is_oriented
    write_volume(tmp_path / "slice.nii", picture.data, picture.affine, picture.source)
    assert not read_back(tmp_path / "slice.nii").source.is_oriented


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
def test_freesurfer_s_format_states_no_sides_that_nobody_knows(tmp_path, suffix):
    layer = ImageLayer(DATA, scale=(3, 0.5, 0.6), units="mm")
    path = tmp_path / f"plain{suffix}"
    with pytest.raises(
        ValueError, match=r"left and right are known.*\.nii\.gz can hold it"
    ) as told:
        write_image(str(path), *layer.as_layer_data_tuple()[:2])
    assert len(str(told.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_transforms_that_are_mirror_images_say_no_sides(tmp_path):
    image = nib.Nifti1Image(DATA, np.diag([1, 1, 2, 1.0]))
    image.set_sform(np.diag([1, 1, 2, 1.0]), 1)
    image.set_qform(np.diag([-1, 1, 2, 1.0]), 1)
    nib.save(image, tmp_path / "a.nii")
    with pytest.warns(UserWarning, match="mirror images of each other"):
        volume = read_volume(tmp_path / "a.nii")
    assert not volume.source.is_oriented
    np.testing.assert_array_equal(volume.data, DATA.T)
    write_volume(tmp_path / "b.nii", volume.data, volume.affine, volume.source)
    made = nib.load(tmp_path / "b.nii")
    np.testing.assert_array_equal(made.get_sform(), image.get_sform())
    np.testing.assert_array_equal(made.get_qform(), image.get_qform())


@pytest.mark.parametrize(
    "asked",
    [
        ("upscale", "--scale", "2,2,1", "--output", "out.mgz"),
        ("upscale", "--scale", "2,2,1", "--output", "out.nii", "--risk", "out-risk.mgz"),
        ("zoom", "--scale", "2", "--output", "out.mgz"),
        ("detect", "--output", "out.json", "--mask", "out.mgz"),
    ],
    ids=lambda asked: asked[-2],
)
@pytest.mark.filterwarnings("ignore")
def test_no_verb_writes_it_and_nothing_is_left(tmp_path, capsys, monkeypatch, asked):
    image = nib.Nifti1Image(np.arange(32 * 32 * 2, dtype=np.int16).reshape(32, 32, 2), None)
    nib.save(image, tmp_path / "scan.nii")
    monkeypatch.chdir(tmp_path)
    verb, *options = asked
    assert main([verb, "scan.nii", *options]) == 2
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert "mgz: expected an image whose left and right are known" in said
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nii"]
