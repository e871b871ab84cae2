"""What archives, discs and anonymisers make of DICOM files: read, passed over, or said."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

import numpy as np
import pytest
from fakes.dicom import image, save, series, voxels
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    generate_uid,
)

from napari_metasr.cli import main
from napari_metasr.io import read
from napari_metasr.io.dicom import files, pixel_format
from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.dicom.recognition import is_dicom
from napari_metasr.io.opening import open_stored


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "in", series(voxels()))


def same_voxels(folder, other) -> bool:
    return open_stored(folder).sha256() == open_stored(other).sha256()


def test_the_index_of_a_disc_is_no_damaged_image(tmp_path):
    disc = save(tmp_path / "disc", series(voxels()))
    index = Dataset()
    index.FileSetID, index.DirectoryRecordSequence = "DISC", []
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    index.save_as(disc / "INDEX", enforce_file_format=True)
    (disc / "INDEX").rename(disc / "DICOMDIR")
    for path in (disc, disc / "DICOMDIR"):
        found = find_series(path)
        assert found.left_out == (
            "1 DICOM file without an image (Media Storage Directory Storage)",
        )
        assert open_stored(path).source.concerns == ()
        assert open_stored(path).file_shape == (6, 7, 5)


def test_archives_in_a_folder_are_told(tmp_path, folder):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for name in ("one.zip", "TWO.ZIP"):
        with zipfile.ZipFile(downloads / name, "w") as archive:
            for path in folder.iterdir():
                archive.write(path, path.name)
    (downloads / "notes.txt").write_text("text")
    told = "2 .zip files (each is read where it is named)"
    assert find_series(downloads).left_out == (told, "1 file of other kinds")
    with pytest.raises(ValueError, match=r"found none \(2 \.zip files \(each is read where it is"):
        open_stored(downloads)
    assert same_voxels(downloads / "one.zip", folder)


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("preamble", [b"", bytes(128) + b"DICM"])
def test_files_without_preamble_or_transfer_syntax(tmp_path, folder, implicit, preamble):
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in folder.iterdir():
        plain, content = Dataset(), BytesIO()
        plain.update({element.tag: element for element in dcmread(path)})
        dcmwrite(
            content, plain, implicit_vr=implicit, little_endian=True, enforce_file_format=False
        )
        (bare / path.name).write_bytes(preamble + content.getvalue())
    assert is_dicom(bare)
    assert same_voxels(bare, folder)
    np.testing.assert_array_equal(read(bare).data, read(folder).data)


def test_text_is_no_dicom(tmp_path):
    for number, content in enumerate((b"x" * 500, b"\x08\x00\x05\x00" + b"\xff" * 500, b"\x08\0")):
        (tmp_path / str(number)).write_bytes(content)
    assert not is_dicom(tmp_path)


def test_images_without_a_series_are_told_apart_by_study_and_number(tmp_path):
    one = series(voxels(), SeriesNumber=3)
    other = series(voxels(seed=1), SeriesNumber=4)
    for part in (*one, *other):
        del part.SeriesInstanceUID
    found = find_series(save(tmp_path, [*one, *other]))
    assert [(part.number, part.slices) for part in found.readable] == [("3", 5), ("4", 5)]


def with_raw(path, old, new):
    """Write other bytes of the same element."""
    content = path.read_bytes()
    place = content.index(old)
    length = int.from_bytes(content[place + 6 : place + 8], "little")
    rest = content[place + 8 + length :]
    path.write_bytes(content[:place] + old + len(new).to_bytes(2, "little") + new + rest)


@pytest.mark.parametrize("value", [b"n/a ", b"2,0 ", b"nan ", b"1e999 "])
@pytest.mark.parametrize(
    ("tag", "name"),
    [(b"\x18\x00\x50\x00DS", "SliceThickness"), (b"\x20\x00\x11\x00IS", "SeriesNumber")],
)
def test_a_number_that_is_none_is_not_given(folder, tag, name, value):
    expected = open_stored(folder).file_affine
    for path in folder.iterdir():
        with_raw(path, tag, value)
    [found] = find_series(folder).series
    assert (found.slices, found.refusal) == (5, None)
    np.testing.assert_array_equal(open_stored(folder).file_affine, expected)
    told = " ".join(open_stored(folder).source.concerns)
    assert (name in told) == (name == "SliceThickness")


def test_a_position_that_is_none_is_missing(folder):
    path = sorted(folder.iterdir())[0]
    with_raw(path, b"\x20\x00\x32\x00DS", b"0\\0\\n/a ")
    refusals = [part.refusal or "" for part in find_series(folder).series]
    assert any("expected a place in the patient" in one for one in refusals)


def test_links_that_lead_nowhere_are_not_passed_over_in_silence(folder, tmp_path, capsys):
    sorted(folder.iterdir())[-1].rename(tmp_path / "gone")
    (folder / "Mustermann_link").symlink_to(tmp_path / "elsewhere")
    arguments = ["--scale", "2", "--output", str(tmp_path / "out.nii")]
    assert main(["upscale", str(folder), *arguments]) == 2
    error = capsys.readouterr().err
    assert "found 1 link to files that are not there: slices would be missing" in error
    assert "Mustermann" not in error
    assert find_series(folder).left_out == ("1 link to files that are not there",)


def test_one_slice_out_of_its_place_is_told_in_mm(tmp_path):
    places = [0, 2.5, 5.4, 7.5, 10]
    [found] = find_series(save(tmp_path, series(voxels(), places=places))).series
    assert found.refusal == (
        "expected evenly spaced slices, found them 2.1 to 2.9 mm apart, one of them 0.4 mm away "
        "from its place"
    )


def test_a_drift_that_misses_no_slice_is_not_told_as_missing_ones(tmp_path):
    places = [0, 2.6, 5.2, 7.5, 10]
    [found] = find_series(save(tmp_path, series(voxels(), places=places))).series
    assert found.refusal == (
        "expected evenly spaced slices, found them 2.3 to 2.6 mm apart, one of them 0.2 mm away "
        "from its place"
    )


@pytest.mark.parametrize("text", ["脳 T1 造影", "МРТ головы", "κεφαλή T1", "Schädel für später"])
def test_descriptions_in_every_script_stay(tmp_path, text):
    images = series(voxels(), SeriesDescription=text, SpecificCharacterSet="ISO_IR 192")
    stored = open_stored(save(tmp_path, images))
    assert stored.series.description == text
    assert stored.source.name == f"MR_{text.replace(' ', '-')}"


def test_names_in_every_script_go(tmp_path):
    images = series(
        voxels(),
        PatientName="Иванов^Пётр=山田^太郎",
        SeriesDescription="МРТ Иванов головы 山田",
        SpecificCharacterSet="ISO_IR 192",
    )
    description = open_stored(save(tmp_path, images)).series.description
    assert description == "МРТ головы"


def test_a_deflated_file_that_unpacks_to_far_more_is_not_unpacked(tmp_path, monkeypatch):
    one = image(voxels()[0], syntax=DeflatedExplicitVRLittleEndian)
    path = tmp_path / "a.dcm"
    one.save_as(path, enforce_file_format=True)
    assert find_series(path).series[0].images == 1
    monkeypatch.setattr(pixel_format, "MOST_INFLATED", 500)
    inflated = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self, *arguments):
            self._real = real(*arguments)

        def decompress(self, content, most=0):
            inflated.append(most)
            return self._real.decompress(content, most)

        def __getattr__(self, name):
            return getattr(self._real, name)

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    assert find_series(path).damaged == 1
    assert inflated
    assert all(inflated)


def test_an_archive_that_unpacks_to_far_more_is_refused_at_once(tmp_path, monkeypatch):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        for number in range(4):
            writing.writestr(f"{number}.dcm", bytes(128) + b"DICM" + bytes(1 << 20))
    monkeypatch.setattr(files, "ROOM", 1 << 20)
    monkeypatch.setattr(files.shutil, "copyfileobj", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(ValueError, match="unpacks to at most 100 times its size"):
        find_series(archive)
