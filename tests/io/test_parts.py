"""Volumes a part at a time: what is read and written is what the whole would be."""

from __future__ import annotations

import gzip
import resource

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import ORIENTATIONS, affine_with, asymmetric, stored

from napari_metasr import normalisation
from napari_metasr.files import allocate
from napari_metasr.io import compressed, mapped, read_volume, write_volume
from napari_metasr.io import stored as stored_files
from napari_metasr.io.compressed import compress
from napari_metasr.io.mapped import MappedArray
from napari_metasr.io.stored import StoredVolume
from napari_metasr.io.unfinished import UnfinishedVolume


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(stored_files, "READ_BYTES", 200)
    monkeypatch.setattr(mapped, "MAPPED_BYTES", 200)


def unpacked(volume):
    data = np.zeros(volume.shape, volume.dtype)
    for place, block in volume.blocks():
        data[place] = block
    return data


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_blocks_are_the_canonical_volume(tmp_path, codes, small_pieces):
    path = stored(tmp_path / "in.nii", asymmetric(), affine_with(codes, oblique=True))
    whole, parts = read_volume(path), StoredVolume.open(path)
    assert parts.shape == (1, *whole.data.shape)
    assert parts.spacing == pytest.approx(whole.spacing)
    np.testing.assert_array_equal(parts.affine, whole.affine)
    np.testing.assert_array_equal(unpacked(parts)[0], whole.data)
    assert parts.dtype == whole.data.dtype


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", ">i2"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_time_and_types(tmp_path, dtype, suffix, small_pieces):
    data = asymmetric((5, 6, 7, 3)).astype(dtype)
    path = stored(tmp_path / f"in{suffix}", data, affine_with("PSR"))
    whole, parts = read_volume(path), StoredVolume.open(path)
    assert parts.time_points == 3
    assert parts.dtype == whole.data.dtype
    np.testing.assert_array_equal(unpacked(parts), whole.data)


