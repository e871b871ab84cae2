"""NIfTI files and pictures as layers: place, units, contrast, and what a viewer makes of them."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_metasr import io
from napari_metasr.geometry.display import as_displayed
from napari_metasr.io.layers import volume_of
from napari_metasr.io.reader import get_reader

REAL = Path(__file__).parents[2] / "../shared/data/volumes/BraTS-GLI-00000-000-t1c.nii.gz"
AFFINE = np.array([[-0.7, 0, 0, 20], [0, 1.1, 0, -30], [0, 0, 2.5, 5], [0, 0, 0, 1]])


def save(path, data, affine=AFFINE):
    nib.save(nib.Nifti1Image(data, affine, dtype=data.dtype), path)
    return str(path)


def numbers(shape, dtype=np.int16):
    return np.random.default_rng(0).integers(0, 900, shape).astype(dtype)


def test_three_dimensions(tmp_path):
    path = save(tmp_path / "scan.nii.gz", numbers((4, 5, 6)))
    [(data, keywords, kind)] = get_reader(path)(path)
    assert kind == "image"
    assert data.shape == (6, 5, 4)
    assert keywords["name"] == "scan"
    assert keywords["scale"] == pytest.approx((2.5, 1.1, 0.7))
    assert keywords["translate"] == pytest.approx((5, -30, 20 - 3 * 0.7))
    assert keywords["units"] == ("mm", "mm", "mm")
    assert keywords["axis_labels"] == ("z", "y", "x")
    assert volume_of(keywords["metadata"]).data is data


def test_contrast_limits_ignore_outliers(tmp_path):
    data = numbers((20, 20, 20))
    data[0, 0, :3] = 30000
    path = save(tmp_path / "scan.nii", data)
    [(_, keywords, _)] = get_reader(path)(path)
    low, high = keywords["contrast_limits"]
    assert 0 <= low < 50
    assert 800 < high < 1000


def test_time_and_flat_images_in_a_viewer(tmp_path):
    from napari.components import ViewerModel
    from napari.layers import Layer

    viewer = ViewerModel()
    for name, shape in (("series", (4, 5, 6, 3)), ("scan", (4, 5, 6)), ("flat", (4, 5))):
        path = save(tmp_path / f"{name}.nii", numbers(shape))
        [layer_data] = get_reader([path])([path], stack=False)
        viewer.layers.append(Layer.create(*layer_data))
    series, scan, flat = viewer.layers
    assert [str(unit) for unit in series.units] == ["pixel"] + ["millimeter"] * 3
    assert [str(unit) for unit in flat.units] == ["millimeter"] * 2
    assert series.axis_labels == ("t", "z", "y", "x")
    assert flat.axis_labels == ("y", "x")
    assert viewer.dims.axis_labels == ("t", "z", "y", "x")
    voxel = (2, 3, 1)
    np.testing.assert_allclose(scan.data_to_world(voxel), series.data_to_world((0, *voxel))[1:])
    np.testing.assert_allclose(flat.data_to_world(voxel[1:]), scan.data_to_world(voxel)[1:])


def test_layer_world_is_mm_of_the_canonical_frame(tmp_path):
    path = save(tmp_path / "scan.nii", numbers((4, 5, 6)))
    [(data, keywords, _)] = get_reader(path)(path)
    volume = volume_of(keywords["metadata"])
    for zyx in [(0, 0, 0), (5, 4, 3), (2, 1, 3)]:
        world = np.array(keywords["translate"]) + np.array(keywords["scale"]) * zyx
        np.testing.assert_allclose(
            world[::-1], nib.affines.apply_affine(volume.affine, zyx[::-1]), rtol=1e-6
        )
    assert data is volume.data


@pytest.mark.parametrize(
    ("name", "dtype", "kind"),
    [
        ("sub-01_dseg", np.uint8, "labels"),
        ("BraTS-GLI-00000-000-seg", np.float32, "labels"),
        ("lesion_mask", np.int16, "labels"),
        ("sub-01_label-tumor_mask", np.uint8, "labels"),
        ("sub-01_label-tumor_probseg", np.uint8, "labels"),
        ("aparc.a2009s+aseg", np.int32, "labels"),
        ("aseg.presurf", np.uint8, "labels"),
        ("brainmask", np.uint8, "image"),
        ("baseg", np.uint8, "image"),
        ("filled.auto", np.uint8, "labels"),
        ("T1_filled", np.uint8, "image"),
        ("filled_T1w", np.uint8, "image"),
        ("masked_T1w", np.int16, "image"),
        ("segment_t1c", np.int16, "image"),
        ("sub-01_T1w", np.uint8, "image"),
    ],
)
def test_only_names_that_say_so_are_segmentations(tmp_path, name, dtype, kind):
    path = save(tmp_path / f"{name}.nii.gz", (numbers((4, 5, 6)) % 4).astype(dtype))
    [(data, keywords, found)] = get_reader(path)(path)
    assert found == kind
    if kind == "labels":
        from napari.layers import Layer

        assert Layer.create(data, keywords, found).data.dtype.kind in "iu"


def test_a_mask_of_fractions_stays_an_image(tmp_path):
    path = save(tmp_path / "a_mask.nii", numbers((4, 5, 6), np.float32) / 1000)
    assert get_reader(path)(path)[0][2] == "image"


def test_other_files_are_left_to_other_readers():
    assert get_reader("picture.png") is None
    assert get_reader(["a.nii.gz", "b.tif"]) is None
    assert get_reader(["a.nii", "B.NII.GZ"]) is not None


def test_several_files_become_several_layers(tmp_path):
    paths = [save(tmp_path / f"{name}.nii", numbers((4, 5, 6))) for name in ("t1c", "flair")]
    layers = get_reader(paths)(paths)
    assert [keywords["name"] for _, keywords, _ in layers] == ["t1c", "flair"]


def test_damaged_files_reach_the_user_and_the_viewer_lives_on(tmp_path, make_napari_viewer_proxy):
    from napari.utils.notifications import notification_manager

    viewer = make_napari_viewer_proxy()
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"\x1f\x8b nothing")
    with notification_manager:
        try:
            viewer.open(str(bad), plugin="napari-metasr")
        except ValueError as error:  # what a menu or a drop leaves to napari's own hook
            notification_manager.receive_error(type(error), error, error.__traceback__)
    assert str(notification_manager.records[-1].message).startswith(f"{bad}: expected a NIfTI file")
    assert len(viewer.layers) == 0
    viewer.open(save(tmp_path / "good.nii.gz", numbers((4, 5, 6))), plugin="napari-metasr")
    assert [layer.name for layer in viewer.layers] == ["good"]


@pytest.mark.skipif(not REAL.exists(), reason=f"needs the real volume {REAL.name} in shared/data")
def test_real_volume_lies_where_nibabel_says():
    [(data, keywords, kind)] = get_reader(str(REAL))(str(REAL))
    canonical = nib.as_closest_canonical(nib.load(REAL))
    assert (kind, data.dtype) == ("image", np.int16)
    np.testing.assert_array_equal(data, np.asanyarray(canonical.dataobj).T)
    np.testing.assert_allclose(keywords["translate"][::-1], canonical.affine[:3, 3])


# Pictures


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_gray_pictures_hang_upright_in_radiological_display(tmp_path, suffix):
    from skimage.io import imsave

    picture = numbers((6, 9), np.uint8)
    imsave(tmp_path / f"gray{suffix}", picture, check_contrast=False)
    volume = io.read(tmp_path / f"gray{suffix}")
    assert volume.data.shape == (6, 9)
    assert volume.data.dtype == np.uint8
    assert volume.spacing == (1, 1)
    np.testing.assert_array_equal(as_displayed(volume.data), picture)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_deep_pictures_keep_their_values(tmp_path, dtype):
    from skimage.io import imsave

    picture = (numbers((6, 9)) * 40).astype(dtype)
    imsave(tmp_path / "deep.tif", picture, check_contrast=False)
    volume = io.read(tmp_path / "deep.tif")
    assert volume.data.dtype == dtype
    np.testing.assert_array_equal(as_displayed(volume.data), picture)


def test_a_picture_written_as_nifti_comes_back(tmp_path):
    from skimage.io import imsave

    imsave(tmp_path / "gray.png", numbers((6, 9), np.uint8), check_contrast=False)
    volume = io.read(tmp_path / "gray.png")
    io.write_volume(tmp_path / "gray.nii", volume.data, volume.affine, volume.source)
    with pytest.warns(UserWarning, match="no orientation"):
        again = io.read(tmp_path / "gray.nii")
    np.testing.assert_array_equal(again.data, volume.data)


def test_bad_pictures_are_refused_in_one_line(tmp_path):
    from PIL import Image

    Image.new("RGB", (9, 6), (9, 9, 9)).save(tmp_path / "colour.png")
    Image.new("1", (9, 6)).save(tmp_path / "boolean.png")
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    Image.new("L", (9, 6)).save(
        tmp_path / "pages.tif", save_all=True, append_images=[Image.new("L", (9, 6))] * 4
    )
    for name, message in {
        "colour.png": "one gray channel, found a RGB picture",
        "boolean.png": "found boolean",
        "damaged.png": "damaged or unknown",
        "pages.tif": "found 5 pages",
    }.items():
        with pytest.raises(ValueError, match=message) as caught:
            io.read(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
    with pytest.raises(FileNotFoundError, match="no such file"):
        io.read(tmp_path / "nothing.png")
