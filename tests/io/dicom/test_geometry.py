"""Where DICOM voxels lie, and which stacks of slices are none."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from fakes.dicom import enhanced, oblique, save, series, voxels

from napari_metasr.io import read
from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.opening import open_stored
from napari_metasr.io.orientation import from_canonical


def read_by_itk(files):
    """Voxels (slices, rows, columns) and the affine in RAS, as an independent reader has them."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image), np.diag([-1, -1, 1, 1]) @ affine


def assert_as_itk_has_it(folder):
    volume = read(folder)
    stored, affine = from_canonical(volume.data, volume.affine, volume.source.affine)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    expected, expected_affine = read_by_itk(names)
    np.testing.assert_array_equal(stored.T, expected)
    np.testing.assert_allclose(affine, expected_affine, atol=1e-5)
    np.testing.assert_allclose(volume.source.affine, expected_affine, atol=1e-5)


def refusal_of(folder):
    [found] = find_series(folder).series
    return found.refusal


@pytest.mark.parametrize("seed", range(4))
def test_oblique_unsorted_series_as_itk_reads_them(tmp_path, seed):
    pixel_spacing = [(0.8, 0.6), (1, 1), (0.5, 0.9), (0.4, 0.4)][seed]
    data = voxels((6, 9, 7), seed=seed)
    save(tmp_path, series(data, orientation=oblique(seed), pixel_spacing=pixel_spacing), seed=seed)
    assert_as_itk_has_it(tmp_path)


def test_real_series_as_itk_reads_it(shared_data):
    folder = shared_data / "dicom" / "studyforrest_t1"
    if not folder.is_dir():
        pytest.skip(f"needs the real series of {folder}, which is not here")
    assert_as_itk_has_it(folder)
    stored = open_stored(folder)
    assert stored.file_shape == (274, 384, 40)
    assert stored.dtype == np.int16
    assert stored.spacing == pytest.approx((0.6667, 0.6667, 0.7), abs=1e-4)


def test_each_voxel_is_where_its_header_says(tmp_path):
    """C.7.6.2.1.1: position + row cosine x column spacing x column + ..."""
    orientation, data = oblique(7), voxels()
    images = series(data, orientation=orientation, pixel_spacing=(0.8, 0.6), step=2.5)
    volume = open_stored(save(tmp_path, images))
    row, column = np.reshape(orientation, (2, 3))
    for j, i, image in itertools.product((0, 6), (0, 5), images):
        lps = np.array(image.ImagePositionPatient) + row * 0.6 * i + column * 0.8 * j
        k = image.InstanceNumber - 1
        found = nib.affines.apply_affine(volume.file_affine, (i, j, k))
        np.testing.assert_allclose(found, lps * (-1, -1, 1), atol=1e-9)


