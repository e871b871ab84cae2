"""Data folders: recognised by their layout, split by patient, read or named when they cannot be."""

from __future__ import annotations

import csv
import logging

import nibabel
import numpy as np
import pytest
from PIL import Image

from metasr_training.datasets.brats import patient_of, source_of
from metasr_training.datasets.layouts import recognise
from metasr_training.datasets.pictures import read_gray, read_luminance, read_mask
from metasr_training.datasets.slices import SPLITS, load_slices, split_entries
from metasr_training.datasets.split_files import read_split, write_split
from metasr_training.datasets.splits import assign, counts, draw
from napari_metasr.normalisation import intensity_range

SHAPE = (14, 18, 6)  # x, y, z
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def head(seed=0, shape=SHAPE, dtype=np.int16):
    """A volume (x, y, z) without symmetry, bright almost everywhere."""
    volume = np.random.default_rng(seed).integers(200, 900, shape)
    volume[:3] = 0
    return volume.astype(dtype)


def tumour(shape=SHAPE):
    mask = np.zeros(shape, np.uint8)
    mask[5:8, 4:6, 2:4] = 1
    mask[8, 6, 3] = 4
    return mask


def save_volume(path, data, affine=LPS):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(data, affine), path)
    return path


def save_picture(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def gray(seed=0, shape=(20, 24)):
    return np.random.default_rng(seed).integers(1, 255, shape).astype(np.uint8)


def write_rows(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def cheng(folder, patients):
    """``slices.csv``, images and masks of (patient, split) pairs, an image each."""
    rows = [
        (number, "glioma", *patient, "axial") for number, patient in enumerate(patients, start=1)
    ]
    write_rows(folder / "slices.csv", ("id", "tumour", "patient", "split", "plane"), *rows)
    for number, *_ in rows:
        colour = np.repeat(gray(number)[..., np.newaxis], 3, axis=2)
        save_picture(folder / "images" / f"{number}.webp", colour, lossless=True)
        mask = np.zeros((20, 24), bool)
        mask[number : number + 4, 5:9] = True
        save_picture(folder / "masks" / f"{number}.png", mask)


def tcga(folder, patients):
    write_rows(
        folder / "patients.csv", ("patient", "split", "slices"), *[(*p, 6) for p in patients]
    )
    for seed, (patient, split) in enumerate(patients):
        save_volume(folder / split / f"{patient}_t1ce.nii.gz", head(seed, dtype=np.uint8))
        save_volume(folder / split / f"{patient}_mask.nii.gz", tumour())


BRATS = {
    "2018": ("HGG/Brats18_TCIA01_131_1", "_t1ce.nii.gz", "_seg.nii.gz", "brats2018"),
    "2019": ("LGG/BraTS19_TCIA09_141_1", "_t1ce.nii.gz", "_seg.nii.gz", "brats2019"),
    "2020": (
        "MICCAI_BraTS2020_TrainingData/BraTS20_Training_001",
        "_t1ce.nii",
        "_seg.nii",
        "brats2020",
    ),
    "2021": ("BraTS2021_00000", "_t1ce.nii.gz", "_seg.nii.gz", "brats2021"),
    "2023": ("BraTS-GLI-00000-000", "-t1c.nii.gz", "-seg.nii.gz", "brats-gli"),
}


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


def test_visits_of_a_patient_stay_together():
    assert patient_of("BraTS-GLI-00017-001") == patient_of("BraTS-GLI-00017-000")
    assert patient_of("BraTS20_Training_001") != patient_of("BraTS20_Training_002")
    assert source_of("Brats18_CBICA_AAB_1") == "brats2018"
    assert source_of("BraTS-MEN-00004-000") == "brats-men"


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


def test_data_sets_that_share_patients_are_named(tmp_path, caplog):
    tcga(tmp_path / "tumour-slices" / "tcga-lgg", [("A", "train")])
    load_slices(tmp_path, "train")
    assert "share patients" not in caplog.text
    tree = tmp_path / "tree" / "BraTS2021_00000"
    save_volume(tree / "BraTS2021_00000_t1ce.nii.gz", head())
    load_slices(tmp_path, "train")
    assert "brats2021 and tcga-lgg share patients under other names" in caplog.text


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


# the split


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


# what is not as it should be


def test_folders_without_images(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a data folder"):
        load_slices(tmp_path / "none", "train")
    with pytest.raises(FileNotFoundError, match=r"tcga-lgg, cheng, brats20.*found nothing"):
        load_slices(tmp_path, "train")
    (tmp_path / "volumes").mkdir()
    with pytest.raises(FileNotFoundError, match=r"natural/.*found volumes/"):
        load_slices(tmp_path, "train", domain="natural")
    cheng(tmp_path / "tumour-slices" / "cheng", [("7", "train")])
    with pytest.raises(FileNotFoundError, match="expected one of tcga-lgg in"):
        load_slices(tmp_path, "train", ("tcga-lgg",))
    with pytest.raises(FileNotFoundError, match=r"patients to val.*found patients: 1 of train"):
        load_slices(tmp_path, "val")


def spoil(tmp_path, kind):
    """A folder of three good pictures and one that is not, whose file is returned."""
    for number in range(3):
        save_picture(tmp_path / "train" / f"{number}.png", gray(number))
    bad = tmp_path / "train" / "bad.png"
    if kind == "truncated":
        save_picture(bad, gray(9))
        bad.write_bytes(bad.read_bytes()[:100])
    elif kind == "volume":
        bad = save_volume(tmp_path / "train" / "bad.nii.gz", head())
        bad.write_bytes(bad.read_bytes()[:300])
    elif kind == "colour":
        save_picture(bad, np.random.default_rng(0).integers(0, 255, (9, 9, 3)).astype(np.uint8))
    elif kind == "series":
        bad = save_volume(tmp_path / "train" / "bad.nii", head(shape=(8, 8, 4, 3)))
    elif kind == "mask":
        save_picture(bad, gray(9))
        bad = save_picture(tmp_path / "train" / "bad_mask.png", gray(shape=(20, 23)))
    elif kind == "volume mask":
        save_volume(tmp_path / "train" / "bad.nii", head())
        bad = save_volume(tmp_path / "train" / "bad_seg.nii", tumour((14, 18, 5)))
    return bad


BAD = ("truncated", "volume", "colour", "series", "mask", "volume mask")


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_read_stops_or_is_named_counted_and_skipped(tmp_path, kind, caplog):
    data = tmp_path / "data"
    bad = spoil(data, kind)
    with pytest.raises(ValueError, match="expected") as raised:
        load_slices(data, "train")
    assert bad.name in str(raised.value)
    cache = tmp_path / "cache"
    for _ in range(2):  # also where the rest comes from the cache
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = load_slices(data, "train", unreadable="skip", cache=cache)
        assert [one.name for one in found] == ["0", "1", "2"]
        assert bad.name in caplog.text
        assert "1 of 4 files could not be read and were skipped" in caplog.text
    with pytest.raises(ValueError, match=bad.name):
        load_slices(data, "train", cache=cache)


def test_masks_of_another_shape_say_which(tmp_path):
    spoil(tmp_path, "mask")
    with pytest.raises(ValueError, match=r"a mask of 20 x 24 like bad\.png, found 20 x 23"):
        load_slices(tmp_path, "train")


def test_a_file_that_a_table_lists_but_is_not_there(tmp_path):
    cheng(tmp_path, [("7", "train"), ("8", "train")])
    (tmp_path / "images" / "2.webp").unlink()
    with pytest.raises(FileNotFoundError, match="images/2"):
        load_slices(tmp_path, "train")
    assert [one.name for one in load_slices(tmp_path, "train", unreadable="skip")] == ["1"]


def test_tables_that_are_not_as_expected(tmp_path):
    write_rows(tmp_path / "slices.csv", ("id", "patient"), (1, 2))
    with pytest.raises(ValueError, match="columns id, patient, split, found id, patient"):
        load_slices(tmp_path, "train")
    write_rows(tmp_path / "slices.csv", ("id", "patient", "split"), (1, 2, "training"))
    with pytest.raises(ValueError, match=r"line 2: expected a split among .* found 'training'"):
        load_slices(tmp_path, "train")


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with pytest.raises(ValueError, match="Permission denied"):
        split_entries(tmp_path)


def test_missing_voxels_become_the_lower_limit(tmp_path):
    volume = head(dtype=np.float32)
    volume[5, 5, 2] = np.nan
    save_volume(tmp_path / "one.nii", volume)
    with pytest.warns(UserWarning, match="1 of 1512 voxels"):
        slices = load_slices(tmp_path, "train")
    assert slices[2].image[5, 5] == slices[2].intensity_range[0]


def test_pictures_by_their_modes(tmp_path):
    deep = gray().astype(np.uint16) * 100
    np.testing.assert_array_equal(read_gray(save_picture(tmp_path / "a.png", deep)), deep)
    black_and_white = save_picture(tmp_path / "b.png", gray() > 99)
    np.testing.assert_array_equal(read_mask(black_and_white), gray() > 99)
    with pytest.raises(ValueError, match=r"expected a picture of .* found 1$"):
        read_gray(black_and_white)
    with pytest.raises(ValueError, match=r"expected a picture of .* found I;16$"):
        read_luminance(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match=r"none\.png: no such file"):
        read_mask(tmp_path / "none.png")


# the real data


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
