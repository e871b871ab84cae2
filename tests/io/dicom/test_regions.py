"""Regions written as DICOM-SEG and RTSTRUCT, read by pydicom and placed by SimpleITK."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from fakes.dicom import AXIAL, SECRETS, enhanced, oblique, save, series, voxels
from fakes.disks import little_room
from matplotlib.path import Path as Polygon
from pydicom import dcmread

from napari_metasr.files import InputReplacedError
from napari_metasr.io.dicom.regions import Region
from napari_metasr.io.dicom.segmentation import write_seg
from napari_metasr.io.dicom.structures import write_rtstruct
from napari_metasr.io.dicom.volume import DicomVolume

SHAPE = (9, 16, 14)
"""Slices, rows, columns."""


@pytest.fixture(params=["axial", "oblique", "coronal"])
def folder(request, tmp_path):
    orientation = {
        "axial": AXIAL,
        "oblique": oblique(),
        "coronal": (1.0, 0.0, 0.0, 0.0, 0.0, -1.0),
    }[request.param]
    return save(tmp_path / "series", series(voxels(SHAPE), orientation=orientation))


def regions(source, rng):
    """A ring with a hole that touches an edge, single voxels, and a part that is not connected."""
    noise = rng.random(source.spatial_shape)
    ring = np.zeros(source.spatial_shape, bool)
    z, y, x = (size // 2 for size in ring.shape)
    ring[z - 1 : z + 2, y - 3 : y + 4, : x + 3] = True
    ring[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2] = False
    ring[:, y, x] = False
    block = np.zeros_like(ring)
    block[: z - 1, 1:4, 2:6] = block[-1, -2:, -3:] = True
    return [
        Region("Lesion 1", ring, "LD"),
        Region("Lesion 2", noise > 0.9, "LD"),
        Region("Label 3", block, is_lesion=False),
    ]


def placed(folder):
    """The series as SimpleITK reads it."""
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    return sitk.ReadImage(names)


def expected(region, source, image):
    """Voxels of a region in SimpleITK's image."""
    zyx = np.argwhere(region.mask)
    world = source.affine @ np.c_[zyx[:, ::-1], np.ones(len(zyx))].T
    points = (np.diag([-1, -1, 1]) @ world[:3]).T
    return {image.TransformPhysicalPointToIndex(tuple(map(float, point))) for point in points}


