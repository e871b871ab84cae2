"""Decoded slices that are kept, and data folders packed into one file."""

from __future__ import annotations

import logging
import os
import zipfile

import nibabel
import numpy as np
import pytest
from PIL import Image

from metasr_training.datasets import slices as slices_module
from metasr_training.datasets.cache import read_cache, write_cache
from metasr_training.datasets.pack import MARGIN, cropped, eight_bit, pack
from metasr_training.datasets.readers import Decoded
from metasr_training.datasets.slices import SPLITS, Slice, load_slices


def picture(path, seed, shape=(41, 53), dtype=np.uint8):
    """A disc with texture on black, and a mask in it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    top = 250 if dtype == np.uint8 else 3000
    image = np.where(y**2 + x**2 < 0.3, rng.integers(top // 2, top, shape), 0).astype(dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    Image.fromarray((y**2 + x**2) < 0.05).save(path.with_name(f"{path.stem}_mask.png"))


@pytest.fixture
def data(tmp_path):
    """Pictures of 8 and 16 bits in three splits, and natural images."""
    folder = tmp_path / "data"
    number = 0
    for split, count in (("train", 12), ("val", 4), ("test", 3)):
        for _ in range(count):
            dtype = np.uint16 if number % 2 else np.uint8
            picture(folder / split / f"p{number}.png", number, dtype=dtype)
            number += 1
    for name in "abcdef":
        path = folder / "natural" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        colour = np.random.default_rng(ord(name)).integers(0, 255, (30, 33, 3))
        Image.fromarray(colour.astype(np.uint8)).save(path)
    return folder


def same(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        assert one.image.dtype == other.image.dtype
        assert (one.intensity_range, one.source, one.patient, one.name) == (
            other.intensity_range,
            other.source,
            other.patient,
            other.name,
        )
        assert (one.mask is None) == (other.mask is None)
        if one.mask is not None:
            np.testing.assert_array_equal(one.mask, other.mask)
    return True


def never(*args, **kwargs):
    raise AssertionError("the files were read again")


@pytest.mark.parametrize("domain", ["mri", "natural"])
def test_the_second_start_reads_the_cache(tmp_path, data, domain, monkeypatch):
    first = load_slices(data, "train", domain=domain, cache=tmp_path / "cache")
    assert same(first, load_slices(data, "train", domain=domain))
    monkeypatch.setattr(slices_module, "read_entries", never)
    assert same(first, load_slices(data, "train", domain=domain, cache=tmp_path / "cache"))
    with pytest.raises(AssertionError, match="read again"):
        load_slices(data, "val", domain=domain, cache=tmp_path / "cache")


def test_changed_files_are_read_again_and_the_cache_does_not_grow(tmp_path, data):
    cache = tmp_path / "cache"
    load_slices(data, "val", cache=cache)
    picture(data / "val" / "p12.png", 99)
    changed = load_slices(data, "val", cache=cache)
    assert same(changed, load_slices(data, "val"))
    path = data / "val" / "p13.png"
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    load_slices(data, "val", cache=cache)
    picture(data / "val" / "more.png", 100)
    assert len(load_slices(data, "val", cache=cache)) == 5
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_cache_is_said_and_made_again(tmp_path, data, damage, caplog):
    cache = tmp_path / "cache"
    first = load_slices(data, "train", cache=cache)
    (path,) = cache.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    path.write_bytes({"empty": b"", "other": b"not an archive" * 9}.get(damage, bytes(content)))
    assert same(first, load_slices(data, "train", cache=cache))
    assert "the cache is damaged" in caplog.text
    caplog.clear()
    assert same(first, load_slices(data, "train", cache=cache))
    assert not caplog.text


def test_without_space_for_the_cache_it_goes_on(tmp_path, data, caplog, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert len(load_slices(data, "val", cache=tmp_path / "cache")) == 4
    assert "No space left on device" in caplog.text
    assert list((tmp_path / "cache").iterdir()) == []


def test_odd_shapes_and_types_come_back_from_the_cache(tmp_path, rng):
    slices = [
        Slice(rng.integers(0, 200, (3, 5)).astype(np.uint8), (0.1, 7.0), "a", "b", "c"),
        Slice(rng.normal(size=(5, 7)).astype(np.float32), (-1.0, 2.0), "a", "b", "d"),
        Slice(
            rng.integers(-9, 9, (1, 3)).astype(np.int16),
            (0, 1),
            "a",
            "é",
            "e",
            rng.random((1, 3)) > 0.5,
        ),
    ]
    write_cache(tmp_path / "x.npz", Decoded(slices, ["one"]), "key")
    found = read_cache(tmp_path / "x.npz", "key")
    assert same(slices, found.slices)
    assert all(one.image.flags.aligned for one in found.slices)
    assert found.unreadable == ["one"]
    assert read_cache(tmp_path / "x.npz", "another") is None


# packing


def test_what_is_packed_is_read_like_the_folder(tmp_path, data):
    output = tmp_path / "data.zip"
    packing = pack(data, output)
    assert packing.size == output.stat().st_size
    assert packing.found == packing.kept
    assert sum(packing.kept.values()) == 19 + 6
    for split in SPLITS:
        for domain in ("mri", "natural"):
            folder = load_slices(data, split, domain=domain)
            packed = load_slices(output, split, domain=domain)
            for one, other in zip(folder, packed, strict=True):
                assert (one.source, one.patient, one.name) == (
                    other.source,
                    other.patient,
                    other.name,
                )
                assert other.image.dtype == np.uint8
                expected = cropped(one) if domain == "mri" else one
                wanted = expected.normalised
                wanted = wanted if one.image.dtype == np.uint8 else wanted.clip(0, 1)
                np.testing.assert_allclose(other.normalised, wanted, atol=0.51 / 255)
                if one.mask is not None:
                    np.testing.assert_array_equal(other.mask, expected.mask)
                    assert other.mask.sum() == one.mask.sum() > 0


def test_8_bit_slices_are_packed_without_loss(tmp_path, data):
    pack(data, tmp_path / "data.zip", domains=("mri",), splits=("train",))
    packed = {one.name: one for one in load_slices(tmp_path / "data.zip", "train")}
    for one in load_slices(data, "train"):
        if one.image.dtype == np.uint8:
            np.testing.assert_array_equal(packed[one.name].image, cropped(one).image)
            assert packed[one.name].intensity_range == one.intensity_range
    with pytest.raises(FileNotFoundError, match=r"natural images.*found none"):
        load_slices(tmp_path / "data.zip", "train", domain="natural")


def test_a_crop_keeps_head_tumour_and_a_margin():
    image, mask = np.zeros((60, 70), np.uint8), np.zeros((60, 70), bool)
    image[20:30, 30:50] = 100
    mask[28:34, 45:48] = True
    small = cropped(Slice(image, (0.0, 100.0), "a", "b", "c", mask))
    assert small.image.shape == (14 + 2 * MARGIN, 20 + 2 * MARGIN)
    np.testing.assert_array_equal(small.image[MARGIN : MARGIN + 10, MARGIN:-MARGIN], 100)
    assert small.mask.sum() == mask.sum()
    empty = Slice(np.zeros((9, 9)), (0.0, 1.0), "a", "b", "c")
    assert cropped(empty).image.shape == (9, 9)


def test_deep_slices_are_scaled_by_their_limits(rng):
    one = Slice(rng.integers(-50, 4000, (20, 20)).astype(np.int16), (10.0, 2000.0), "a", "b", "c")
    small = eight_bit(one)
    assert (small.image.dtype, small.intensity_range) == (np.uint8, (0.0, 255.0))
    np.testing.assert_allclose(small.normalised, one.normalised.clip(0, 1), atol=0.51 / 255)
    constant = eight_bit(Slice(np.full((4, 4), 7.0), (7.0, 7.0), "a", "b", "c"))
    assert not constant.normalised.any()


def test_slices_of_a_packed_volume_are_normalised_as_before(tmp_path, rng):
    """Dim and bright slices keep their proportion: they are scaled by the volume's range."""
    y, x = np.mgrid[-1:1:30j, -1:1:26j]
    bright = np.array([0.2, 0.6, 1.0, 0.4]) * 3000
    head = (y**2 + x**2 < 0.7)[..., np.newaxis] * bright * rng.uniform(0.8, 1, (30, 26, 4))
    folder = tmp_path / "data" / "train"
    folder.mkdir(parents=True)
    nibabel.save(nibabel.Nifti1Image(head.astype(np.int16), np.eye(4)), folder / "volume.nii.gz")
    pack(tmp_path / "data", tmp_path / "data.zip")
    before = load_slices(tmp_path / "data", "train")
    after = load_slices(tmp_path / "data.zip", "train")
    assert len(before) == len(after) == 4
    for one, other in zip(before, after, strict=True):
        expected = cropped(one).normalised.clip(0, 1)
        np.testing.assert_allclose(other.normalised, expected, atol=0.51 / 255)


