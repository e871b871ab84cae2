"""Data folders are recognised by their layout, and read."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from fakes.data_folders import (
    BRATS,
    LPS,
    SHAPE,
    cheng,
    gray,
    head,
    save_picture,
    save_volume,
    tcga,
    tumour,
)

from metasr_training.datasets.layouts import recognise
from metasr_training.datasets.slices import SPLITS, load_slices, split_entries
from napari_metasr.normalisation import intensity_range


@pytest.mark.parametrize("year", BRATS)
def test_brats_trees_of_every_year(tmp_path, year):
    folder, ending, mask_ending, source = BRATS[year]
    name = folder.rsplit("/", 1)[-1]
    patient = tmp_path / "tree" / folder
    volume = head()
    save_volume(patient / f"{name}{ending}", volume)
    save_volume(patient / f"{name}{mask_ending}", tumour())
    for other in ("t1", "t2", "flair", "t1n", "t2f"):
        save_volume(patient / f"{name}{ending[0]}{other}.nii.gz", head(9))
    slices = load_slices(tmp_path / "tree", "train")
    assert [one.name for one in slices] == [f"{name}:{index}" for index in range(6)]
    assert {one.source for one in slices} == {source}
    assert {one.patient for one in slices} == {"BraTS-GLI-00000" if year == "2023" else name}
    assert {one.intensity_range for one in slices} == {intensity_range(volume)}
    for index, one in enumerate(slices):
        np.testing.assert_array_equal(one.image, volume[:, :, index].T)
        np.testing.assert_array_equal(one.mask, tumour()[:, :, index].T > 0)
    assert [one.tumour for one in slices] == [False, False, True, True, False, False]
    # the patient's folder itself will do as well
    assert len(load_slices(patient, "train")) == 6


def test_slices_lie_as_the_application_shows_them(tmp_path):
    """Whatever the file's orientation: the right of the patient left, the front on top."""
    volume = head()
    save_volume(tmp_path / "a" / "one.nii", volume, LPS)
    save_volume(tmp_path / "b" / "one.nii", volume[::-1, ::-1], np.diag([1.0, 1.0, 1.0, 1.0]))
    turned = np.array([[0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    save_volume(tmp_path / "c" / "one.nii", volume.transpose(1, 0, 2), turned)
    expected = [volume[:, :, index].T for index in range(6)]
    for folder in "abc":
        found = [one.image for one in load_slices(tmp_path / folder, "train")]
        np.testing.assert_array_equal(found, expected)


def test_a_segmentation_under_another_name_and_a_patient_without_one(tmp_path):
    first, second = (tmp_path / f"BraTS20_Training_{number}" for number in (355, 356))
    save_volume(first / "BraTS20_Training_355_t1ce.nii", head())
    save_volume(first / "W39_1998.09.19_Segm.nii", tumour())
    save_volume(second / "BraTS20_Training_356_t1ce.nii", head(1))
    masks = {one.patient: one.mask for one in recognise(tmp_path)}
    assert masks["BraTS20_Training_355"].name == "W39_1998.09.19_Segm.nii"
    assert masks["BraTS20_Training_356"] is None


def test_a_patient_without_the_contrast_is_named(tmp_path):
    save_volume(tmp_path / "BraTS2021_00002" / "BraTS2021_00002_flair.nii.gz", head())
    with pytest.raises(FileNotFoundError, match="BraTS2021_00002_t1ce"):
        load_slices(tmp_path, "train")


def test_tables_decide_source_split_and_mask(tmp_path):
    tcga(tmp_path / "tumour-slices" / "tcga-lgg", [("A", "train"), ("B", "val")])
    cheng(tmp_path / "tumour-slices" / "cheng", [("7", "train"), ("7", "train"), ("8", "test")])
    save_picture(tmp_path / "tumour-slices" / "brats20" / "val" / "001.png", gray(3))
    train, val, test = (load_slices(tmp_path, split) for split in SPLITS)
    assert {(one.source, one.patient) for one in train} == {("tcga-lgg", "A"), ("cheng", "7")}
    assert {(one.source, one.patient) for one in val} == {("tcga-lgg", "B"), ("brats20", "001")}
    assert [(one.patient, one.name) for one in test] == [("8", "3")]
    np.testing.assert_array_equal(test[0].image, gray(3))
    assert test[0].mask[3:7, 5:9].all()
    assert test[0].mask.sum() == 16
    assert next(one for one in val if one.source == "brats20").mask is None
    volume = [one for one in train if one.source == "tcga-lgg"]
    np.testing.assert_array_equal(volume[3].mask, tumour()[:, :, 3].T > 0)


def test_sources_are_chosen_by_name_and_a_missing_one_is_said(tmp_path, caplog):
    cheng(tmp_path / "tumour-slices" / "cheng", [("7", "train")])
    tcga(tmp_path / "tumour-slices" / "tcga-lgg", [("A", "train")])
    found = load_slices(tmp_path, "train", ("cheng", "brats20"))
    assert {one.source for one in found} == {"cheng"}
    assert "no brats20 in" in caplog.text


def test_a_source_or_their_folder_is_a_data_folder_too(tmp_path):
    cheng(tmp_path / "tumour-slices" / "cheng", [("7", "train"), ("8", "val")])
    for data in (tmp_path, tmp_path / "tumour-slices", tmp_path / "tumour-slices" / "cheng"):
        assert [one.source for one in load_slices(data, "val")] == ["cheng"]


def test_volumes_dicom_and_other_folders_are_left_alone(tmp_path):
    cheng(tmp_path / "tumour-slices" / "cheng", [("7", "train")])
    name = "BraTS-GLI-00000-000"
    save_volume(tmp_path / "volumes" / f"{name}-t1c.nii.gz", head())
    save_volume(tmp_path / "volumes" / name / f"{name}-t1c.nii.gz", head())
    save_picture(tmp_path / "dicom" / "x.png", gray())
    save_picture(tmp_path / "notes" / "x.png", gray())
    assert {entry.source for entry in recognise(tmp_path)} == {"cheng"}


def test_plain_images_with_masks_and_contrasts(tmp_path):
    save_volume(tmp_path / "p1_t1ce.nii.gz", head())
    save_volume(tmp_path / "p1_flair.nii.gz", head(1))
    save_volume(tmp_path / "p1_seg.nii.gz", tumour())
    save_volume(tmp_path / "p2.nii", head(2))
    for name, form in (("s1", "png"), ("s2", "webp"), ("s3", "jpg")):
        save_picture(tmp_path / f"{name}.{form}", gray())
    save_picture(tmp_path / "s1_mask.png", gray() > 250)
    (tmp_path / "readme.txt").write_text("not an image")
    found = {entry.name: entry for entry in recognise(tmp_path)}
    assert found.keys() == {"p1_t1ce", "p2", "s1", "s2", "s3"}
    assert found["p1_t1ce"].mask.name == "p1_seg.nii.gz"
    assert found["p1_t1ce"].patient == "p1"
    assert found["s1"].mask.name == "s1_mask.png"
    assert found["s2"].mask is None
    slices = [one for split in SPLITS for one in load_slices(tmp_path, split)]
    assert len(slices) == 6 + 6 + 3
    masked = next(one for one in slices if one.name == "s1")
    np.testing.assert_array_equal(masked.mask, gray() > 250)


def test_natural_images_become_luminance(tmp_path):
    colour = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    save_picture(tmp_path / "natural" / "set" / "a.png", colour)
    save_picture(tmp_path / "natural" / "b.png", gray(shape=(600, 530)))
    (tmp_path / "natural" / "list.txt").write_text("a.png")
    images = {
        one.name: one for split in SPLITS for one in load_or_none(tmp_path, split, domain="natural")
    }
    assert images.keys() == {"set/a", "b"}
    expected = colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(images["set/a"].image - expected).max() < 0.51
    np.testing.assert_array_equal(images["b"].image, gray(shape=(600, 530))[44:556, 9:521])
    assert {one.intensity_range for one in images.values()} == {(0.0, 255.0)}
    assert {one.source for one in images.values()} == {"natural"}
    with pytest.raises(FileNotFoundError, match="expected one of tcga-lgg"):
        load_slices(tmp_path, "train")


def load_or_none(data, split, **options):
    try:
        return load_slices(data, split, **options)
    except FileNotFoundError:
        return []


def test_div2k_has_its_own_split_and_its_reduced_images_are_left_out(tmp_path):
    save_picture(tmp_path / "DIV2K_train_HR" / "0001.png", gray(1))
    save_picture(tmp_path / "DIV2K_valid_HR" / "0801.png", gray(2))
    save_picture(tmp_path / "DIV2K_train_LR_bicubic" / "X2" / "0001x2.png", gray(3))
    names = {
        split: [one.name for one in load_slices(tmp_path, split, domain="natural")]
        for split in ("train", "val")
    }
    assert names == {"train": ["0001"], "val": ["0801"]}
    assert [e.name for e in recognise(tmp_path / "DIV2K_train_HR")] == ["0001"]


def test_almost_empty_slices_are_left_out_and_some_of_a_volume_can_be_taken(tmp_path):
    volume = head()
    volume[:, :, 4] = 0
    save_volume(tmp_path / "one.nii", volume)
    names = [one.name for one in load_slices(tmp_path, "train")]
    assert names == ["one:0", "one:1", "one:2", "one:3", "one:5"]
    assert [o.name for o in load_slices(tmp_path, "train", per_volume=2)] == ["one:0", "one:5"]
    save_volume(tmp_path / "one.nii", np.zeros(SHAPE, np.int16))
    with pytest.raises(ValueError, match="almost empty"):
        load_slices(tmp_path, "train")


def test_the_real_folder_holds_what_its_files_say(shared_data):
    root = shared_data / "tumour-slices"
    with (root / "cheng" / "slices.csv").open() as table:
        rows = list(csv.DictReader(table))
    with (root / "tcga-lgg" / "patients.csv").open() as table:
        patients = list(csv.DictReader(table))
    entries = split_entries(shared_data)
    for split in SPLITS:
        here = [entry for entry in entries if entry.split == split]
        by_source = {
            source: [entry for entry in here if entry.source == source]
            for source in ("cheng", "tcga-lgg", "brats20")
        }
        assert len(by_source["cheng"]) == sum(row["split"] == split for row in rows)
        assert {entry.patient for entry in by_source["cheng"]} == {
            row["patient"] for row in rows if row["split"] == split
        }
        assert {entry.patient for entry in by_source["tcga-lgg"]} == {
            row["patient"] for row in patients if row["split"] == split
        }
        pictures = list((root / "brats20" / split).glob("*.png"))
        assert len(by_source["brats20"]) == len(pictures)
    pictures = [
        *(shared_data / "natural").rglob("*.jpg"),
        *(shared_data / "natural").rglob("*.png"),
    ]
    natural = [entry for entry in entries if entry.domain == "natural"]
    assert len(natural) == len(pictures)
    plain = {one for one in {entry.source for entry in entries} if "/" not in one}
    assert plain == {"cheng", "tcga-lgg", "brats20", "natural"}
    assert all(entry.mask is not None for entry in entries if entry.source in {"cheng", "tcga-lgg"})


def test_real_volumes_of_brats(shared_data):
    """The folder itself is plain NIfTI: two patients, one with an expert's segmentation."""
    found = {entry.patient: entry for entry in recognise(shared_data / "volumes")}
    assert found.keys() == {"BraTS-GLI-00000", "BraTS-GLI-00001"}
    assert found["BraTS-GLI-00000"].image.name == "BraTS-GLI-00000-000-t1c.nii.gz"
    assert found["BraTS-GLI-00000"].mask.name == "BraTS-GLI-00000-000-seg.nii.gz"
    assert found["BraTS-GLI-00001"].mask is None