def test_scaled_values_are_read_in_their_units(tmp_path):
    image = nib.Nifti1Image(asymmetric(), affine_with("RAS"))
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, tmp_path / "in.nii")
    np.testing.assert_array_equal(
        unpacked(StoredVolume.open(tmp_path / "in.nii"))[0], read_volume(tmp_path / "in.nii").data
    )


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_file_that_ends_early_is_refused_by_name(tmp_path, suffix):
    path = stored(tmp_path / f"in{suffix}", asymmetric((30, 31, 32)), affine_with("RAS"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"in\.nii.*found a truncated or damaged one"):
        unpacked(StoredVolume.open(path))


@pytest.mark.parametrize("reading", [lambda path: unpacked(StoredVolume.open(path)), read_volume])
def test_what_was_damaged_after_it_was_compressed_is_refused(tmp_path, reading):
    """It can be unpacked, but to other numbers."""
    path = stored(tmp_path / "in.nii.gz", asymmetric((30, 31, 32)), affine_with("RAS"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"in\.nii\.gz: expected a whole NIfTI file"):
        reading(path)


def test_a_pair_is_known_by_both_files(tmp_path):
    path = tmp_path / "in.img"
    nib.save(nib.Nifti1Pair(asymmetric(), affine_with("RAS")), path)
    digest = StoredVolume.open(path).sha256()
    assert StoredVolume.open(tmp_path / "in.hdr").sha256() == digest
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert StoredVolume.open(path).sha256() != digest


def test_what_float32_cannot_hold_and_what_is_flat_are_refused(tmp_path):
    path = stored(tmp_path / "in.nii", np.full((3, 4, 5), 1e300), affine_with("RAS"))
    with pytest.raises(ValueError, match="float32"):
        unpacked(StoredVolume.open(path))
    flat = stored(tmp_path / "flat.nii", np.zeros((3, 4), np.int16), affine_with("RAS"))
    with pytest.raises(ValueError, match="found a 2-D image"):
        StoredVolume.open(flat)


@pytest.mark.parametrize("codes", ORIENTATIONS)
@pytest.mark.parametrize("times", [1, 2])
def test_a_file_written_in_parts_is_the_file_written_whole(tmp_path, codes, times, small_pieces):
    source = stored(
        tmp_path / "in.nii", asymmetric((5, 6, 7, times)), affine_with(codes, oblique=True), qform=2
    )
    volume = read_volume(source)
    data = volume.data.reshape(times, *volume.data.shape[-3:])
    write_volume(
        tmp_path / "whole.nii", volume.data, volume.affine, volume.source, description="it"
    )
    path = tmp_path / "parts.nii"
    parts = UnfinishedVolume.at(path, data.shape, volume.affine, volume.source, data.dtype, "it")
    parts.create()
    for time in range(times):
        for first in range(0, data.shape[3], 2):
            x = slice(first, min(first + 2, data.shape[3]))
            place = (slice(time, time + 1), slice(0, data.shape[1]), slice(0, data.shape[2]), x)
            parts.write(place, data[place].astype(np.float32) + 0.2)
    assert path.read_bytes() == (tmp_path / "whole.nii").read_bytes()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
def test_small_integers_are_rounded_alike_from_both_precisions(rng, dtype):
    values = rng.uniform(-1e5, 1e5, 10_000).astype(np.float32)
    values[:8] = [0.5, 1.5, -0.5, 2.5, np.nan, np.inf, -np.inf, 32767.5]
    single, double = (
        normalisation.cast_to_dtype(values.astype(wide), dtype) for wide in ("f4", "f8")
    )
    assert single.dtype == dtype
    np.testing.assert_array_equal(single, double)
    limits = np.iinfo(dtype)
    np.testing.assert_array_equal(single[:7], [0, 2, 0, 2, 0, limits.max, limits.min])


def test_parts_of_a_mapped_array(tmp_path, rng, small_pieces):
    data = rng.normal(size=(2, 5, 6, 7)).astype(np.float32)
    array = MappedArray(tmp_path / "a.raw", data.shape, data.dtype, 12)
    allocate(array.path, array.nbytes)
    place = (slice(0, 2), slice(1, 5), slice(0, 3), slice(2, 6))
    array.write(place, data[place])
    np.testing.assert_array_equal(array.read(place), data[place])
    assert (array.read((slice(0, 2), slice(0, 1), slice(0, 6), slice(0, 7))) == 0).all()
    assert array.path.stat().st_size == 12 + data.nbytes


def test_compression_is_one_member_and_the_same_whatever_the_threads(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(compressed, "CHUNK", 1000)
    content = rng.integers(0, 4, 12_345, dtype=np.uint8).tobytes()
    (tmp_path / "a").write_bytes(content)
    shares = list(compress(tmp_path / "a", tmp_path / "a.gz", 2))
    list(compress(tmp_path / "a", tmp_path / "b.gz", 1))
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == content
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_room_that_is_not_there_is_refused_at_once(tmp_path):
    with pytest.raises(OSError, match="of room on the disk"):
        allocate(tmp_path / "a", 1 << 60)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=str(tmp_path / "a")):
            allocate(tmp_path / "a", 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("sampled", [4_000_000, 100])
@pytest.mark.parametrize("gaps", [False, True])
def test_ranges_in_parts_are_those_of_the_whole(rng, monkeypatch, sampled, gaps):
    monkeypatch.setattr(normalisation, "SAMPLED_VALUES", sampled)
    data = rng.normal(size=(7, 11, 13)).astype(np.float32)
    if gaps:
        data[rng.random(data.shape) < 0.1] = np.nan
    measured = normalisation.StreamedRange()
    for take in (measured.look, measured.sample):
        for first in range(0, 7, 2):
            take(data[first : first + 2])
    assert measured.intensity_range == normalisation.intensity_range(data)
    assert measured.value_range == normalisation.value_range(data)
    assert measured.missing == np.isnan(data).sum()


def test_ranges_in_parts_of_a_constant_and_of_nothing():
    measured = normalisation.StreamedRange()
    for take in (measured.look, measured.sample):
        take(np.full((3, 4), 7, np.int16))
    assert measured.intensity_range == measured.value_range == (7, 7)
    empty = normalisation.StreamedRange()
    empty.look(np.full(5, np.nan))
    assert (empty.finite, empty.missing) == (0, 5)
