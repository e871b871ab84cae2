"""NRRD: encodings, spaces, data beside the header, and what is refused."""

from __future__ import annotations

import bz2
import gzip

import nrrd
import numpy as np
import pytest
from fakes.headers import nrrd_file
from fakes.itk import same_as_itk
from fakes.nifti import SHAPE, asymmetric

from napari_metasr.io import read_volume
from napari_metasr.io.opening import files_of, open_stored
from napari_metasr.io.stored import StoredVolume


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("raw", lambda data: data.tobytes("F")),
        ("gzip", lambda data: gzip.compress(data.tobytes("F"))),
        ("bz2", lambda data: bz2.compress(data.tobytes("F"))),
        ("ascii", lambda data: " ".join(map(str, data.ravel("F"))).encode()),
        ("text", lambda data: "\n".join(map(str, data.ravel("F"))).encode()),
    ],
)
@pytest.mark.parametrize("space", ["left-posterior-superior", "RAS", "left-anterior-superior"])
def test_encodings_and_spaces_of_nrrd(tmp_path, encoding, packed, space):
    data = asymmetric()
    path = nrrd_file(tmp_path / "in.nrrd", data, body=packed(data), encoding=encoding, space=space)
    if encoding != "bz2":  # which SimpleITK is built without
        same_as_itk(path)
    volume = read_volume(path)
    np.testing.assert_array_equal(np.sort(volume.data.ravel()), np.sort(data.ravel()))
    signs = {"l": (-1, -1, 1), "R": (1, 1, 1)}[space[0]]
    signs = (-1, 1, 1) if "anterior" in space else signs
    expected = np.diag([*signs, 1]) @ [
        [-0.7, 0, 0, 3],
        [0, 1.1, 0, 4],
        [0, 0, 2.5, 5],
        [0, 0, 0, 1],
    ]
    np.testing.assert_allclose(volume.source.affine, expected)


def test_big_endian_skips_and_data_beside_the_header(tmp_path):
    data = asymmetric()
    big = data.astype(">i2").tobytes("F")
    (tmp_path / "in.raw").write_bytes(b"a line\n" + b"1234" + big)
    path = nrrd_file(
        tmp_path / "in.nhdr",
        data,
        endian="big",
        data_file="in.raw",
        line_skip=1,
        byte_skip=4,
        body=b"\n",
    )
    expected, _ = nrrd.read(str(path))
    np.testing.assert_array_equal(expected, data)
    same_as_itk(path)
    assert {one.name for one in open_stored(path).files} == {"in.nhdr", "in.raw"}
    assert {one.name for one in files_of(path)} == {"in.nhdr", "in.raw"}
    digest = open_stored(path).sha256()
    (tmp_path / "in.raw").write_bytes(b"a line\n" + b"1234" + big[:-1] + b"x")
    assert open_stored(path).sha256() != digest
    path = nrrd_file(tmp_path / "end.nrrd", data, byte_skip=-1, body=b"junk" + data.tobytes("F"))
    np.testing.assert_array_equal(
        StoredVolume.open(path).canonical_part(data, 0, 0)[1][0], read_volume(path).data
    )


def test_a_flat_nrrd_is_read_as_a_flat_image(tmp_path):
    data = asymmetric((5, 6))
    path = nrrd_file(
        tmp_path / "a.nrrd", data, space=None, space_directions=None, space_origin=None
    )
    with pytest.warns(UserWarning, match="holds no orientation"):
        assert read_volume(path).data.shape == (6, 5)
    with pytest.raises(ValueError, match="found a 2-D image"):
        open_stored(path)


VECTORS = "none (-0.7,0,0) (0,1.1,0) (0,0,2.5)"


