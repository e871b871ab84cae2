"""Results as DICOM: read again by ourselves and by an independent reader."""

from __future__ import annotations

import errno
import re

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from fakes.dicom import SECRETS, enhanced, oblique, save, series, voxels
from fakes.disks import little_room
from fakes.nifti import affine_with, stored
from pydicom.dataset import Dataset

from napari_metasr.cli import main
from napari_metasr.geometry.affines import affine_on
from napari_metasr.geometry.grids import AxisGrid
from napari_metasr.io import read
from napari_metasr.io.dicom.writing import check_source, write_dicom
from napari_metasr.io.opening import open_stored
from napari_metasr.io.orientation import from_canonical
from napari_metasr.normalisation import contrast_limits

GREY = np.arange(1200, dtype=np.uint16)


@pytest.fixture
def source(tmp_path):
    return open_stored(
        save(tmp_path / "in", series(voxels(dtype=np.uint16), orientation=oblique(4)))
    )


def finer(source):
    """Twice as many voxels along each axis, and where they lie."""
    volume = read(source.path)
    data = volume.data.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    return data, affine_on(volume.affine, [AxisGrid(n, 2 * n) for n in volume.data.shape[::-1]])


def test_round_trip(source, tmp_path):
    data, affine = finer(source)
    path = write_dicom(tmp_path / "out.dcm", data, affine, source, description="doubled")
    again = read(path)
    np.testing.assert_array_equal(again.data, data)
    np.testing.assert_allclose(again.affine, affine, atol=1e-6)
    assert again.source.orientation == source.source.orientation
    assert again.source.name == "MR_t1-mprage-super-resolved"


def test_as_itk_reads_it(source, tmp_path):
    data, affine = finer(source)
    path = write_dicom(tmp_path / "out.dcm", data, affine, source, description="doubled")
    image = sitk.ReadImage(str(path))
    stored, stored_affine = from_canonical(data, affine, source.file_affine)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), stored.T)
    np.testing.assert_allclose(image.GetOrigin(), stored_affine[:3, 3] * (-1, -1, 1), atol=1e-5)
    np.testing.assert_allclose(
        np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing(),
        np.diag([-1, -1, 1]) @ stored_affine[:3, :3],
        atol=1e-5,
    )


def test_it_says_what_it_is_and_belongs_to_the_study(source, tmp_path):
    data, affine = finer(source)
    path = write_dicom(tmp_path / "out.dcm", data, affine, source, description="by a network")
    found = pydicom.dcmread(path)
    assert list(found.ImageType) == ["DERIVED", "SECONDARY"]
    assert found.SOPClassUID.name == ("Multi-frame Grayscale Word Secondary Capture Image Storage")
    assert found.DerivationDescription == "by a network. For research use, not for diagnosis."
    assert found.BurnedInAnnotation == "NO"
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate"):
        assert found[keyword].value == SECRETS[keyword]
    original = pydicom.dcmread(next(source.path.iterdir()))
    assert found.FrameOfReferenceUID == original.FrameOfReferenceUID
    assert found.SeriesInstanceUID != original.SeriesInstanceUID
    assert found.SOPInstanceUID != original.SOPInstanceUID
    assert "InstitutionName" not in found


def test_it_refers_to_the_images_that_it_is_made_of(source, tmp_path):
    data, affine = finer(source)
    found = pydicom.dcmread(
        write_dicom(tmp_path / "out.dcm", data, affine, source, description="x")
    )
    originals = {pydicom.dcmread(path).SOPInstanceUID for path in source.path.iterdir()}
    assert {one.ReferencedSOPInstanceUID for one in found.SourceImageSequence} == originals
    purposes = {
        one.PurposeOfReferenceCodeSequence[0].CodeValue for one in found.SourceImageSequence
    }
    assert purposes == {"121322"}  # DICOM PS3.16, CID 7202: source image for image processing


def written(tmp_path, images):
    source = open_stored(save(tmp_path / "in", images))
    volume = read(source.path)
    path = tmp_path / "out.dcm"
    write_dicom(path, volume.data, volume.affine, source, description="x")
    return volume, pydicom.dcmread(path)


def framed(center, width):
    """A multi-frame image with a window for all frames."""
    found, window = enhanced(voxels((6, 9, 7), np.uint16)), Dataset()
    window.WindowCenter, window.WindowWidth = center, width
    found.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence = [window]
    return [found]


