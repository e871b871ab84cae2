"""Stored pixels to values: every type, every compression, and what cannot be read."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.dicom import enhanced, image, save, series, voxels
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from napari_metasr.io import read
from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.opening import open_stored
from napari_metasr.io.orientation import from_canonical


def stored_order(folder):
    """Voxels as (slices, rows, columns), in the order in which the fakes were made."""
    volume = read(folder)
    values, _ = from_canonical(volume.data, volume.affine, volume.source.affine)
    return values.T


def refusal_of(folder):
    [found] = find_series(folder).series
    return found.refusal


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
def test_integers_keep_their_type(tmp_path, dtype):
    data = voxels(dtype=dtype)
    data[0, 0, :2] = np.iinfo(dtype).min, np.iinfo(dtype).max
    found = stored_order(save(tmp_path, series(data)))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, data)
    assert open_stored(tmp_path).dtype == dtype


@pytest.mark.parametrize("kind", ["u", "i"])
def test_unused_bits_are_cleared(tmp_path, kind):
    """Twelve bits of sixteen: overlays used to be kept in the other four."""
    low, high = (0, 4096) if kind == "u" else (-2048, 2048)
    data = np.random.default_rng(0).integers(low, high, (5, 7, 6)).astype(np.int16)
    littered = ((data.view(np.uint16) & 0x0FFF) | 0xA000).view(np.dtype(f"{kind}2"))
    save(tmp_path, series(littered, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(stored_order(tmp_path), data)


def test_monochrome1_is_inverted_within_its_bits(tmp_path):
    data = np.random.default_rng(0).integers(0, 4096, (5, 7, 6)).astype(np.uint16)
    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    save(tmp_path / "unsigned", series(data, **elements))
    np.testing.assert_array_equal(stored_order(tmp_path / "unsigned"), 4095 - data)
    signed = (data.astype(np.int16)) - 2048
    save(tmp_path / "signed", series(signed, **elements))
    np.testing.assert_array_equal(stored_order(tmp_path / "signed"), -1 - signed)
    [found] = find_series(tmp_path / "signed").series
    assert found.remarks == ("MONOCHROME1: inverted, so that bright is high",)


def test_rescaled_values_are_float32(tmp_path):
    data = voxels(dtype=np.uint16)
    save(tmp_path, series(data, RescaleSlope=2.5, RescaleIntercept=-1024, RescaleType="US"))
    found = stored_order(tmp_path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, (data * 2.5 - 1024).astype(np.float32))
    assert open_stored(tmp_path).source.header.get_data_dtype() == np.float32


def test_identity_rescale_keeps_integers(tmp_path):
    save(tmp_path, series(voxels(), RescaleSlope="1.0", RescaleIntercept="0"))
    assert stored_order(tmp_path).dtype == np.int16


def test_each_slice_may_have_its_own_slope(tmp_path):
    data = voxels(dtype=np.uint16)
    images = series(data)
    for number, one in enumerate(images, start=1):
        one.RescaleSlope, one.RescaleIntercept = number, 0
    found = stored_order(save(tmp_path, images))
    np.testing.assert_array_equal(found, data * np.arange(1, 6, dtype=np.float32)[:, None, None])


def test_large_integers_may_have_a_slope_in_some_slices_alone(tmp_path):
    data = voxels(dtype=np.int32)
    images = series(data)
    for number, one in enumerate(images, start=1):
        one.RescaleSlope, one.RescaleIntercept = number, 0
    found = stored_order(save(tmp_path, images))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, data * np.arange(1, 6, dtype=np.float32)[:, None, None])


def test_a_slope_of_zero_is_refused(tmp_path):
    save(tmp_path, series(voxels(), RescaleSlope=0, RescaleIntercept=0))
    assert refusal_of(tmp_path) == (
        "expected a rescale slope other than 0, found 0 (5 of 5 images)"
    )


@pytest.mark.parametrize("limit", [None, -1990])
def test_padding_is_set_to_the_lowest_value(tmp_path, limit):
    data = voxels()
    littered = data.copy()
    littered[1:, :2] = -2000 if limit is None else -1995
    littered[0] = -2000  # one slice of nothing else
    elements = {} if limit is None else {"PixelPaddingRangeLimit": limit}
    images = series(littered, RescaleSlope=2, RescaleIntercept=1, PixelPaddingValue=-2000)
    for one in images:
        for keyword, value in elements.items():
            one.add_new(keyword, "SS", value)
        one["PixelPaddingValue"].VR = "SS"
    found = stored_order(save(tmp_path, images))
    expected = data.copy()
    expected[1:, :2] = expected[0] = data[1:, 2:].min()
    np.testing.assert_array_equal(found, 2 * expected.astype(np.float32) + 1)
    assert find_series(tmp_path).series[0].remarks == (
        "pixels that stand for no value (padding) are set to the lowest value",
    )


@pytest.mark.filterwarnings("ignore:A value of type 'str'")
@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize(
    "keyword",
    [
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
    ],
)
def test_what_goes_without_saying_is_not_needed(tmp_path, keyword, value):
    data = voxels(dtype=np.uint16)
    images = series(data, **{keyword: value})
    np.testing.assert_array_equal(stored_order(save(tmp_path, images)), data)


def test_padding_of_0_stays(tmp_path):
    data = np.random.default_rng(0).integers(50, 900, (5, 7, 6)).astype(np.uint16)
    data[:, :2] = 0
    found = stored_order(save(tmp_path, series(data, PixelPaddingValue=0)))
    np.testing.assert_array_equal(found, data)
    assert find_series(tmp_path).series[0].remarks == ()


def test_padding_of_inverted_images_and_of_nothing_else(tmp_path):
    data = np.random.default_rng(0).integers(10, 4000, (5, 7, 6)).astype(np.uint16)
    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    littered = data.copy()
    littered[:, 0] = 4095
    save(tmp_path / "some", series(littered, PixelPaddingValue=4095, **elements))
    found = stored_order(tmp_path / "some")
    np.testing.assert_array_equal(found[:, 1:], 4095 - data[:, 1:])
    assert (found[:, 0] == 4095 - data[:, 1:].max()).all()
    save(tmp_path / "all", series(np.full_like(data, 7), PixelPaddingValue=7))
    assert (stored_order(tmp_path / "all") == 7).all()


def test_floating_pixels(tmp_path):
    data = np.random.default_rng(0).normal(size=(5, 7, 6)).astype(np.float32)
    images = series(data.view(np.uint32))
    for one, pixels in zip(images, data, strict=True):
        del one.PixelData, one.BitsStored, one.HighBit, one.PixelRepresentation
        one.FloatPixelData = pixels.tobytes()
    found = stored_order(save(tmp_path, images))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, data)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_uncompressed_transfer_syntaxes(tmp_path, syntax):
    data = voxels()
    images = series(data, syntax=syntax)
    if syntax is ExplicitVRBigEndian:
        for one, pixels in zip(images, data, strict=True):
            one.PixelData = pixels.astype(">i2").tobytes()
    np.testing.assert_array_equal(stored_order(save(tmp_path, images)), data)


def compressed_by_gdcm(folder, target, syntax):
    import gdcm

    target.mkdir()
    for path in sorted(folder.iterdir()):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(target / path.name))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    return target


@pytest.mark.parametrize(
    "name", ["JPEGLosslessProcess14_1", "JPEG2000Lossless", "JPEGLSLossless", "RLELossless"]
)
def test_lossless_compressions_by_an_independent_encoder(tmp_path, name):
    import gdcm

    data = voxels((4, 32, 24), np.uint16)
    plain = save(tmp_path / "plain", series(data))
    packed = compressed_by_gdcm(plain, tmp_path / "packed", getattr(gdcm.TransferSyntax, name))
    np.testing.assert_array_equal(stored_order(packed), data)
    assert open_stored(packed).sha256() == open_stored(plain).sha256()


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_compressed_signed_multi_frame_is_read_in_parts(tmp_path, monkeypatch, syntax):
    monkeypatch.setattr("napari_metasr.io.dicom.volume.READ_BYTES", 3 * 32 * 24 * 2)
    data = voxels((8, 32, 24), np.int16)
    one = enhanced(data)
    one.compress(syntax)
    np.testing.assert_array_equal(stored_order(save(tmp_path, [one])), data)


def test_losses_are_told(tmp_path):
    save(tmp_path, series(voxels(), LossyImageCompression="01"))
    [concern] = open_stored(tmp_path).source.concerns
    assert concern == "the images were compressed with losses"


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"syntax": "1.2.840.10008.1.2.4.102"}, "found MPEG-4 AVC/H.264 High Profile"),
        ({"syntax": "1.2.840.10008.1.2.4.201"}, "found High-Throughput JPEG 2000"),
        ({"syntax": "1.3.46.670589.33.1.4.1"}, "undone here, found an unknown one"),
        ({"HighBit": 14, "BitsStored": 12}, "found 12 up to bit 14"),
        ({"BitsAllocated": 64}, "expected 8, 16 or 32 bits for a pixel, found 64"),
        (
            {"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]},
            "found a mosaic of slices, which `dcm2niix",
        ),
        ({"PixelData": None}, "found no pixels"),
        ({"Rows": None}, "found a truncated one"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, elements, message):
    images = series(voxels())
    elements = dict(elements)
    syntax = elements.pop("syntax", None)
    for number, one in enumerate(images):
        if syntax is not None:
            one.file_meta.TransferSyntaxUID = syntax
            one.PixelData = encapsulate([one.PixelData])
            one["PixelData"].is_undefined_length = True
        for keyword, value in elements.items():
            if value is None:
                delattr(one, keyword)
            else:
                setattr(one, keyword, value)
        one.preamble = bytes(128)
        plain = {} if syntax is None else {"implicit_vr": False, "little_endian": True}
        one.save_as(tmp_path / f"{number}", enforce_file_format=False, **plain)
    assert message in refusal_of(tmp_path)


def test_colour_is_refused(tmp_path):
    pixels = np.zeros((7, 6, 3), np.uint8)
    colour = image(
        pixels, Rows=7, Columns=6, SamplesPerPixel=3, PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
    )  # fmt: skip
    assert refusal_of(save(tmp_path, [colour])) == "expected gray images, found colour (RGB)"


def test_a_damaged_image_in_the_middle_is_named_when_it_is_read(tmp_path):
    images = series(voxels((5, 32, 24), np.uint16))
    for one in images:
        one.compress(RLELossless)
    images[2].PixelData = images[2].PixelData[:60] + b"\0" * 20
    images[2]["PixelData"].VR = "OB"
    stored = open_stored(save(tmp_path, images))
    with pytest.raises(ValueError, match=r"series 3: .* found image 3 truncated or damaged"):
        list(stored.blocks())