def test_a_limit_thins_every_source_and_split_alike(tmp_path, data, caplog):
    whole = pack(data, tmp_path / "whole.zip")
    limit = whole.size / 2 / 2**20
    with caplog.at_level(logging.WARNING):
        packing = pack(data, tmp_path / "half.zip", limit)
    assert packing.size <= limit * 2**20
    assert packing.size > 0.6 * limit * 2**20
    assert packing.kept.keys() == packing.found.keys()
    kept = sum(packing.kept.values())
    assert f"{kept} of 25 slices" in caplog.text
    assert len(load_slices(tmp_path / "half.zip", "train")) == packing.kept["data", "train"]
    with pytest.raises(ValueError, match="expected a limit of at least"):
        pack(data, tmp_path / "none.zip", 1e-3)
    assert not (tmp_path / "none.zip").exists()


def test_a_pack_is_cached_split_and_checked_like_a_folder(tmp_path, data, monkeypatch):
    output, cache = tmp_path / "data.zip", tmp_path / "cache"
    pack(data, output)
    first = load_slices(output, "val", cache=cache, split_file=tmp_path / "split.csv")
    assert (tmp_path / "split.csv").read_text().count(",val\n") >= 4
    monkeypatch.setattr(slices_module, "read_packed", never)
    assert same(first, load_slices(output, "val", cache=cache))


