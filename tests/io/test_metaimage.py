"""MetaImage: encodings, and what is refused."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from fakes.headers import meta_file
from fakes.itk import points_and_values, same_as_itk
from fakes.nifti import asymmetric

from napari_metasr.io import read_volume


@pytest.mark.parametrize(
    ("fields", "packed"),
    [
        ({}, lambda data: data.tobytes("F")),
        ({"BinaryDataByteOrderMSB": "True"}, lambda data: data.astype(">i2").tobytes("F")),
        ({"CompressedData": "True"}, lambda data: zlib.compress(data.tobytes("F"))),
        ({"HeaderSize": "-1"}, lambda data: b"junk" + data.tobytes("F")),
        (
            {"BinaryData": "False"},
            lambda data: " ".join(map(str, data.ravel("F"))).encode(),
        ),
    ],
    ids=["raw", "big endian", "zlib", "at the end", "ascii"],
)
def test_encodings_of_metaimage(tmp_path, fields, packed):
    data = asymmetric()
    path = meta_file(tmp_path / "in.mha", data, body=packed(data), **fields)
    if fields.keys() <= {"BinaryDataByteOrderMSB"}:  # the others it reads from its own files only
        same_as_itk(path)
    world, values = points_and_values(read_volume(path))
    expected = points_and_values(read_volume(meta_file(tmp_path / "plain.mha", data)))
    np.testing.assert_array_equal(values, expected[1])
    np.testing.assert_array_equal(world, expected[0])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ElementNumberOfChannels": "3"}, "found 3 values"),
        ({"ElementType": "MET_SHORT_ARRAY"}, "found the type"),
        ({"DimSize": "5 6"}, "expected a size"),
        ({"DimSize": "a b c"}, "expected numbers as DimSize"),
        ({"DimSize": "99999 99999 99999"}, "cannot hold"),
        ({"DimSize": "900 900 900", "CompressedData": "True"}, "cannot hold"),
        ({"TransformMatrix": "1 0 0 1"}, "the geometry"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "singular"),
        ({"ElementSpacing": "nan 1 1"}, "finite"),
        ({"ElementDataFile": "LIST"}, "found a list"),
        ({"ElementDataFile": "../x.raw"}, "beside the header"),
        ({"ObjectType": "Scene"}, "another header"),
        ({"DimSize": "5 6 7 2 2", "NDims": "5"}, "geometry|one dimension beyond space"),
    ],
)
def test_metaimage_that_is_no_gray_image_is_refused_in_one_line(tmp_path, fields, said):
    path = meta_file(tmp_path / "in.mha", asymmetric(), **fields)
    with pytest.raises(ValueError, match=said) as caught:
        read_volume(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["schädel.raw", "頭 1.raw", "a b.raw"])
def test_a_data_file_of_any_name_is_found(tmp_path, name):
    data = asymmetric()
    (tmp_path / name).write_bytes(data.tobytes("F"))
    path = meta_file(tmp_path / "a.mhd", data, body=b"", ElementDataFile=name)
    same_as_itk(path)


@pytest.mark.parametrize(("spacing", "step"), [("1", None), ("2.5", 2.5), ("nan", None)])
def test_a_spacing_of_time_is_a_step_unless_it_is_the_default(tmp_path, spacing, step):
    path = meta_file(
        tmp_path / "a.mha",
        asymmetric((3, 4, 5, 2)),
        ElementSpacing=f"1 1 2 {spacing}",
        TransformMatrix=" ".join(map(str, np.eye(4, dtype=int).ravel())),
        Offset="0 0 0 0",
    )
    header = read_volume(path).source.header
    assert (header and float(header.get_zooms()[3])) == step