@pytest.mark.parametrize(
    "images",
    [
        series(voxels(dtype=np.uint16), WindowCenter=300, WindowWidth=500),
        series(voxels(dtype=np.uint16), WindowCenter=[300, 20], WindowWidth=[500, 30]),
        framed(300, 500),
    ],
)
def test_it_is_shown_as_its_source_is(tmp_path, images):
    _, found = written(tmp_path, images)
    assert (found.WindowCenter, found.WindowWidth) == (300, 500)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"WindowCenter": 300, "WindowWidth": 500, "VOILUTFunction": "SIGMOID"},
        {"WindowCenter": 300, "WindowWidth": 500, "PhotometricInterpretation": "MONOCHROME1"},
        {"WindowCenter": 300, "WindowWidth": 0},
        {"WindowCenter": 300},
    ],
)
def test_it_is_shown_as_the_viewer_would_where_the_source_says_nothing(tmp_path, header):
    volume, found = written(tmp_path, series(voxels(dtype=np.uint16), **header))
    low, high = contrast_limits(volume.data)
    half = found.WindowWidth / 2
    assert (found.WindowCenter - half, found.WindowCenter + half) == pytest.approx((low, high))


def test_what_is_lost_or_burnt_in_is_told_as_of_the_source(tmp_path):
    told = {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": 12.5,
        "LossyImageCompressionMethod": "ISO_10918_1",
        "BurnedInAnnotation": "YES",
    }
    with pytest.warns(UserWarning, match="compressed with losses"):
        _, found = written(tmp_path, series(voxels(dtype=np.uint16), **told))
    assert {keyword: found[keyword].value for keyword in told} == told


def test_coordinates_of_its_own_where_the_source_names_none(tmp_path):
    _, found = written(tmp_path, series(voxels(dtype=np.uint16), FrameOfReferenceUID=None))
    assert found.FrameOfReferenceUID.is_valid
    assert found.PositionReferenceIndicator == ""


def test_text_of_any_character_set_is_kept(tmp_path):
    name = "Yamada^Tarou=山田^太郎"
    header = {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": name}
    _, found = written(tmp_path, series(voxels(dtype=np.uint16), **header))
    assert str(found.PatientName) == name
    assert found.SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.parametrize(
    ("shape", "found"),
    [((4096, 1024, 1024), "1024 x 1024 x 4096"), ((1, 1, 70000), "70000 x 1 x 1")],
)
def test_more_than_a_file_can_count_is_refused_before_the_work(source, tmp_path, shape, found):
    with pytest.raises(ValueError, match=f"expected at most .* found {found}"):
        check_source(tmp_path / "out.dcm", source, shape)


def test_a_series_of_no_study_is_refused_before_the_work(tmp_path):
    images = series(voxels(dtype=np.uint16), StudyInstanceUID=None)
    source = open_stored(save(tmp_path / "in", images))
    with pytest.raises(ValueError, match="found one without StudyInstanceUID"):
        check_source(tmp_path / "out.dcm", source, source.spatial_shape)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.full((2, 2, 2), -1), "values of 0 to 65535 to write as DICOM, found -1 to -1"),
        (np.full((2, 2, 2), 70000), "found 70000 to 70000"),
        (np.full((2, 2, 2), np.nan), "found nan to nan"),
        (np.zeros((2, 2, 2, 2)), "expected three dimensions to write as DICOM, found 4"),
    ],
)
def test_what_it_cannot_hold_is_refused(source, tmp_path, data, message):
    with pytest.raises(ValueError, match=message):
        write_dicom(tmp_path / "out.dcm", data, np.eye(4), source, description="x")
    assert not (tmp_path / "out.dcm").exists()