def test_canonical_parts_make_up_the_volume(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_metasr.io.dicom.volume.READ_BYTES", 2 * 7 * 6 * 2)
    data = voxels()
    sagittal = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    stored = open_stored(save(tmp_path, series(data, orientation=sagittal)))
    whole = np.full(stored.shape, -9999, stored.dtype)
    sizes = []
    for place, block in stored.blocks():
        whole[place] = block
        sizes.append(block.size // (7 * 6))
    assert sizes == [2, 2, 1]
    # rows run down, columns back, slices to the right or left
    expected, _ = nib_canonical(data, stored.file_affine)
    np.testing.assert_array_equal(whole[0], expected)
    assert stored.shape == (1, 7, 6, 5)


def nib_canonical(data, affine):
    image = nib.as_closest_canonical(nib.Nifti1Image(data.T, affine))
    return np.asarray(image.dataobj).T, image.affine


def test_written_with_the_scanner_s_codes(tmp_path):
    from napari_metasr.io import write_volume

    volume = read(save(tmp_path / "in", series(voxels(), orientation=oblique(2))))
    path = write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    image = nib.load(path)
    np.testing.assert_allclose(image.affine, volume.source.affine, atol=1e-5)
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 1
    assert image.header.get_xyzt_units()[0] == "mm"
    assert image.get_data_dtype() == np.int16


def test_multi_frame_is_the_same_as_single_files(tmp_path):
    data, orientation = voxels(), oblique(5)
    single = open_stored(save(tmp_path / "single", series(data, orientation=orientation)))
    multi = open_stored(save(tmp_path / "multi", [enhanced(data, orientation=orientation)]))
    np.testing.assert_allclose(multi.file_affine, single.file_affine, atol=1e-9)
    assert multi.sha256() == single.sha256()
    for (place, block), (other_place, other) in zip(multi.blocks(), single.blocks(), strict=True):
        assert place == other_place
        np.testing.assert_array_equal(block, other)


def test_multi_frame_without_places_is_refused(tmp_path):
    image = enhanced(voxels())
    del image.PerFrameFunctionalGroupsSequence
    assert "found frames without one" in refusal_of(save(tmp_path, [image]))


def test_one_image_is_a_volume_of_one_slice(tmp_path):
    stored = open_stored(save(tmp_path, series(voxels((1, 7, 6)), step=3)))
    assert stored.file_shape == (6, 7, 1)
    assert stored.spacing == pytest.approx((3, 0.8, 0.6))


def test_missing_thickness_matters_to_a_single_slice_alone(tmp_path):
    save(tmp_path / "stack", series(voxels(), SliceThickness=None))
    assert open_stored(tmp_path / "stack").spacing[0] == pytest.approx(2.5)
    save(tmp_path / "slice", series(voxels((1, 7, 6)), SliceThickness=None))
    stored = open_stored(tmp_path / "slice")
    assert "taken for 1 mm" in stored.source.concerns[0]
    assert stored.spacing[0] == 1


def test_missing_slices_are_refused_by_their_numbers(tmp_path):
    images = series(voxels((9, 7, 6)))
    del images[6], images[2]
    message = refusal_of(save(tmp_path, images))
    assert message == (
        "expected 9 slices 2.5 mm apart, found 2 of them missing: numbers 3, 7, counted from the "
        "inferior end"
    )
    with pytest.raises(ValueError, match=r"series 3: MR t1 mprage: expected 9 slices"):
        open_stored(tmp_path)


@pytest.mark.parametrize(("angle", "told"), [(12.0, "12"), (0.8, "0.8")])
def test_gantry_tilt_is_refused_with_its_angle(tmp_path, angle, told):
    tilt = np.radians(angle)
    direction = np.array([0, np.tan(tilt), 1])
    images = series(voxels((12, 7, 6)), direction=direction)
    assert f"sheared by {told} degrees (gantry tilt)" in refusal_of(save(tmp_path, images))


def test_spacing_that_is_not_even_is_refused(tmp_path):
    images = series(voxels((6, 7, 6)), places=[0, 2, 4.4, 6.1, 8.9, 10])
    assert refusal_of(save(tmp_path, images)) == (
        "expected evenly spaced slices, found them 1.1 to 2.8 mm apart, one of them 0.9 mm away "
        "from its place"
    )


def test_spacing_that_drifts_is_refused(tmp_path):
    """No step is far from the mean, but the middle slices are."""
    places = np.cumsum([0] + [1.96] * 10 + [2.04] * 10)
    assert "evenly spaced" in refusal_of(save(tmp_path, series(voxels((21, 7, 6)), places=places)))


def test_rounded_positions_are_no_offence(tmp_path):
    places = [round(number * 2 / 3, 2) for number in range(12)]
    stored = open_stored(save(tmp_path, series(voxels((12, 7, 6)), places=places)))
    assert stored.spacing[0] == pytest.approx(2 / 3, abs=1e-3)


def test_slices_beside_each_other_are_refused(tmp_path):
    images = series(voxels())
    images[2].ImagePositionPatient[0] += 3
    assert "shifted sideways" in refusal_of(save(tmp_path / "shifted", images))
    images = series(voxels(), places=[0, 0, 2, 2, 4])
    for image in images[::2]:
        image.ImagePositionPatient[0] += 50
    assert "side by side" in refusal_of(save(tmp_path / "tiles", images))


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"ImagePositionPatient": None}, "a place in the patient for each image, found none"),
        ({"ImageOrientationPatient": None}, "a place in the patient"),
        ({"PixelSpacing": None}, "a place in the patient"),
        ({"ImageOrientationPatient": [1, 0, 0, 0.5, 0.5, 0]}, "at right angles"),
        ({"PixelSpacing": [0, 0]}, "a pixel spacing in mm, found none"),
    ],
)
def test_geometry_that_is_none(tmp_path, elements, message):
    assert message in refusal_of(save(tmp_path, series(voxels(), **elements)))