@pytest.mark.parametrize(
    ("fields", "shape", "said"),
    [
        (
            {"space_directions": VECTORS, "kinds": "vector domain domain domain"},
            (3, 5, 6, 7),
            "found 3 values along axis 0, of the kind vector",
        ),
        (
            {"space_directions": VECTORS, "kinds": "RGB-color space space space"},
            (3, 5, 6, 7),
            "of the kind rgb-color",
        ),
        ({"type": "block"}, SHAPE, "found the type 'block'"),
        ({"encoding": "hex"}, SHAPE, "found 'hex'"),
        ({"endian": None}, SHAPE, "the order of bytes"),
        ({"sizes": "5 6"}, SHAPE, "expected 3 sizes, found 2"),
        ({"sizes": "5 6 -7"}, SHAPE, "found shape"),
        ({"sizes": "9999999 9999999 9999999"}, SHAPE, "cannot hold"),
        ({"sizes": "900 900 900", "encoding": "gzip"}, SHAPE, "cannot hold"),
        ({"sizes": "900 900 900", "encoding": "ascii"}, SHAPE, "cannot hold"),
        ({"space_directions": "(1,0,0) (2,0,0) (0,0,1)"}, SHAPE, "singular"),
        ({"space_directions": "(1,0) (0,1)"}, SHAPE, "directions|axis 2"),
        ({"data_file": "../in.raw"}, SHAPE, "beside the header"),
        ({"data_file": "/etc/hostname"}, SHAPE, "beside the header"),
        ({"data_file": "LIST"}, SHAPE, "found a list"),
        ({"data_file": "in%03d.raw 1 7 1"}, SHAPE, "found a list"),
        ({"dimension": "three"}, SHAPE, "expected a NRRD header"),
    ],
)
def test_nrrd_that_is_no_gray_image_is_refused_in_one_line(tmp_path, fields, shape, said):
    path = nrrd_file(tmp_path / "in.nrrd", asymmetric(shape), **fields)
    with pytest.raises(ValueError, match=said) as caught:
        read_volume(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("mm", 1), ("µm", 1e-3), ("\u03bcm", 1e-3), ("micrometers", 1e-3), ("um", 1e-3), ("", 1)],
)
def test_units_of_space_in_every_spelling(tmp_path, unit, factor):
    path = nrrd_file(tmp_path / "a.nrrd", asymmetric(), space_units=" ".join([f'"{unit}"'] * 3))
    volume = read_volume(path)
    assert volume.spacing == pytest.approx((2.5 * factor, 1.1 * factor, 0.7 * factor))
    assert not volume.source.concerns


@pytest.mark.parametrize(
    ("unit", "seconds"),
    [("s", 2), ("seconds", 2), ("ms", 2e-3), ("msec", 2e-3), ("µs", 2e-6), ("\u03bcs", 2e-6)],
)
def test_units_of_time_in_every_spelling(tmp_path, unit, seconds):
    path = nrrd_file(
        tmp_path / "a.nrrd",
        asymmetric((5, 6, 7, 3)),
        kinds="domain domain domain time",
        space_directions="(-0.7,0,0) (0,1.1,0) (0,0,2.5) none",
        spacings="nan nan nan 2",
        units=f'"" "" "" "{unit}"',
    )
    header = read_volume(path).source.header
    assert header.get_zooms()[3] == pytest.approx(seconds)
    assert header.get_xyzt_units() == ("mm", "sec")


def test_a_unit_that_is_not_known_is_said(tmp_path):
    path = nrrd_file(tmp_path / "a.nrrd", asymmetric(), space_units='"inch" "inch" "inch"')
    with pytest.warns(UserWarning, match="unit of space 'inch' is not known: mm is assumed"):
        volume = read_volume(path)
    assert volume.source.is_oriented
    assert volume.spacing == pytest.approx((2.5, 1.1, 0.7))


@pytest.mark.parametrize("name", ["schädel.raw", "頭 1.raw", "a b.raw"])
def test_a_data_file_of_any_name_is_found(tmp_path, name):
    data = asymmetric()
    (tmp_path / name).write_bytes(data.tobytes("F"))
    path = nrrd_file(tmp_path / "a.nhdr", data, data_file=name, body=b"\n")
    same_as_itk(path)


def test_a_segmentation_of_slicer_holds_labels(tmp_path):
    data = asymmetric()
    path = nrrd_file(tmp_path / "a.nrrd", data)
    path.write_bytes(path.read_bytes().replace(b"key:=value", b"Segment0_ID:=Segment_1"))
    assert read_volume(path).source.holds_labels
