"""Patients are split once, each into one split."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.data_folders import (
    cheng,
    gray,
    head,
    save_picture,
    save_volume,
    tcga,
    write_rows,
)

from metasr_training.datasets.brats import patient_of, source_of
from metasr_training.datasets.layouts import recognise
from metasr_training.datasets.slices import SPLITS, load_slices
from metasr_training.datasets.split_files import read_split, write_split
from metasr_training.datasets.splits import assign, counts, draw


def test_visits_of_a_patient_stay_together():
    assert patient_of("BraTS-GLI-00017-001") == patient_of("BraTS-GLI-00017-000")
    assert patient_of("BraTS20_Training_001") != patient_of("BraTS20_Training_002")
    assert source_of("Brats18_CBICA_AAB_1") == "brats2018"
    assert source_of("BraTS-MEN-00004-000") == "brats-men"


def test_data_sets_that_share_patients_are_named(tmp_path, caplog):
    tcga(tmp_path / "tumour-slices" / "tcga-lgg", [("A", "train")])
    load_slices(tmp_path, "train")
    assert "share patients" not in caplog.text
    tree = tmp_path / "tree" / "BraTS2021_00000"
    save_volume(tree / "BraTS2021_00000_t1ce.nii.gz", head())
    load_slices(tmp_path, "train")
    assert "brats2021 and tcga-lgg share patients under other names" in caplog.text


def test_shares_are_kept_and_every_split_gets_a_patient():
    assert counts(100) == (80, 10, 10)
    assert counts(98) == (78, 10, 10)
    assert counts(3) == (1, 1, 1)
    assert counts(2) == (1, 1, 0)
    assert counts(1) == (1, 0, 0)
    assert counts(10, (1.0, 0.0, 0.0)) == (10, 0, 0)
    with pytest.raises(ValueError, match="sum to 1"):
        counts(10, (0.5, 0.1, 0.1))


def test_a_draw_depends_on_the_seed_alone():
    patients = [("a", str(number)) for number in range(50)] + [("b", "0"), ("b", "1"), ("b", "2")]
    first = draw(patients, seed=1)
    assert first == draw(reversed(patients), seed=1)
    assert first != draw(patients, seed=2)
    assert first.keys() == set(patients)
    for source, sizes in (("a", (40, 5, 5)), ("b", (1, 1, 1))):
        there = [split for (name, _), split in first.items() if name == source]
        assert tuple(there.count(split) for split in SPLITS) == sizes


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_the_split_is_written_once_and_read_again(tmp_path, ending):
    data, stored = tmp_path / "data", tmp_path / "run" / f"split.{ending}"
    for number in range(10):
        save_picture(data / f"{number}.png", gray(number))
    cheng(data / "tumour-slices" / "cheng", [("7", "test")])
    first = {one.name for one in load_slices(data, "train", split_file=stored)}
    assert len(first) == 8
    split = read_split(stored)
    assert len(split) == 11
    assert split["cheng", "7"] == "test"
    # what is in the file decides
    turned = {patient: "val" if name == "train" else name for patient, name in split.items()}
    write_split(stored, turned)
    assert {one.name for one in load_slices(data, "val", split_file=stored)} >= first


def test_a_patient_missing_from_the_split_file_is_named(tmp_path):
    data, stored = tmp_path / "data", tmp_path / "split.csv"
    for name in "abc":
        save_picture(data / f"{name}.png", gray())
    load_slices(data, "train", split_file=stored)
    save_picture(data / "new.png", gray())
    with pytest.raises(ValueError, match=r"split\.csv.*data new"):
        load_slices(data, "train", split_file=stored)


def test_a_patient_in_two_splits_is_named(tmp_path):
    folder = tmp_path / "tumour-slices" / "cheng"
    cheng(folder, [("7", "train"), ("8", "train"), ("8", "val")])
    with pytest.raises(ValueError, match=r"in two: cheng 8$"):
        load_slices(tmp_path, "train")
    cheng(folder, [("7", "train"), ("8", "val")])
    stored = tmp_path / "split.csv"
    write_rows(
        stored, ("source", "patient", "split"), ("cheng", "7", "train"), ("cheng", "7", "val")
    )
    with pytest.raises(ValueError, match=r"split\.csv.*in two: cheng 7$"):
        load_slices(tmp_path, "train", split_file=stored)
    write_split(stored, {("cheng", "7"): "val", ("cheng", "8"): "val"})
    with pytest.raises(ValueError, match=r"in two splits: cheng 7$"):
        load_slices(tmp_path, "train", split_file=stored)


def test_split_files_in_json(tmp_path):
    stored = tmp_path / "split.json"
    stored.write_text('{"train": {"a": ["1", "2"], "b": ["1"]}, "test": {"a": ["3"]}}')
    assert read_split(stored) == {
        ("a", "1"): "train",
        ("a", "2"): "train",
        ("b", "1"): "train",
        ("a", "3"): "test",
    }
    stored.write_text('{"train": {"a": ["1", "2"]}, "val": {"a": ["2"]}}')
    with pytest.raises(ValueError, match=r"split\.json.*found in two: a 2$"):
        read_split(stored)
    stored.write_text('{"train": {"a": ["1", "2"')
    with pytest.raises(ValueError, match=r"split\.json: expected a split file"):
        read_split(stored)


def test_the_same_name_in_two_split_folders_is_a_patient_in_two_splits(tmp_path):
    for split in ("train", "val"):
        save_picture(tmp_path / "tumour-slices" / "brats20" / split / "001.png", gray())
    with pytest.raises(ValueError, match="brats20 001"):
        load_slices(tmp_path, "train")


def test_sessions_of_one_person_are_in_one_split(tmp_path):
    """``sub-01_ses-1`` and ``sub-01_ses-2`` used to be two patients, on both sides of a split."""
    for person in range(8):
        for session in (1, 2, 3):
            for run in ("", "_run-2"):
                name = f"sub-{person:02d}_ses-{session}{run}_T1w.nii.gz"
                save_volume(tmp_path / name, np.ones((4, 4, 2), np.uint8), np.eye(4))
    entries = recognise(tmp_path)
    assert len(entries) == 48
    assert {one.patient for one in entries} == {f"sub-{person:02d}" for person in range(8)}
    split = assign(entries)
    sides = {
        person: {split[one.source, one.patient] for one in entries if one.name.startswith(person)}
        for person in {one.patient for one in entries}
    }
    assert all(len(found) == 1 for found in sides.values())
    assert set().union(*sides.values()) == {"train", "val", "test"}


def test_a_data_set_with_a_split_of_its_own_may_join_a_run(tmp_path):
    """A run's split file knows the patients of its day; a folder added later says its own."""
    for name in ("one", "two", "three"):
        save_volume(tmp_path / f"{name}.nii.gz", head())
    file = tmp_path / "split.json"
    before = assign(recognise(tmp_path), file)
    for split in ("train", "val"):
        save_volume(tmp_path / split / f"new-{split}.nii.gz", head())
    entries = recognise(tmp_path)
    after = assign(entries, file)
    source = entries[0].source
    assert after == before | {(source, f"new-{split}"): split for split in ("train", "val")}
    save_volume(tmp_path / "four.nii.gz", head())
    with pytest.raises(
        ValueError, match=r"expected the split of every patient, found none of .*four"
    ):
        assign(recognise(tmp_path), file)
