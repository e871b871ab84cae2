"""Folders, archives and single files, whole or not, with and without anything of use."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fakes.dicom import STUDY, TELLTALE, enhanced, image, save, series, voxels
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian

from napari_metasr.io.dicom import files
from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.dicom.recognition import is_dicom
from napari_metasr.io.opening import open_stored


def zipped(folder, path, *, compression=zipfile.ZIP_DEFLATED, rename=str):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, rename(file.relative_to(folder)))
    return path


def test_folders_below_folders_and_other_files(tmp_path):
    images = series(voxels())
    save(tmp_path / "a" / "b", images[:2])
    save(tmp_path / "c", images[2:], prefix="x")
    (tmp_path / "readme.txt").write_text("not DICOM")
    (tmp_path / ".hidden").write_bytes(b"\0" * 200)
    (tmp_path / "c" / "empty").touch()
    found = find_series(tmp_path)
    assert found.series[0].slices == 5
    assert found.left_out == ("2 files of other kinds",)
    assert open_stored(tmp_path).file_shape == (6, 7, 5)


def test_links_to_folders_are_not_followed(tmp_path):
    save(tmp_path / "in", series(voxels()))
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in", target_is_directory=True)
    assert find_series(tmp_path / "in").series[0].images == 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes among files here")
def test_pipes_broken_links_and_unreadable_files_are_passed_over(tmp_path, monkeypatch):
    folder = save(tmp_path / "in", series(voxels()))
    (folder / "A").symlink_to(tmp_path / "none")
    os.mkfifo(folder / "B")
    (folder / "C").write_bytes(bytes(200))
    opened = Path.open

    def refusing(path, *arguments):
        if path.name == "B":
            pytest.fail("waits for the other end of the pipe")
        if path.name == "C":
            raise PermissionError(path)
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", refusing)
    assert is_dicom(folder)
    assert not is_dicom(folder / "C")
    found = find_series(folder)
    assert (found.series[0].slices, found.damaged) == (5, 1)


def test_files_of_one_name_in_an_archive_are_all_read(tmp_path):
    folder = save(tmp_path / "in", series(voxels()))
    archive = tmp_path / "in.zip"
    with zipfile.ZipFile(archive, "w") as writing, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the name that is there twice
        for file in sorted(folder.iterdir()):
            writing.writestr("image", file.read_bytes())
    assert open_stored(archive).sha256() == open_stored(folder).sha256()


def test_an_archive_is_read_like_its_folder(tmp_path):
    folder = save(tmp_path / "in", series(voxels()))
    archive = zipped(folder, tmp_path / "in.ZIP")
    stored = open_stored(archive)
    assert stored.sha256() == open_stored(folder).sha256()
    assert stored.path == archive


def test_names_in_an_archive_are_no_paths(tmp_path):
    folder = save(tmp_path / "in", series(voxels()))
    place = tmp_path / "deep" / "er"
    place.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    archive = zipped(folder, place / "in.zip", rename=lambda name: f"../../../{name}")
    assert open_stored(archive).file_shape == (6, 7, 5)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, archive])


def test_unpacked_files_are_bounded_and_gone_afterwards(tmp_path, monkeypatch):
    folder = save(tmp_path / "in", series(voxels()))
    archive = zipped(folder, tmp_path / "in.zip")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr(files, "IN_MEMORY", 10)  # all of them go to the disk
    list(open_stored(archive).blocks())
    assert list(scratch.iterdir()) == []
    monkeypatch.setattr(files, "MEMBER_BYTES", 100)
    assert find_series(archive).damaged == 5


def test_an_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    archive = zipped(save(tmp_path / "in", series(voxels())), tmp_path / "in.zip")
    monkeypatch.setattr(files, "MEMBERS", 4)
    with pytest.raises(ValueError, match=r"in\.zip: expected at most 4 files in an archive, fou"):
        find_series(archive)


def test_other_files_in_an_archive_are_not_unpacked(tmp_path, monkeypatch):
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr("zeros", bytes(1 << 22))
    monkeypatch.setattr(files.shutil, "copyfileobj", lambda *_: pytest.fail("unpacked"))
    assert find_series(archive).left_out == ("1 file of other kinds",)
    assert not is_dicom(archive)


def test_damaged_archives(tmp_path):
    whole = zipped(save(tmp_path / "in", series(voxels())), tmp_path / "in.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.zip").write_text("no archive")
    middle = bytearray(whole)
    middle[200:240] = bytes(40)
    (tmp_path / "spoilt.zip").write_bytes(middle)
    for name in ("cut.zip", "text.zip", "spoilt.zip"):
        with pytest.raises(ValueError, match=r"expected a \.zip file, found a damaged one"):
            open_stored(tmp_path / name)


def test_a_locked_archive_is_named(tmp_path):
    archive = zipped(save(tmp_path / "in", series(voxels())), tmp_path / "in.zip")
    content = bytearray(archive.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := content.find(signature, start)) >= 0:
            content[start + flags] |= 1
            start += 4
    archive.write_bytes(content)
    with pytest.raises(ValueError, match="locked with a password"):
        open_stored(archive)


def test_a_single_file_is_its_own_image(tmp_path):
    folder = save(tmp_path, series(voxels()))
    file = sorted(folder.iterdir())[0]
    nameless = file.rename(tmp_path / "IM0001")
    assert open_stored(nameless).file_shape == (6, 7, 1)


def test_a_dicomdir_stands_for_its_folder(tmp_path):
    save(tmp_path, series(voxels()))
    index = image(np.zeros((1, 1), np.uint8), SOPClassUID="1.2.840.10008.1.3.10")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(index, keyword)
    index.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    index.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    assert open_stored(tmp_path / "DICOMDIR").file_shape == (6, 7, 5)
    assert find_series(tmp_path).left_out == (
        "1 DICOM file without an image (Media Storage Directory Storage)",
    )


def test_files_without_images_are_counted_by_their_kind(tmp_path):
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID = BasicTextSRStorage
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID = "1.2.3"
    report.SeriesInstanceUID = "1.2.4"
    save(tmp_path, [report])
    with pytest.raises(ValueError, match=r"found none \(1 DICOM file without an image \(Basic"):
        open_stored(tmp_path)


@pytest.mark.parametrize(
    ("number", "told"), [(4, "Segmentation Storage"), (7, "segmentation")], ids=["seg", "labelmap"]
)
def test_a_segmentation_beside_its_series_is_no_other_volume(tmp_path, number, told):
    labels = enhanced(voxels(dtype=np.uint8), times=1)
    labels.SOPClassUID = f"1.2.840.10008.5.1.4.1.1.66.{number}"
    labels.file_meta.MediaStorageSOPClassUID = labels.SOPClassUID
    labels.SeriesInstanceUID, labels.SeriesNumber, labels.Modality = STUDY + ".8", 9003, "SEG"
    save(tmp_path, [*series(voxels()), labels])
    assert find_series(tmp_path).left_out == (f"1 DICOM file without an image ({told})",)
    stored = open_stored(tmp_path)
    assert (stored.file_shape, stored.source.concerns) == ((6, 7, 5), ())


@pytest.mark.parametrize("name", ["scan.dcm", "SCAN.IMA"])
@pytest.mark.parametrize("content", [b"", bytes(500), b"<html>" * 99])
def test_what_is_called_dicom_and_is_none_is_no_nifti_either(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="expected DICOM images that make up a volume"):
        open_stored(tmp_path / name)


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match=r"make up a volume, found none \(no files\)"):
        open_stored(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        open_stored(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no such file"):
        open_stored(tmp_path / "none.zip")


def test_a_truncated_image_spoils_its_series(tmp_path):
    folder = save(tmp_path, series(voxels()))
    file = sorted(folder.iterdir())[2]
    file.write_bytes(file.read_bytes()[:-30])
    [found] = find_series(folder).series
    assert found.refusal == "expected whole files, found a truncated one (1 of 5 images)"


def test_a_file_cut_off_in_its_header_is_counted(tmp_path):
    folder = save(tmp_path, series(voxels()))
    file = sorted(folder.iterdir())[0]
    file.write_bytes(file.read_bytes()[:300])
    if find_series(folder).series[0].refusal is None:  # it was the first or the last slice
        assert "1 damaged DICOM file left out" in open_stored(folder).source.concerns[0]
    else:
        with pytest.raises(ValueError, match="missing"):
            open_stored(folder)


@pytest.mark.parametrize("share", [0.13, 0.18, 0.32, 0.55, 0.82, 0.97])
def test_wherever_a_file_is_cut_nothing_breaks(tmp_path, share):
    folder = save(tmp_path, series(voxels((1, 7, 6))))
    [file] = folder.iterdir()
    whole = file.read_bytes()  # its length differs by the lengths of random identifiers
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=r"truncated|damaged|no pixels|a place") as raised:
        open_stored(folder)
    assert not any(secret in str(raised.value).lower() for secret in TELLTALE)


def test_recognition_reads_little_and_imports_nothing(tmp_path):
    dicom = save(tmp_path / "dicom", series(voxels()))
    archive = zipped(dicom, tmp_path / "dicom.zip")
    other = tmp_path / "other"
    other.mkdir()
    (other / "scan.nii").write_bytes(b"n+1" * 200)
    zarr = save(tmp_path / "image.zarr" / "0", series(voxels()))
    (zarr / ".zarray").write_text("{}")
    code = """
import sys
from pathlib import Path
import napari_metasr.io.dicom.recognition as recognition
before = set(sys.modules)
print([recognition.is_dicom(Path(path)) for path in sys.argv[1:]])
assert not {name for name in set(sys.modules) - before if "dicom" in name}
"""
    others = (other, tmp_path / "image.zarr", other / "scan.nii", tmp_path / "none")
    command = [sys.executable, "-c", code, *map(str, (dicom, archive, *others))]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert told.strip() == "[True, True, False, False, False, False]"


def test_only_so_many_files_are_looked_at(tmp_path, monkeypatch):
    save(tmp_path, series(voxels()), prefix="z")
    for number in range(4):
        (tmp_path / f"a{number}").write_bytes(bytes(200))
    assert is_dicom(tmp_path)
    monkeypatch.setattr("napari_metasr.io.dicom.recognition.LOOKS", 4)
    assert not is_dicom(tmp_path)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    save(tmp_path, series(voxels()))
    monkeypatch.setattr("napari_metasr.io.dicom.extra.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'napari-metasr\[dicom\]'"):
        open_stored(tmp_path)
