"""Headers that are wrong: what other programs read is read, and said; the rest is refused."""

from __future__ import annotations

import gzip
import warnings

import nibabel as nib
import numpy as np
import pytest

from napari_metasr.io import read_volume, write_volume
from napari_metasr.io.stored import StoredVolume

DATA = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
AFFINE = np.array([[-0.9, 0, 0, 30], [0, 1.1, 0, -20], [0, 0, 2, 5], [0, 0, 0, 1.0]])


def stored(path, affine=AFFINE, **fields):
    """A file whose header holds these fields, right or wrong."""
    image = nib.Nifti1Image(DATA, affine)
    image.header.set_xyzt_units("mm", "sec")
    content = bytearray(image.to_bytes())
    header = np.ndarray((), nib.nifti1.header_dtype, content)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(content)
    return path


def quietly(path):
    """What a file holds, and what is said of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        volume = read_volume(path)
    assert [f"{path.name}: {concern}" for concern in volume.source.concerns] == [
        str(one.message) for one in caught
    ]
    return volume


@pytest.mark.parametrize(
    ("code", "spacing", "time"),
    [
        (4, (2, 1.1, 0.9), "unknown"),
        (7, (2, 1.1, 0.9), "unknown"),
        (58, (2, 1.1, 0.9), "unknown"),
        (130, (2, 1.1, 0.9), "unknown"),
        (0x80 + 8 + 3, (2e-3, 1.1e-3, 0.9e-3), "sec"),
    ],
)
def test_undefined_units_are_mm_and_are_said(tmp_path, code, spacing, time):
    volume = quietly(stored(tmp_path / "a.nii", xyzt_units=code))
    assert volume.spacing == pytest.approx(spacing)
    assert volume.source.header.get_xyzt_units()[1] == time
    assert [f"unit code {code} is not defined" in one for one in volume.source.concerns] == [True]


@pytest.mark.parametrize("code", [6, 99])
def test_an_undefined_code_of_a_transform_does_not_move_the_image(tmp_path, code):
    volume = quietly(stored(tmp_path / "a.nii", sform_code=code, qform_code=0))
    np.testing.assert_allclose(volume.source.affine, AFFINE, rtol=1e-6)
    assert volume.source.is_oriented
    assert volume.source.concerns == (
        f"the header's sform_code {code} is not defined: 2 is assumed",
    )


def test_defined_codes_are_kept_without_a_word(tmp_path):
    for code in (1, 2, 3, 4, 5):
        volume = quietly(stored(tmp_path / f"{code}.nii", sform_code=code))
        assert volume.source.concerns == ()
        path = write_volume(tmp_path / f"out{code}.nii", volume.data, volume.affine, volume.source)
        assert int(nib.load(path).header["sform_code"]) == code


def test_a_quaternion_a_rounding_error_too_long_is_read(tmp_path):
    half = np.float32(np.sqrt(0.5) * (1 + 2e-6))
    turned = {"quatern_b": half, "quatern_c": half, "quatern_d": 0, "qoffset_x": 7}
    path = stored(tmp_path / "a.nii", sform_code=0, qform_code=1, **turned)
    with pytest.raises(ValueError, match="w2 should be positive"):
        nib.load(path)
    volume = quietly(path)
    assert volume.source.concerns == ()
    expected = np.array([[0, 1.1, 0], [0.9, 0, 0], [0, 0, -2]])
    flip = np.sign(nib.Nifti1Header(path.read_bytes()[:348], check=False)["pixdim"][0])
    np.testing.assert_allclose(volume.source.affine[:3, :3], expected * [1, 1, flip], atol=1e-5)


def test_a_slope_with_an_intercept_that_is_no_number_scales(tmp_path):
    volume = quietly(stored(tmp_path / "a.nii", scl_slope=0.5, scl_inter=np.nan))
    np.testing.assert_array_equal(volume.data.T, DATA[::-1] * 0.5)
    volume = quietly(stored(tmp_path / "b.nii", scl_slope=np.nan, scl_inter=3))
    np.testing.assert_array_equal(volume.data.T, DATA[::-1])


@pytest.mark.parametrize("offset", [-5, 0, 16])
def test_voxels_do_not_begin_within_the_header(tmp_path, offset):
    volume = quietly(stored(tmp_path / "a.nii", vox_offset=offset))
    np.testing.assert_array_equal(volume.data.T, DATA[::-1])


def test_no_orientation_is_said_and_stays_none(tmp_path):
    path = stored(tmp_path / "a.nii", sform_code=0, qform_code=0)
    volume = quietly(path)
    assert not volume.source.is_oriented
    assert "no orientation" in volume.source.concerns[0]
    header = nib.load(
        write_volume(tmp_path / "b.nii", volume.data, volume.affine, volume.source)
    ).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    again = quietly(tmp_path / "b.nii")
    np.testing.assert_allclose(again.affine, volume.affine, atol=1e-6)
    assert not again.source.is_oriented


def test_sizes_that_are_no_sizes_count_as_one(tmp_path):
    path = stored(tmp_path / "a.nii", sform_code=0, pixdim=[1, 0, -2, np.nan, np.nan, 0, 0, 0])
    assert quietly(path).spacing == pytest.approx((1, 2, 1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vox_offset": np.inf}, "offset inf"),
        ({"vox_offset": np.nan}, "offset nan"),
        ({"vox_offset": 1e12}, "cannot hold"),
        ({"datatype": 77}, "found code 77"),
        ({"dim": [9, 3, 4, 5, 1, 1, 1, 1]}, "found shape"),
        ({"dim": [3, 30000, 30000, 30000, 1, 1, 1, 1], "datatype": 64}, "cannot hold"),
        ({"dim": [3, 3, -4, 5, 1, 1, 1, 1]}, "found shape"),
        ({"intent_code": 1007}, "found vectors"),
        ({"intent_code": 1006}, "found a displacement field"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_cannot_be_read_is_refused_before_anything_is_allocated(
    tmp_path, fields, message, packed
):
    path = stored(tmp_path / "a.nii", **fields)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    for opened in (read_volume, StoredVolume.open):
        with pytest.raises(ValueError, match=message) as caught:
            opened(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_header_of_nifti_2_with_far_too_large_sides_is_refused(tmp_path):
    image = nib.Nifti2Image(DATA, AFFINE)
    content = bytearray(image.to_bytes())
    np.ndarray((), nib.nifti2.header_dtype, content)["dim"] = [3, *3 * [2**62], *4 * [1]]
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot hold"):
        StoredVolume.open(path)


def test_a_small_file_of_many_voxels_is_read_all_the_same(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((200, 200, 100), np.float32), AFFINE), tmp_path / "a.nii.gz")
    assert (tmp_path / "a.nii.gz").stat().st_size < 100_000
    assert not read_volume(tmp_path / "a.nii.gz").data.any()


def test_far_more_than_voxels_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_metasr.io.body.MOST_REST_BYTES", 1000)
    path = stored(tmp_path / "a.nii")
    path.write_bytes(path.read_bytes() + bytes(900))
    np.testing.assert_array_equal(read_volume(path).data, DATA[::-1].T)
    path.write_bytes(path.read_bytes() + bytes(900))
    with pytest.raises(ValueError, match="behind the voxels"):
        read_volume(path)


def test_more_than_the_memory_holds_is_refused(tmp_path, monkeypatch):
    class Little:
        available = 100

    monkeypatch.setattr("psutil.virtual_memory", lambda: Little)
    with pytest.raises(ValueError, match="fits into memory"):
        read_volume(stored(tmp_path / "a.nii"))


def test_an_sform_of_no_use_gives_way_to_the_qform(tmp_path):
    nothing = {f"srow_{axis}": (0, 0, 0, 0) for axis in "xyz"}
    qform = {"qform_code": 1, "sform_code": 1}
    volume = quietly(stored(tmp_path / "a.nii", **nothing, **qform))
    expected = nib.as_closest_canonical(nib.load(stored(tmp_path / "b.nii", qform_code=1)))
    np.testing.assert_allclose(volume.affine, expected.affine, atol=1e-5)
    assert volume.source.concerns == ("the header's sform is singular: the qform is used",)
    assert volume.source.is_oriented
    with pytest.raises(ValueError, match="voxel sizes"):
        read_volume(stored(tmp_path / "a.nii", **nothing, qform_code=0, sform_code=1))


@pytest.mark.parametrize("qform", [0, 1])
def test_two_voxel_sizes_are_a_concern(tmp_path, qform):
    path = stored(tmp_path / "a.nii", pixdim=(-1, 3, 1.1, 2, 0, 0, 0, 0), qform_code=qform)
    volume = quietly(path)
    assert volume.spacing == pytest.approx((2, 1.1, 0.9))
    (concern,) = volume.source.concerns
    assert "measure 3 x 1.1 x 2 by pixdim and 0.9 x 1.1 x 2 by its sform, which is" in concern


@pytest.mark.parametrize("size", [0, np.nan, 0.901])
def test_sizes_that_are_missing_or_rounded_contradict_nothing(tmp_path, size):
    path = stored(tmp_path / "a.nii", pixdim=(-1, size, 1.1, 2, 0, 0, 0, 0))
    assert not quietly(path).source.concerns


def test_a_map_of_cifti_is_no_volume(tmp_path):
    image = nib.Nifti2Image(np.zeros((1, 1, 1, 1, 1, 91), np.float32), None)
    image.header.set_intent(3006, allow_unknown=True)
    nib.save(image, tmp_path / "a.dscalar.nii")
    with pytest.raises(ValueError, match="found a matrix of CIFTI"):
        read_volume(tmp_path / "a.dscalar.nii")


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64"])
def test_large_whole_numbers_are_scaled_without_loss(tmp_path, dtype):
    data = 2**24 + np.arange(60).reshape(3, 4, 5).astype(dtype)
    image = nib.Nifti1Image(data, AFFINE, dtype=dtype)
    image.header.set_slope_inter(1, -(2**24))
    nib.save(image, tmp_path / "a.nii")
    expected = np.asanyarray(nib.as_closest_canonical(nib.load(tmp_path / "a.nii")).dataobj)
    found = read_volume(tmp_path / "a.nii").data
    np.testing.assert_array_equal(found, expected.T)
    assert found.dtype == np.float32
    assert len(np.unique(found)) == 60
