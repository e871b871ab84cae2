"""Writing NIfTI: the same points of the world, the same codes, whole files only."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import (
    ORIENTATIONS,
    SHAPE,
    affine_with,
    asymmetric,
    corners,
    stored,
)
from nibabel.affines import apply_affine

from napari_metasr.geometry.affines import resampled_affine, slice_affine
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.io import read_volume, write_slice, write_volume
from napari_metasr.io.layers import layer_data
from napari_metasr.io.reader import read_layers
from napari_metasr.io.writer import write_image, write_labels
from napari_metasr.volume import Plane, Source


def unordered(points):
    return np.array(sorted(points.round(4).tolist()))


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_round_trip_gives_back_the_same_file(tmp_path, codes, oblique):
    data = asymmetric()
    source = stored(tmp_path / "in.nii", data, affine_with(codes, oblique=oblique))
    volume = read_volume(source)
    write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)

    before, after = nib.load(source), nib.load(tmp_path / "out.nii")
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), data)
    assert after.get_data_dtype() == np.int16
    voxel_difference = np.linalg.inv(before.affine) @ after.affine - np.eye(4)
    assert np.abs(voxel_difference).max() < 1e-6
    assert "".join(nib.aff2axcodes(after.affine)) == codes


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_field_of_view_stays_through_magnification(tmp_path, codes, oblique):
    """NIfTI-2 stores transforms in double precision, so the file itself can be compared."""
    source = stored(
        tmp_path / "in.nii",
        asymmetric(),
        affine_with(codes, oblique=oblique),
        qform=0,
        image_class=nib.Nifti2Image,
    )
    volume = read_volume(source)
    n_in = volume.data.shape[::-1]
    n_out = (16, 19, 23)
    affine = resampled_affine(volume.affine, n_in, n_out)
    write_volume(tmp_path / "out.nii", np.zeros(n_out[::-1], np.float32), affine, volume.source)

    before, after = nib.load(source), nib.load(tmp_path / "out.nii")
    points_before = apply_affine(before.affine, corners(before.shape))
    points_after = apply_affine(after.affine, corners(after.shape))
    assert "".join(nib.aff2axcodes(after.affine)) == codes
    np.testing.assert_allclose(unordered(points_after), unordered(points_before), atol=1e-6)
    np.testing.assert_allclose(points_after, points_before, atol=1e-6)


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("plane", list(Plane))
def test_slice_keeps_its_place_and_thickness(tmp_path, plane, oblique):
    source = stored(tmp_path / "in.nii", asymmetric(), affine_with("PSR", oblique=oblique))
    volume = read_volume(source)
    index = 3
    image = volume.slice(plane, index)
    grid = OutputGrid.at_scale(image.shape, 1)
    affine = slice_affine(volume.affine, volume.data.shape, plane, index, grid)
    write_slice(tmp_path / "out.nii.gz", image, affine, plane, volume.source)

    after = read_volume(tmp_path / "out.nii.gz")
    assert after.data.shape[plane.normal_axis] == 1
    assert after.spacing == pytest.approx(volume.spacing)
    np.testing.assert_array_equal(after.slice(plane, 0), image)
    offset = np.zeros(3)
    offset[2 - plane.normal_axis] = index
    np.testing.assert_allclose(after.affine[:3, 3], apply_affine(volume.affine, offset), atol=1e-5)


@pytest.mark.parametrize(("sform", "qform"), [(1, 1), (4, 1), (0, 1), (2, 0)])
def test_codes_of_the_source(tmp_path, sform, qform):
    source = stored(tmp_path / "in.nii", asymmetric(), affine_with("LPS"), sform=sform, qform=qform)
    volume = read_volume(source)
    write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    header = nib.load(tmp_path / "out.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (sform, qform)
    assert header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(header.get_zooms(), (0.7, 1.1, 2.5), rtol=1e-6)
    np.testing.assert_allclose(nib.load(tmp_path / "out.nii").affine, affine_with("LPS"), atol=1e-5)


def test_source_without_codes_stays_without(tmp_path):
    path = stored(tmp_path / "in.nii", asymmetric(), affine_with("LAS"), sform=0, qform=0)
    with pytest.warns(UserWarning, match="no orientation"):
        volume = read_volume(path)
    write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    np.testing.assert_allclose(nib.load(tmp_path / "out.nii").affine, nib.load(path).affine)
    header = nib.load(tmp_path / "out.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)


def test_what_the_numbers_mean_and_when_they_were_measured_stays(tmp_path):
    image = nib.Nifti1Image(asymmetric((5, 6, 7, 3)), affine_with("LPS"))
    image.header.set_xyzt_units("mm", "msec")
    image.header.set_zooms((*image.header.get_zooms()[:3], 2500))
    image.header.set_intent("t test", (12,), "a map")
    image.header.set_dim_info(freq=0, phase=1, slice=2)
    image.header["toffset"] = 700
    nib.save(image, tmp_path / "in.nii")
    volume = read_volume(tmp_path / "in.nii")
    out = write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    header = nib.load(out).header
    assert header.get_intent() == ("t test", (12.0,), "a map")
    assert header.get_dim_info() == (0, 1, 2)
    assert (float(header["toffset"]), float(header["pixdim"][4])) == (700, 2500)
    assert header.get_xyzt_units() == ("mm", "msec")
    mask = write_volume(
        tmp_path / "mask.nii",
        np.zeros(volume.spatial_shape, np.uint8),
        volume.affine,
        volume.source,
        keeps_meaning=False,
    )
    assert nib.load(mask).header.get_intent()[0] == "none"


def test_scanner_and_atlas_transforms_both_move_along(tmp_path):
    scanner, atlas = affine_with("LPS"), affine_with("LPS", oblique=True)
    image = nib.Nifti1Image(asymmetric(), None)
    image.set_sform(atlas, 4)
    image.set_qform(scanner, 1)
    nib.save(image, tmp_path / "in.nii")
    volume = read_volume(tmp_path / "in.nii")
    n_in, n_out = volume.data.shape[::-1], (10, 12, 14)
    affine = resampled_affine(volume.affine, n_in, n_out)
    write_volume(tmp_path / "out.nii", np.zeros(n_out[::-1]), affine, volume.source)

    after = nib.load(tmp_path / "out.nii")
    assert after.get_data_dtype() == np.float32
    for form, code, before in (("sform", 4, atlas), ("qform", 1, scanner)):
        matrix, found = getattr(after, f"get_{form}")(coded=True)
        assert found == code
        np.testing.assert_allclose(
            apply_affine(matrix, corners(after.shape)),
            apply_affine(before, corners(SHAPE)),
            atol=1e-4,
        )


def test_time_series_keep_their_step(tmp_path):
    image = nib.Nifti1Image(asymmetric((3, 4, 5, 6)), affine_with("LPS"))
    image.header.set_zooms((0.7, 1.1, 2.5, 1.75))
    image.header.set_xyzt_units("mm", "msec")
    nib.save(image, tmp_path / "in.nii")
    volume = read_volume(tmp_path / "in.nii")
    write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    after = nib.load(tmp_path / "out.nii")
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), np.asanyarray(image.dataobj))
    assert after.header.get_zooms()[3] == pytest.approx(1.75)
    assert after.header.get_xyzt_units() == ("mm", "msec")


def test_flat_images_stay_flat(tmp_path):
    path = stored(tmp_path / "in.nii", asymmetric((4, 5)), affine_with("LPS"))
    volume = read_volume(path)
    write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    np.testing.assert_array_equal(
        np.asanyarray(nib.load(tmp_path / "out.nii").dataobj), asymmetric((4, 5))
    )


def test_explicit_type_rounds_and_clips(tmp_path):
    data = np.array([-5.0, 0.4, 0.6, 254.7, 1e6, np.nan], np.float32).reshape(1, 2, 3)
    path = write_volume(tmp_path / "a.nii", data, np.eye(4), Source(name="a"), dtype=np.uint8)
    written = nib.load(path)
    assert written.get_data_dtype() == np.uint8
    assert written.dataobj.slope == 1
    assert np.asanyarray(written.dataobj).T.ravel().tolist() == [0, 0, 1, 255, 255, 0]


def test_large_integers_are_exact(tmp_path):
    data = np.full((2, 3, 4), 2**60 + 1, np.int64)
    path = write_volume(tmp_path / "a.nii", data, np.eye(4), Source(name="a"))
    assert np.asanyarray(nib.load(path).dataobj).max() == 2**60 + 1


def test_description_fits_the_header(tmp_path):
    text = "super-resolved ×3.7 by meta-srgan,\nfor research use only, " + "and so on " * 10
    path = write_volume(
        tmp_path / "a.nii", np.ones((2, 3, 4)), np.eye(4), Source(name="a"), description=text
    )
    found = bytes(nib.load(path).header["descrip"].item()).decode()
    assert found.startswith("super-resolved x3.7 by meta-srgan, for research use only")
    assert found.endswith("...")
    assert len(found) == 79


def test_existing_files_are_refused_and_replaced_only_on_demand(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(b"precious")
    arguments = (path, np.ones((2, 3, 4), np.uint8), np.eye(4), Source(name="a"))
    with pytest.raises(FileExistsError, match=r"a\.nii\.gz: the file exists"):
        write_volume(*arguments)
    assert path.read_bytes() == b"precious"
    write_volume(*arguments, overwrite=True)
    assert nib.load(path).shape == (4, 3, 2)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.nii.gz"]


def test_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    def fails(file, start, voxels):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr("napari_metasr.io.writer._write_voxels", fails)
    path = tmp_path / "a.nii"
    path.write_bytes(b"precious")
    with pytest.raises(OSError, match="no space left"):
        write_volume(path, np.ones((2, 3, 4)), np.eye(4), Source(name="a"), overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.nii"]
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("name", "data", "error", "message"),
    [
        ("a.png", np.ones((2, 3, 4)), ValueError, r"ends in \.nii\.gz, \.nii, \.mgz"),
        ("missing/a.nii", np.ones((2, 3, 4)), FileNotFoundError, "missing does not exist"),
        ("a.nii", np.ones(3), ValueError, r"found shape \(3,\)"),
        ("a.nii", np.ones((0, 3, 4)), ValueError, r"found shape \(0, 3, 4\)"),
        ("a.nii", np.ones((2, 3, 4), complex), ValueError, "complex128"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(tmp_path, name, data, error, message):
    with pytest.raises(error, match=message) as caught:
        write_volume(tmp_path / name, data, np.eye(4), Source(name="a"))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_unstorable_type_is_refused(tmp_path):
    with pytest.raises(ValueError, match="float16"):
        write_volume(
            tmp_path / "a.nii", np.ones((2, 3, 4)), np.eye(4), Source(name="a"), dtype="float16"
        )
    assert not list(tmp_path.iterdir())


def test_more_pixels_than_nifti1_counts(tmp_path):
    path = write_volume(
        tmp_path / "a.nii", np.ones((1, 1, 40000), np.uint8), np.eye(4), Source(name="a")
    )
    assert nib.load(path).shape == (40000, 1, 1)


# Layers


def layer_keywords(data, kind="image", **keywords):
    """What napari hands to a writer for a layer made of these."""
    from napari.layers import Layer

    return Layer.create(data, keywords, kind).as_layer_data_tuple()[:2]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6), (4, 5, 6, 2)])
@pytest.mark.parametrize("oblique", [False, True])
def test_layer_of_the_reader_is_written_as_it_was_read(tmp_path, shape, oblique):
    path = stored(tmp_path / "in.nii", asymmetric(shape), affine_with("LPS", oblique=oblique))
    data, keywords, kind = layer_data(read_volume(path))
    written = write_image(str(tmp_path / "out.nii"), *layer_keywords(data, kind, **keywords))
    assert written == [str(tmp_path / "out.nii")]
    after = nib.load(tmp_path / "out.nii")
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), asymmetric(shape))
    np.testing.assert_allclose(after.affine, nib.load(path).affine, atol=1e-5)


@pytest.mark.parametrize("oblique", [False, True])
def test_magnified_layer_is_written_in_its_place(tmp_path, oblique):
    path = stored(tmp_path / "in.nii", asymmetric(), affine_with("LPS", oblique=oblique))
    volume = read_volume(path)
    _, source, _ = layer_data(volume)
    window = (1.0, 0.5, 4.0, 4.5)
    grid = OutputGrid.at_scale(volume.slice(Plane.AXIAL, 2).shape, 3.7)
    i0, j0, i1, j1 = grid.pixel_range(window)
    scale, translate = grid.layer_transform(source["scale"][1:], source["translate"][1:], window)
    keywords = {
        "name": "meta-srgan ×3.7",
        "scale": (source["scale"][0], *scale),
        "translate": (source["translate"][0] + 2 * source["scale"][0], *translate),
        "units": "mm",
        "metadata": source["metadata"],
    }
    image = np.ones((1, i1 - i0, j1 - j0), np.float32)
    write_image(str(tmp_path / "out.nii"), *layer_keywords(image, **keywords))

    expected = slice_affine(volume.affine, volume.data.shape, Plane.AXIAL, 2, grid, window)
    after = read_volume(tmp_path / "out.nii")
    np.testing.assert_allclose(after.affine, expected, atol=2e-5)
    assert after.source.orientation == "LPS"
    assert bytes(after.source.header["descrip"].item()) == b"meta-srgan x3.7"


def test_plain_layers_are_written_by_their_transform(tmp_path):
    affine = np.eye(4)
    affine[:3, 3] = (10, 20, 30)
    data, keywords = layer_keywords(
        np.arange(24).reshape(2, 3, 4) > 11,
        scale=(3000, 2000, 1000),
        translate=(1000, 2000, 3000),
        rotate=90,
        shear=(0.5, 0, 0),
        affine=affine,
        units="um",
    )
    write_image(str(tmp_path / "out.nii"), data, keywords)
    image = nib.load(tmp_path / "out.nii")
    assert image.get_data_dtype() == np.uint8

    from napari.layers import Image

    layer = Image(data, **{k: v for k, v in keywords.items() if k != "interpolation3d"})
    for index in [(0, 0, 0), (1, 2, 3), (1, 0, 2)]:
        world_mm = np.array(layer.data_to_world(index)) / 1000
        np.testing.assert_allclose(
            apply_affine(image.affine, index[::-1]), world_mm[::-1], rtol=1e-6
        )


def test_flat_plain_layer_and_multiscale(tmp_path):
    pyramid = [np.arange(64.0).reshape(8, 8), np.ones((4, 4))]
    data, keywords = layer_keywords(pyramid, multiscale=True, scale=(2, 3))
    write_image(str(tmp_path / "out.nii"), data, keywords)
    image = nib.load(tmp_path / "out.nii")
    np.testing.assert_array_equal(image.get_fdata(), pyramid[0].T)
    assert image.header.get_zooms() == (3, 2)


def test_layers_that_nifti_cannot_hold_are_refused(tmp_path):
    path = str(tmp_path / "a.nii")
    with pytest.raises(ValueError, match=r"photo: expected a gray image layer .* found colour"):
        write_image(path, *layer_keywords(np.zeros((4, 4, 3), np.uint8), rgb=True, name="photo"))
    with pytest.raises(ValueError, match=r"many: .* found 5"):
        write_image(path, *layer_keywords(np.zeros((1, 2, 3, 4, 5)), name="many"))
    with pytest.raises(ValueError, match="a unit of length, found second"):
        write_image(path, *layer_keywords(np.zeros((2, 3, 4)), units="s"))
    with pytest.raises(ValueError, match="time axis"):
        write_image(path, *layer_keywords(np.zeros((2, 2, 3, 4)), shear=(1, 0, 0, 0, 0, 0)))
    assert not list(tmp_path.iterdir())


# Labels


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32"])
def test_labels_are_written_as_they_were_read(tmp_path, oblique, dtype):
    labels = (asymmetric() % 5).astype(dtype)
    labels[1, 1, 1] = np.iinfo(dtype).max
    path = stored(tmp_path / "in_seg.nii", labels, affine_with("LPS", oblique=oblique))
    ((data, keywords, kind),) = read_layers(str(path))
    assert kind == "labels"
    write_labels(str(tmp_path / "out.nii.gz"), *layer_keywords(data, kind, **keywords))
    after = nib.load(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), labels)
    assert after.get_data_dtype() == dtype
    np.testing.assert_allclose(after.affine, nib.load(path).affine, atol=1e-5)
    ((again, placed, kind),) = read_layers(str(tmp_path / "out.nii.gz"))
    assert kind == "labels"  # whatever the file is called
    np.testing.assert_array_equal(again, data)
    assert placed["scale"] == pytest.approx(keywords["scale"])
    assert placed["translate"] == pytest.approx(keywords["translate"])


def test_labels_without_a_volume_lie_where_the_window_shows_them(tmp_path):
    data = np.zeros((4, 5, 6), np.uint8)
    data[1, 2, 3] = 7
    keywords = {"scale": (3, 0.5, 0.6), "translate": (10, -20, 30), "units": "mm"}
    write_labels(str(tmp_path / "drawn.nii"), *layer_keywords(data, "labels", **keywords))
    after = nib.load(tmp_path / "drawn.nii")
    (voxel,) = np.argwhere(np.asarray(after.dataobj))
    expected = (30 + 3 * 0.6, -20 + 2 * 0.5, 10 + 1 * 3)
    assert nib.affines.apply_affine(after.affine, voxel) == pytest.approx(expected)
    many = layer_keywords(np.zeros((1, 2, 3, 4, 5), np.uint8), "labels", name="many")
    with pytest.raises(ValueError, match="many: expected 2 to 4 dimensions"):
        write_labels(str(tmp_path / "many.nii"), *many)
