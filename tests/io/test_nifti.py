"""Reading NIfTI: geometry, types and refusals."""

from __future__ import annotations

import gzip
import itertools

import nibabel as nib
import numpy as np
import pytest

from napari_metasr.io import read_volume
from napari_metasr.io.orientation import axis_codes

AXES = ["".join(axes) for axes in itertools.permutations("xyz")]
SIGNS = list(itertools.product((1, -1), repeat=3))
SPACING = {"x": 0.7, "y": 1.1, "z": 2.5}


def oriented_affine(axes, signs, origin=(-31.0, 12.5, 7.25)):
    """Voxel axes (i, j, k) along the world axes named, in the directions given."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for column, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        affine["xyz".index(axis), column] = sign * SPACING[axis]
    affine[:3, 3] = origin
    return affine


def oblique_affine():
    """A rotation of about 20 degrees around a skew axis, with anisotropic voxels."""
    from scipy.spatial.transform import Rotation

    affine = np.eye(4)
    rotation = Rotation.from_rotvec(np.deg2rad([12.0, -9.0, 15.0])).as_matrix()
    affine[:3, :3] = rotation @ np.diag([-0.9, 1.2, 2.0])
    affine[:3, 3] = [40.0, -20.0, 5.0]
    return affine


def save(path, data, affine=None, **kwargs):
    data = np.asarray(data)
    image = nib.Nifti1Image(data, np.eye(4) if affine is None else affine, dtype=data.dtype)
    image.header.set_xyzt_units("mm", "sec")
    for name, value in kwargs.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def patched(path, offset, raw):
    """Overwrite bytes of a file that is already written."""
    content = bytearray(path.read_bytes())
    content[offset : offset + len(raw)] = raw
    path.write_bytes(content)
    return path


def world_values(data_xyz, affine):
    """Voxel values keyed by their world position."""
    indices = np.indices(data_xyz.shape[:3]).reshape(3, -1).T
    points = nib.affines.apply_affine(affine, indices).round(4) + 0.0
    return dict(zip(map(tuple, points), data_xyz.reshape(len(points), -1).tolist(), strict=True))


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("signs", SIGNS)
def test_every_orientation_keeps_each_voxel_at_its_world_point(tmp_path, axes, signs):
    data = np.random.default_rng(0).integers(0, 1000, (3, 4, 5), dtype=np.int16)
    affine = oriented_affine(axes, signs)
    volume = read_volume(save(tmp_path / "a.nii", data, affine))

    assert (np.diag(volume.affine)[:3] > 0).all()
    assert volume.spacing == pytest.approx((2.5, 1.1, 0.7))
    assert volume.data.flags.c_contiguous
    assert world_values(volume.data.T, volume.affine) == world_values(data, np.float32(affine))
    assert volume.source.orientation == axis_codes(affine)
    np.testing.assert_allclose(volume.source.affine, affine, rtol=1e-6)


def test_oblique_affine_keeps_each_voxel_at_its_world_point(tmp_path):
    data = np.random.default_rng(0).random((3, 4, 5), dtype=np.float32)
    volume = read_volume(save(tmp_path / "a.nii.gz", data, oblique_affine()))
    stored = nib.load(tmp_path / "a.nii.gz").affine
    assert volume.data.shape == (5, 4, 3)
    assert world_values(volume.data.T, volume.affine) == world_values(data, stored)
    assert volume.spacing == pytest.approx((2.0, 1.2, 0.9))
    assert axis_codes(volume.affine) == "RAS"


def test_agrees_with_nibabel_on_time_series(tmp_path):
    data = np.random.default_rng(0).integers(-9, 9, (3, 4, 5, 6), dtype=np.int16)
    path = save(tmp_path / "series.nii.gz", data, oriented_affine("zxy", (-1, 1, -1)))
    expected = nib.as_closest_canonical(nib.load(path))
    volume = read_volume(path)
    assert volume.data.shape == (6, *expected.shape[2::-1])
    np.testing.assert_array_equal(volume.data, np.asanyarray(expected.dataobj).T)
    np.testing.assert_allclose(volume.affine, expected.affine)
    assert len(volume.spacing) == 3


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((4, 5), (5, 4)),
        ((4, 5, 1), (1, 5, 4)),
        ((4, 5, 6, 1), (6, 5, 4)),
        ((4, 5, 6, 2, 1), (2, 6, 5, 4)),
        ((4, 5, 6, 1, 3), (3, 6, 5, 4)),
        ((4, 5, 1, 2), (2, 1, 5, 4)),
        ((1, 1, 1), (1, 1, 1)),
    ],
)
def test_dimensions(tmp_path, shape, expected):
    data = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    volume = read_volume(save(tmp_path / "a.nii", data))
    assert volume.data.shape == expected
    np.testing.assert_array_equal(volume.data.T.ravel(), data.ravel())
    assert len(volume.spacing) == min(len(expected), 3)


def test_flat_image_of_a_coronal_slice_is_a_volume_one_slice_thick(tmp_path):
    data = np.arange(20, dtype=np.int16).reshape(4, 5)
    volume = read_volume(save(tmp_path / "a.nii", data, oriented_affine("xzy", (1, 1, 1))))
    assert volume.data.shape == (5, 1, 4)
    assert volume.spacing == pytest.approx((2.5, 1.1, 0.7))
    np.testing.assert_array_equal(volume.data[:, 0], data.T)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("u1", "uint8"),
        ("i2", "int16"),
        ("u2", "uint16"),
        ("i4", "int32"),
        ("i8", "int64"),
        ("f4", "float32"),
        ("f8", "float32"),
        (">i2", "int16"),
        (">f4", "float32"),
    ],
)
def test_number_types(tmp_path, stored, read):
    data = np.arange(24).reshape(2, 3, 4).astype(stored)
    header = nib.Nifti1Header(endianness=">" if stored.startswith(">") else "<")
    header.set_data_dtype(stored)
    nib.save(nib.Nifti1Image(data, np.eye(4), header, dtype=stored), tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    assert volume.data.dtype == np.dtype(read)
    assert volume.data.dtype.isnative
    assert volume.source.dtype.kind == np.dtype(stored).kind
    np.testing.assert_array_equal(volume.data, data.T)


def test_float64_beyond_float32_stays(tmp_path):
    data = np.array([0.0, 1e300]).reshape(2, 1, 1)
    volume = read_volume(save(tmp_path / "a.nii", data))
    assert volume.data.dtype == np.float64
    assert volume.value_range == (0, 1e300)


def test_slope_and_intercept(tmp_path):
    path = save(tmp_path / "a.nii", np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    patched(path, 112, np.array([0.5, -100], "<f4").tobytes())
    volume = read_volume(path)
    assert volume.data.dtype == np.float32
    np.testing.assert_array_equal(volume.data.T.ravel(), np.arange(24) * 0.5 - 100)


@pytest.mark.parametrize(("unit", "factor"), [("micron", 1e-3), ("meter", 1e3), ("unknown", 1)])
def test_world_is_in_mm_whatever_the_unit_of_the_file(tmp_path, unit, factor):
    image = nib.Nifti1Image(np.ones((2, 3, 4), np.float32), np.diag([1 / factor] * 3 + [1]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    assert volume.spacing == pytest.approx((1, 1, 1))
    np.testing.assert_allclose(volume.source.affine, np.eye(4), rtol=1e-6)


def test_pairs_and_nifti2(tmp_path):
    data = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nib.save(nib.Nifti1Pair(data, np.eye(4)), tmp_path / "pair.img")
    nib.save(nib.Nifti2Image(data, np.eye(4)), tmp_path / "two.nii.gz")
    for name in ("pair.img", "pair.hdr", "two.nii.gz"):
        volume = read_volume(tmp_path / name)
        np.testing.assert_array_equal(volume.data, data.T)
        assert volume.source.name == name.split(".")[0]
    (tmp_path / "pair.img").unlink()
    with pytest.raises(FileNotFoundError, match="other file of the pair"):
        read_volume(tmp_path / "pair.hdr")
    (tmp_path / "pair.hdr").unlink()
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_volume(tmp_path / "pair.hdr")


def test_some_missing_values_are_kept_under_one_warning(tmp_path):
    data = np.ones((3, 4, 5), np.float32)
    data[0, 0, 0], data[1, 1, 1] = np.nan, np.inf
    with pytest.warns(UserWarning, match=r"a\.nii: 2 of 60 voxels") as caught:
        volume = read_volume(save(tmp_path / "a.nii", data))
    assert len(caught) == 1
    np.testing.assert_array_equal(volume.data, data.T)


def _not_a_nifti(path):
    path.write_text("not an image at all\n" * 100)


def _empty(path):
    path.write_bytes(b"")


def _zero_size(path):
    patched(save(path, np.ones((3, 4, 5), np.int16)), 42, bytes(2))


def _one_dimension(path):
    patched(save(path, np.ones((3, 4, 5), np.int16)), 40, np.array([1], "<i2").tobytes())


def _cut_short(path):
    save(path, np.ones((30, 40, 50), np.int16))
    path.write_bytes(path.read_bytes()[:9000])


def _no_finite(path):
    save(path, np.full((3, 4, 5), np.nan, np.float32))


def _colour(path):
    save(path, np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")]))


def _complex(path):
    save(path, np.ones((3, 4, 5), np.complex64))


def _boolean(path):
    patched(save(path, np.ones((3, 4, 5), np.uint8)), 70, np.array([1, 1], "<i2").tobytes())


def _two_series(path):
    save(path, np.ones((3, 4, 5, 2, 3), np.int16))


def _affine(path, row):
    save(path, np.ones((3, 4, 5), np.int16), sform_code=1, qform_code=0)
    patched(path, 280, np.array(row, "<f4").tobytes())


BAD_FILES = {
    "not a NIfTI": (_not_a_nifti, "no NIfTI header"),
    "empty": (_empty, "an empty file"),
    "zero-size": (_zero_size, r"found shape \(0, 4, 5\)"),
    "one dimension": (_one_dimension, r"found shape \(3,\)"),
    "cut short": (_cut_short, "truncated"),
    "no finite voxel": (_no_finite, "no finite voxel"),
    "colour": (_colour, r"colour \(R/G/B per voxel\)"),
    "complex": (_complex, "complex64"),
    "boolean": (_boolean, "boolean"),
    "two series": (_two_series, r"\(3, 4, 5, 2, 3\)"),
    "affine with NaN": (lambda path: _affine(path, [np.nan, 0, 0, 0]), "NaN or Inf"),
    "tiny voxels": (lambda path: _affine(path, [1e-9, 0, 0, 0]), "1e-09 x 1 x 1 mm"),
    "huge voxels": (lambda path: _affine(path, [1e6, 0, 0, 0]), r"1e\+06 x 1 x 1 mm"),
    "zero axis": (lambda path: _affine(path, [0, 0, 0, 0]), "0 x 1 x 1 mm"),
    "parallel axes": (
        lambda path: _affine(path, [1, 1, 0, 0, 0, 1e-5, 0, 0]),
        "singular",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_in_one_line(tmp_path, case):
    make, message = BAD_FILES[case]
    path = tmp_path / "bad.nii"
    make(path)
    with pytest.raises(ValueError, match=message) as caught:
        read_volume(path)
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.999])
def test_truncated_gzip_is_refused(tmp_path, kept):
    path = tmp_path / "cut.nii.gz"
    save(path, np.random.default_rng(0).integers(0, 99, (20, 20, 20), dtype=np.int16))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    with pytest.raises(ValueError, match=r"cut\.nii\.gz: expected a .*NIfTI file, found") as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)


def test_corrupt_gzip_is_refused(tmp_path):
    path = tmp_path / "corrupt.nii.gz"
    save(path, np.random.default_rng(0).integers(0, 99, (20, 20, 20), dtype=np.int16))
    patched(path, 3000, bytes(64))
    with pytest.raises(ValueError, match="truncated or damaged"):
        read_volume(path)


@pytest.mark.parametrize(
    ("written", "name"), [("a.nii", "b.nii.gz"), ("a.nii.gz", "b.nii"), ("a.nii.bz2", "b.nii")]
)
def test_a_name_that_says_the_wrong_compression_does_not_matter(tmp_path, written, name):
    data = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    path = save(tmp_path / written, data).rename(tmp_path / name)
    np.testing.assert_array_equal(read_volume(path).data, data.T)


def test_compressed_text_is_refused(tmp_path):
    path = tmp_path / "b.nii"
    path.write_bytes(gzip.compress(b"x" * 1000))
    with pytest.raises(ValueError, match=r"b\.nii: expected a NIfTI file"):
        read_volume(path)
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(400))
    with pytest.raises(ValueError, match="found Zstandard"):
        read_volume(path)


def test_other_formats_are_refused_by_name(tmp_path):
    image = nib.AnalyzeImage(np.ones((3, 4, 5), np.int16), np.eye(4))
    nib.save(image, tmp_path / "analyze.img")
    with pytest.raises(ValueError, match="expected a NIfTI file, found the format"):
        read_volume(tmp_path / "analyze.img")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_volume(tmp_path / "nothing.nii.gz")
    with pytest.raises(ValueError, match="found a folder"):
        read_volume(tmp_path)