@pytest.mark.parametrize(
    ("values", "header", "message"),
    [
        (np.arange(-600, 600).astype(np.int16), {}, "of 0 to 65535 to write as DICOM, found -600"),
        (GREY, {"RescaleIntercept": -1}, "found -1 to 1198"),
        (GREY, {"RescaleSlope": 1e3}, r"found 0 to 1.199e\+06"),
        (
            np.arange(1200, dtype=np.uint16),
            {"RescaleSlope": 1e-3},
            "255 whole numbers .* found 0 to 1.199",
        ),
    ],
)
def test_values_it_cannot_hold_are_refused_before_the_work(
    tmp_path, capsys, values, header, message
):
    folder = tmp_path / "in"
    folder.mkdir()
    save(folder, series(values.reshape(3, 20, 20), **header))
    arguments = ["--scale", "2", "--device", "cpu", "--output", str(tmp_path / "out.nii")]
    assert main(["upscale", str(folder), *arguments, "--dicom", str(tmp_path / "out.dcm")]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert "%" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_existing_file_stays(source, tmp_path):
    path = tmp_path / "out.dcm"
    path.write_text("mine")
    data, affine = finer(source)
    with pytest.raises(FileExistsError):
        write_dicom(path, data, affine, source, description="x")
    assert path.read_text() == "mine"
    write_dicom(path, data, affine, source, description="x", overwrite=True)
    assert open_stored(path).time_points == 1


def test_a_full_disk_is_told_in_one_line(source, tmp_path):
    data, affine = finer(source)
    path = tmp_path / "out.dcm"
    with little_room(data.size), pytest.raises(OSError, match="File too large") as caught:
        write_dicom(path, data, affine, source, description="x")
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert [one.name for one in tmp_path.iterdir()] == ["in"]


def test_upscale_writes_it_beside_the_volume(source, tmp_path, capsys):
    output, dicom = tmp_path / "out.nii.gz", tmp_path / "out.dcm"
    arguments = ["--scale", "1.5,1.5,1", "--device", "cpu", "--output", str(output)]
    assert main(["upscale", str(source.path), *arguments, "--dicom", str(dicom)]) == 0
    assert f"{dicom}: the same as DICOM, which names the patient" in capsys.readouterr().out
    as_nifti, as_dicom = read(output), read(dicom)
    np.testing.assert_array_equal(as_dicom.data, as_nifti.data)
    np.testing.assert_allclose(as_dicom.affine, as_nifti.affine, atol=1e-5)


def test_what_is_no_dicom_does_not_become_any(source, tmp_path, capsys):
    scan = stored(tmp_path / "in.nii", np.zeros((8, 8, 4), np.int16), affine_with("RAS"))
    arguments = ["--scale", "2", "--output", str(tmp_path / "out.nii")]
    assert main(["upscale", str(scan), *arguments, "--dicom", str(tmp_path / "out.dcm")]) == 2
    assert "expected a DICOM series to write as DICOM" in capsys.readouterr().err
    assert not any(tmp_path.glob("out.*"))
    (tmp_path / "there.dcm").touch()
    arguments = [str(source.path), *arguments, "--dicom", str(tmp_path / "there.dcm")]
    assert main(["upscale", *arguments]) == 2
    assert "there.dcm" in capsys.readouterr().err
    assert not any(tmp_path.glob("out.*"))


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "out.dcm: stopped; "),
        (MemoryError(), 2, "out.dcm holds the whole result; "),
    ],
)
def test_a_volume_stays_whole_when_it_does_not_become_dicom(
    source, tmp_path, monkeypatch, capsys, error, code, message
):
    def fail(*_, **__):
        raise error

    output, dicom = tmp_path / "out.nii", tmp_path / "out.dcm"
    arguments = ["--scale", "1.5,1.5,1", "--device", "cpu", "--output", str(output)]
    arguments = ["upscale", str(source.path), *arguments, "--dicom", str(dicom)]
    with monkeypatch.context() as patch:
        patch.setattr("napari_metasr.io.dicom.writing.write_dicom", fail)
        assert main(arguments) == code
    assert f"{message}{output} is complete" in capsys.readouterr().err
    assert output.exists()
    assert not dicom.exists()
    assert main([*arguments, "--resume"]) == 0
    np.testing.assert_array_equal(read(dicom).data, read(output).data)


def test_the_series_that_it_is_made_of_stays(source, tmp_path, capsys):
    path = sorted(source.path.iterdir())[0]
    before = path.read_bytes()
    arguments = ["--scale", "1.5", "--output", str(tmp_path / "out.nii"), "--overwrite"]
    assert main(["upscale", str(source.path), *arguments, "--dicom", str(path)]) == 2
    assert "would replace the input" in capsys.readouterr().err
    assert path.read_bytes() == before
