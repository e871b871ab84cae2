"""No name, number, date or UID of a patient comes out: in names, messages, records and files."""

from __future__ import annotations

import logging

import nibabel as nib
import numpy as np
import pytest
from fakes.dicom import TELLTALE, save, series, voxels
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from napari_metasr.cli import main
from napari_metasr.io import read, write_volume
from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.dicom.redaction import redacted
from napari_metasr.io.opening import open_stored
from napari_metasr.io.reader import get_reader


def assert_nothing_of_the_patient(text):
    assert [secret for secret in TELLTALE if secret in text.lower()] == []


def dataset(**elements):
    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("t1_mprage_sag 0.9 iso", "t1_mprage_sag 0.9 iso"),
        ("ep2d_bold_rest_TR2000", "ep2d_bold_rest_TR2000"),
        ("MUSTERMANN t2", "t2"),
        ("erika_mustermann_FLAIR", "FLAIR"),
        ("t1 PID-4711-X post", "t1 post"),
        ("t1 12.08.1964", "t1"),
        ("t1 1964-08-12 / 19640812", "t1"),
        ("copy of 1.2.840.113619.2.55", "copy of"),
        ("T1 für <Frau> M.", "T1 für Frau M"),
        ("", ""),
    ],
)
def test_descriptions_lose_what_identifies(description, expected):
    told = redacted(description, dataset(PatientName="Mustermann^Erika", PatientID="PID-4711-X"))
    assert told == expected


@pytest.mark.parametrize(
    ("name", "description", "expected"),
    [
        ("Li^Na", "T1 Li Na", "T1"),
        ("Li^Na", "T1 LINA NaLi li2", "T1"),
        ("Smith^John", "SMITHJOHN_t1", "t1"),
        ("Smith^John", "t1 Smiths smith2 mprage", "t1 mprage"),
        ("Meyer-Schulz^Eva", "t1 MeyerSchulz", "t1"),
        ("O'Neil^Sean", "t1 ONeil", "t1"),
        ("Müller^Jörg", "t1 Muller Joerg MUELLER Jorg", "t1"),
        ("Muller^Jorg", "t1 Müller Jörg", "t1"),
        ("Smith^John", "t1 AB1234 axial", "t1 axial"),
        ("Smith^John", "T1 12Aug1964 / 12-AUG-64 / 12. August 1964 sag", "T1 sag"),
        ("Smith^John", "T1 Aug 12, 1964 MPRAGE dec 2", "T1 MPRAGE dec 2"),
        ("Wu^Bo", "t1_mprage_sag FLAIR TR2000 bold 3D", "t1_mprage_sag FLAIR TR2000 bold 3D"),
    ],
)
def test_names_however_they_are_written(name, description, expected):
    found = dataset(PatientName=name, PatientID="AB-12-34", PatientBirthDate="19640812")
    assert redacted(description, found) == expected


def test_long_descriptions_are_cut():
    assert len(redacted("x y " * 100, {})) <= 64


@pytest.fixture
def folder(tmp_path):
    """A series whose description names the patient, in files that do so too."""
    return save(
        tmp_path / "scan", series(voxels(), SeriesDescription="Mustermann t1 20240229 PID-4711-X")
    )


def test_layers_volumes_and_written_files(folder, tmp_path):
    [(_, keywords, _)] = get_reader(str(folder))(str(folder))
    volume = read(folder)
    stored = open_stored(folder)
    assert keywords["name"] == volume.source.name == stored.source.name == "MR_t1"
    assert stored.record_names == ()
    path = write_volume(
        tmp_path / "out.nii", volume.data, volume.affine, volume.source,
        description=volume.source.name,
    )  # fmt: skip
    assert_nothing_of_the_patient(path.read_bytes().decode("latin-1"))
    assert_nothing_of_the_patient(str(nib.load(path).header))
    assert_nothing_of_the_patient(repr(stored.series))
    assert_nothing_of_the_patient(repr(find_series(folder)))


def test_the_table_of_series(folder, capsys):
    assert main(["series", str(folder)]) == 0
    printed = capsys.readouterr()
    assert "MR        t1" in printed.out
    assert_nothing_of_the_patient(printed.out + printed.err)


def overwritten(folder, old, new):
    """Change all files of a folder, where something stands, to something as long."""
    for file in folder.iterdir():
        content = file.read_bytes()
        assert old in content
        file.write_bytes(content.replace(old, new.ljust(len(old))[: len(old)]))


def missing(folder):
    images = series(voxels())
    del images[2]
    save(folder, images)


def unreadable_position(folder):
    save(folder, series(voxels(), origin=(-10.1111, 20.2222, 30.3333)))
    overwritten(folder, b"-10.1111", b"Mustermann")


def too_large(folder):
    save(folder, series(voxels(), Rows=999))


def damaged_pixels(folder):
    images = series(voxels((5, 32, 24)))
    for one in images:
        one.compress(RLELossless)
    images[2].PixelData = images[2].PixelData[:40]
    images[2]["PixelData"].VR = "OB"
    save(folder, images)


@pytest.mark.parametrize("damage", [missing, unreadable_position, too_large, damaged_pixels])
def test_messages_and_logs(tmp_path, damage, caplog, recwarn):
    damage(tmp_path / "scan")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ValueError, match="expected") as raised:
        list(open_stored(tmp_path / "scan").blocks())
    assert raised.value.__cause__ is None
    assert_nothing_of_the_patient(str(raised.value) + caplog.text)
    assert_nothing_of_the_patient(" ".join(str(one.message) for one in recwarn))


def test_values_against_the_standard_are_not_quoted(tmp_path, caplog, recwarn):
    """The library warns of them, with the value."""
    folder = save(tmp_path, series(voxels()))
    overwritten(folder, b"20240229", b"Muster-m")
    overwritten(folder, b"19640812", b"Erika M.")
    caplog.set_level(logging.DEBUG)
    assert sum(block.size for _, block in open_stored(folder).blocks()) == 5 * 7 * 6
    assert_nothing_of_the_patient(caplog.text)
    assert not recwarn.list


def test_a_volume_keeps_no_header_elements(folder):
    """What a volume is made of holds no string of the patient but UIDs, which tell apart."""
    stored = open_stored(folder)
    frame = stored.series.frames[0][0]
    kept = {**vars(frame), **vars(frame.header)}
    for hidden in ("uid", "study", "space", "file", "header"):
        kept.pop(hidden)
    kept.pop("syntax")
    assert_nothing_of_the_patient(repr(kept))


def test_hash_is_of_the_content_alone(tmp_path):
    data = voxels()
    one = open_stored(save(tmp_path / "one", series(data), seed=1))
    other = open_stored(
        save(tmp_path / "two", series(data, PatientName="A^B", SeriesDescription="x"), seed=2)
    )
    changed = data.copy()
    changed[2, 3, 1] += 1
    third = open_stored(save(tmp_path / "three", series(changed)))
    moved = open_stored(save(tmp_path / "four", series(data, origin=(-10, 20, 30.5))))
    assert one.sha256() == other.sha256()
    assert len({one.sha256(), third.sha256(), moved.sha256()}) == 3
    assert np.array_equal(one.file_affine, other.file_affine)