def segments(path, image):
    """Voxels of each segment in SimpleITK's image, by its number, from the frames' own places."""
    dataset = dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    spacing = [float(size) for size in shared.PixelMeasuresSequence[0].PixelSpacing]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    found = {}
    for pixels, about in zip(frames, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        named = about if "SegmentIdentificationSequence" in about else shared
        number = named.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        start = np.array(about.PlanePositionSequence[0].ImagePositionPatient, float)
        for row, column in np.argwhere(pixels):
            point = start + column * spacing[1] * cosines[:3] + row * spacing[0] * cosines[3:]
            index = image.TransformPhysicalPointToIndex(tuple(map(float, point)))
            found.setdefault(int(number), set()).add(index)
    return found


def enclosed(path, image):
    """Voxels whose centres each structure's contours enclose, by exclusive or."""
    columns, rows, _ = image.GetSize()
    centres = np.stack(np.meshgrid(np.arange(columns), np.arange(rows), indexing="ij"), -1)
    found = {}
    for structure in dcmread(path).ROIContourSequence:
        inside = {}
        for contour in structure.ContourSequence:
            points = np.array(contour.ContourData, float).reshape(-1, 3)
            assert len(points) == contour.NumberOfContourPoints
            places = np.array(
                [image.TransformPhysicalPointToContinuousIndex(tuple(point)) for point in points]
            )
            depth = round(float(places[:, 2].mean()))
            np.testing.assert_allclose(places[:, 2], depth, atol=1e-3)
            polygon = Polygon(places[:, :2]).contains_points(centres.reshape(-1, 2))
            inside[depth] = inside.get(depth, False) ^ polygon.reshape(columns, rows)
        found[int(structure.ReferencedROINumber)] = {
            (int(column), int(row), depth)
            for depth, mask in inside.items()
            for column, row in np.argwhere(mask)
        }
    return found


def test_segments_are_the_voxels_of_the_regions(folder, tmp_path, rng):
    source = DicomVolume.open(folder)
    wanted = regions(source, rng)
    path = write_seg(tmp_path / "seg.dcm", wanted, source)
    image = placed(folder)
    found = segments(path, image)
    for number, region in enumerate(wanted, start=1):
        assert found[number] == expected(region, source, image)
    dataset = dcmread(path)
    assert dataset.SOPClassUID.name == "Segmentation Storage"
    assert [one.SegmentLabel for one in dataset.SegmentSequence] == [one.name for one in wanted]
    kinds = [one.SegmentAlgorithmType for one in dataset.SegmentSequence]
    assert kinds == ["AUTOMATIC", "AUTOMATIC", "MANUAL"]


def test_contours_enclose_the_voxels_of_the_regions(folder, tmp_path, rng):
    source = DicomVolume.open(folder)
    wanted = regions(source, rng)
    path = write_rtstruct(tmp_path / "structures.dcm", wanted, source)
    image = placed(folder)
    found = enclosed(path, image)
    for number, region in enumerate(wanted, start=1):
        assert found[number] == expected(region, source, image)
    dataset = dcmread(path)
    assert [one.ROIName for one in dataset.StructureSetROISequence] == [one.name for one in wanted]
    ring, _, block = (
        one.ContourSequence[0].ContourGeometricType for one in dataset.ROIContourSequence
    )
    assert block == "CLOSED_PLANAR"
    has_hole = source.series.orientation[2] == "S"  # the ring lies in axial slices
    assert ring == ("CLOSEDPLANAR_XOR" if has_hole else "CLOSED_PLANAR")


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
def test_files_lie_in_the_study_and_refer_to_the_images(tmp_path, rng, write):
    images = series(voxels(SHAPE))
    folder = save(tmp_path / "series", images)
    source = DicomVolume.open(folder)
    dataset = dcmread(write(tmp_path / "out.dcm", regions(source, rng), source))
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID"):
        assert str(dataset[keyword].value) == SECRETS[keyword]
    assert dataset.SeriesInstanceUID != images[0].SeriesInstanceUID
    assert "Research use, not for diagnosis" in dataset.SeriesDescription
    assert len(dataset.SeriesDescription) <= 64
    text = str(dataset)
    assert all(image.SOPInstanceUID in text for image in images)
    assert images[0].FrameOfReferenceUID in text
    assert images[0].SeriesInstanceUID in text


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
def test_a_multi_frame_series_has_regions_too(tmp_path, rng, write):
    folder = save(tmp_path / "series", [enhanced(voxels(SHAPE), orientation=oblique())])
    source = DicomVolume.open(folder)
    wanted = regions(source, rng)[2:]
    path = write(tmp_path / "out.dcm", wanted, source)
    data = np.zeros(source.file_shape[::-1], np.uint8)
    image = sitk.GetImageFromArray(data)
    affine = np.diag([-1, -1, 1, 1]) @ source.file_affine
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing([float(step) for step in steps])
    image.SetOrigin([float(place) for place in affine[:3, 3]])
    image.SetDirection((affine[:3, :3] / steps).ravel().tolist())
    read = segments if write is write_seg else enclosed
    assert read(path, image) == {1: expected(wanted[0], source, image)}
    numbers = [one for one in dcmread(path).iterall() if one.VR == "DS" and one.VM]
    lengths = [len(str(it)) for one in numbers for it in (one.value if one.VM > 1 else [one.value])]
    assert max(lengths) <= 16  # of a decimal string (DICOM PS3.5, 6.2)


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path, rng, write):
    folder = save(tmp_path / "series", series(voxels(SHAPE)))
    source = DicomVolume.open(folder)
    wanted = regions(source, rng)
    path = tmp_path / "out.dcm"
    for given, message in (
        ([], "expected regions to write as DICOM, found none"),
        ([Region("Lesion 9", np.zeros(source.spatial_shape, bool))], "a voxel in Lesion 9"),
        ([Region("Lesion 9", np.ones((2, 3, 4), bool))], "expected a region of"),
    ):
        with pytest.raises(ValueError, match=message):
            write(path, given, source)
    with pytest.raises(ValueError, match=r"ends in \.dcm"):
        write(tmp_path / "out.nii", wanted, source)
    with pytest.raises(InputReplacedError, match="would replace the input"):
        write(source.files[0], wanted, source, overwrite=True)
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write(path, wanted, source)
    assert path.read_bytes() == b"mine"
    bare = save(tmp_path / "bare", series(voxels(SHAPE), FrameOfReferenceUID=None))
    images = series(voxels(SHAPE))
    for number, one in enumerate(images):
        one.FrameOfReferenceUID = f"1.2.{number}"
    odd = save(tmp_path / "odd", images)
    for other, count in ((bare, "none"), (odd, str(len(images)))):
        with pytest.raises(ValueError, match=f"one frame of reference .* found {count}"):
            write(tmp_path / "new.dcm", wanted, DicomVolume.open(other))
    assert not (tmp_path / "new.dcm").exists()


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
def test_an_anonymous_series_has_regions_too(tmp_path, rng, write):
    bare = dict.fromkeys(("PatientName", "PatientBirthDate", "StudyTime", "AccessionNumber"))
    folder = save(tmp_path / "series", series(voxels(SHAPE), **bare))
    source = DicomVolume.open(folder)
    dataset = dcmread(write(tmp_path / "out.dcm", regions(source, rng), source))
    assert (str(dataset.PatientName), dataset.PatientBirthDate) == ("", "")


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
@pytest.mark.parametrize(
    "header",
    [
        {"SpecificCharacterSet": "ISO_IR 100", "PatientName": "Müller^Jörg"},
        {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": "Yamada^Tarou=山田^太郎"},
        {},
    ],
)
def test_names_are_kept_in_every_character_set(tmp_path, write, header):
    folder = save(tmp_path / "series", series(voxels(SHAPE), **header))
    source = DicomVolume.open(folder)
    mask = np.ones(source.spatial_shape, bool)
    dataset = dcmread(write(tmp_path / "out.dcm", [Region("Läsion ×2 病变", mask)], source))
    assert dataset.SpecificCharacterSet == "ISO_IR 192"
    assert str(dataset.PatientName) == header.get("PatientName", SECRETS["PatientName"])
    [found] = dataset.get("SegmentSequence") or dataset.StructureSetROISequence
    assert found.get("SegmentLabel", found.get("ROIName")) == "Läsion ×2 病变"


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
def test_regions_of_files_without_a_preamble(tmp_path, rng, write):
    folder = tmp_path / "series"
    folder.mkdir()
    for number, one in enumerate(series(voxels(SHAPE))):
        del one.file_meta
        one.save_as(folder / str(number), implicit_vr=True, little_endian=True)
    source = DicomVolume.open(folder)
    dataset = dcmread(write(tmp_path / "out.dcm", regions(source, rng), source))
    assert dataset.PatientID == SECRETS["PatientID"]


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
def test_regions_of_slices_whose_orientation_was_rounded(tmp_path, rng, write):
    images = series(voxels(SHAPE), orientation=oblique())
    for number, one in enumerate(images):
        one.ImageOrientationPatient = np.round(one.ImageOrientationPatient, 4 + number % 2).tolist()
    source = DicomVolume.open(save(tmp_path / "series", images))
    wanted = regions(source, rng)
    path = write(tmp_path / "out.dcm", wanted, source)
    read = segments if write is write_seg else enclosed
    assert read(path, placed(tmp_path / "series"))[1] == expected(
        wanted[0], source, placed(tmp_path / "series")
    )


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SOPClassUID", "SOPInstanceUID"])
def test_a_series_that_nothing_can_refer_to_is_refused(tmp_path, rng, write, keyword):
    folder = tmp_path / "series"
    folder.mkdir()
    for number, one in enumerate(series(voxels(SHAPE))):
        delattr(one, keyword)
        one.save_as(folder / f"{number}.dcm")
    source = DicomVolume.open(folder)
    with pytest.raises(ValueError, match=f"out.dcm: expected a series .* without {keyword}"):
        write(tmp_path / "out.dcm", regions(source, rng), source)
    assert not (tmp_path / "out.dcm").exists()


@pytest.mark.parametrize("write", [write_seg, write_rtstruct])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_full_disk_is_told_in_one_line(tmp_path, rng, write, share):
    source = DicomVolume.open(save(tmp_path / "series", series(voxels(SHAPE))))
    wanted = regions(source, rng)
    size = write(tmp_path / "whole.dcm", wanted, source).stat().st_size
    path = tmp_path / "out.dcm"
    with little_room(int(share * size)), pytest.raises(OSError, match="File too large") as caught:
        write(path, wanted, source)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert {one.name for one in tmp_path.iterdir()} == {"series", "whole.dcm"}


def test_contours_of_any_length_are_read_again(tmp_path):
    folder = save(tmp_path / "series", series(voxels((2, 400, 400))))
    source = DicomVolume.open(folder)
    y, x = np.mgrid[-200:200, -200:200]
    star = np.hypot(x, y) < 150 + 45 * np.sin(40 * np.arctan2(y, x))
    mask = np.broadcast_to(star, source.spatial_shape)
    path = write_rtstruct(tmp_path / "out.dcm", [Region("Lesion 1", mask)], source)
    [structure] = dcmread(path).ROIContourSequence
    longest = max(one.NumberOfContourPoints for one in structure.ContourSequence)
    assert 3 * longest * 10 > 1 << 16  # bytes of decimal strings
    assert enclosed(path, placed(folder))[1] == expected(
        Region("Lesion 1", mask), source, placed(folder)
    )
