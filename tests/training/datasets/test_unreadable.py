"""What cannot be read stops, or is named, counted and skipped."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from fakes.data_folders import (
    cheng,
    gray,
    head,
    save_picture,
    save_volume,
    tumour,
    write_rows,
)

from metasr_training.datasets.pictures import read_gray, read_luminance, read_mask
from metasr_training.datasets.slices import load_slices, split_entries


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