def test_an_older_file_is_not_overwritten_unasked(tmp_path, data):
    output = tmp_path / "data.zip"
    output.write_text("mine")
    with pytest.raises(FileExistsError):
        pack(data, output)
    assert output.read_text() == "mine"
    pack(data, output, overwrite=True, splits=("test",))
    assert len(load_slices(output, "test")) == 3


def test_files_that_are_no_packs(tmp_path, data, caplog):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match=r"notes\.txt: expected a data folder or a file"):
        load_slices(tmp_path / "notes.txt", "train")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("index.json", '{"form": "another", "members": []}')
    with pytest.raises(ValueError, match=r"other\.zip: expected"):
        load_slices(tmp_path / "other.zip", "train")
    output = tmp_path / "data.zip"
    pack(data, output)
    with zipfile.ZipFile(output) as archive:
        start = archive.getinfo("images/000002.webp").header_offset + 120
    content = bytearray(output.read_bytes())
    content[start] ^= 0xFF
    output.write_bytes(content)
    with pytest.raises(ValueError, match=r"images/000002\.webp"):
        load_slices(output, "train")
    assert len(load_slices(output, "train", unreadable="skip")) == 11
    assert "images/000002.webp" in caplog.text


def test_real_slices_survive_packing(tmp_path, shared_data):
    output = tmp_path / "brats.zip"
    packing = pack(shared_data, output, sources=("brats20",), splits=("val",), domains=("mri",))
    assert packing.kept == {("brats20", "val"): 24}
    for one, other in zip(
        load_slices(shared_data, "val", ("brats20",)), load_slices(output, "val"), strict=True
    ):
        np.testing.assert_array_equal(cropped(one).normalised, other.normalised)
