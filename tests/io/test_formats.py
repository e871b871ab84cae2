"""Files of all formats: the same voxels at the same places as others read and write."""

from __future__ import annotations

import gzip
import json
import os

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from fakes.headers import meta_file, nrrd_file
from fakes.itk import itk_image, itk_points_and_values, points_and_values, same_as_itk
from fakes.nifti import ORIENTATIONS, affine_with, asymmetric, stored
from nibabel.affines import apply_affine
from nibabel.freesurfer.mghformat import MGHHeader

from napari_metasr.cli import main
from napari_metasr.io import read, read_volume, write_volume
from napari_metasr.io.layers import layer_data
from napari_metasr.io.opening import open_stored
from napari_metasr.io.reader import get_reader
from napari_metasr.io.unfinished import UnfinishedVolume
from napari_metasr.io.writer import write_image
from napari_metasr.volume import Source

WRITTEN = (".nii", ".nii.gz", ".mgh", ".mgz", ".nrrd", ".mha")


def freesurfer(path):
    """What nibabel reads; its own opening of files leaves them open."""
    content = path.read_bytes()
    return nib.MGHImage.from_bytes(gzip.decompress(content) if path.suffix == ".mgz" else content)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("codes", ORIENTATIONS[::5])
def test_what_simpleitk_writes_is_read_as_it_reads_it(tmp_path, codes, suffix, compressed):
    path = tmp_path / f"in{suffix}"
    image = itk_image(asymmetric(), affine_with(codes, oblique=True))
    SimpleITK.WriteImage(image, str(path), useCompression=compressed)
    same_as_itk(path)
    assert read_volume(path).source.is_oriented


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
@pytest.mark.parametrize("codes", ORIENTATIONS[::3])
def test_what_nibabel_writes_for_freesurfer_is_read_as_it_reads_it(tmp_path, codes, suffix):
    path, data = tmp_path / f"in{suffix}", asymmetric()
    nib.save(nib.MGHImage(data, affine_with(codes, oblique=True)), path)
    volume, expected = read_volume(path), nib.as_closest_canonical(freesurfer(path))
    np.testing.assert_array_equal(volume.data, np.asanyarray(expected.dataobj).T)
    np.testing.assert_allclose(volume.affine, expected.affine, atol=1e-4)
    assert volume.source.is_oriented


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("suffix", WRITTEN)
@pytest.mark.parametrize("codes", ORIENTATIONS[::4])
def test_what_is_written_is_what_others_read(tmp_path, codes, suffix, oblique):
    affine = affine_with(codes, oblique=oblique)
    volume = read_volume(stored(tmp_path / "in.nii", asymmetric(), affine))
    path = tmp_path / f"out{suffix}"
    write_volume(path, volume.data, volume.affine, volume.source, description="made\nof it")
    world, values = points_and_values(volume)
    if suffix in {".mgh", ".mgz"}:
        image = freesurfer(path)
        np.testing.assert_array_equal(np.asanyarray(image.dataobj), asymmetric())
        np.testing.assert_allclose(image.affine, affine, atol=1e-4)
    else:
        expected_world, expected = itk_points_and_values(path)
        np.testing.assert_allclose(world, expected_world, atol=2e-3)
        np.testing.assert_array_equal(values, expected)
    again, expected = points_and_values(read_volume(path))
    np.testing.assert_allclose(again, world, atol=2e-3)
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("suffix", [".mgz", ".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
def test_types_and_time_stay(tmp_path, suffix, dtype):
    data = asymmetric((5, 6, 7, 3)).astype(dtype)
    volume = read_volume(stored(tmp_path / "in.nii", data, affine_with("PSR")))
    path = write_volume(tmp_path / f"out{suffix}", volume.data, volume.affine, volume.source)
    again = read_volume(path)
    np.testing.assert_array_equal(again.data, volume.data)
    assert again.data.dtype == dtype
    assert again.source.orientation == "PSR"


def test_the_step_of_a_series_stays_in_a_file_of_freesurfer(tmp_path):
    image = nib.Nifti1Image(asymmetric((5, 6, 7, 3)), affine_with("RAS"))
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((0.7, 1.1, 2.5, 2.5))
    nib.save(image, tmp_path / "in.nii")
    volume = read_volume(tmp_path / "in.nii")
    path = write_volume(tmp_path / "out.mgz", volume.data, volume.affine, volume.source)
    assert freesurfer(path).header["tr"] == 2500


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
def test_the_step_of_a_series_of_freesurfer_is_read(tmp_path, suffix):
    image = nib.MGHImage(asymmetric((5, 6, 7, 3)), affine_with("RAS"))
    image.header["tr"] = 2500
    nib.save(image, tmp_path / f"in{suffix}")
    volume = read_volume(tmp_path / f"in{suffix}")
    path = write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    assert nib.load(path).header.get_zooms()[3] == 2.5
    assert nib.load(path).header.get_xyzt_units() == ("mm", "sec")


def test_a_type_that_a_format_lacks_is_widened_or_refused(tmp_path):
    data = np.arange(24, dtype=np.int8).reshape(2, 3, 4)
    path = write_volume(tmp_path / "a.mgz", data, np.eye(4), Source("a"))
    assert freesurfer(path).get_data_dtype() == np.dtype(">i2")
    np.testing.assert_array_equal(read_volume(path).data, data)
    for suffix in ("mgz", "mha", "nrrd"):
        dtype = np.uint32 if suffix == "mgz" else np.float16
        with pytest.raises(ValueError, match="expected a type that"):
            write_volume(tmp_path / f"b.{suffix}", data, np.eye(4), Source("b"), dtype=dtype)
        assert not (tmp_path / f"b.{suffix}").exists()


def test_a_file_without_directions_says_so_and_what_is_made_of_it_lies_in_its_place(tmp_path):
    data = asymmetric()
    header = MGHHeader()
    nib.save(nib.MGHImage(data, None, header), tmp_path / "c.mgz")
    content = bytearray(gzip.decompress((tmp_path / "c.mgz").read_bytes()))
    content[28:30] = b"\0\0"
    (tmp_path / "c.mgz").write_bytes(gzip.compress(bytes(content)))
    for path in (
        meta_file(tmp_path / "a.mha", data, TransformMatrix=None),
        nrrd_file(tmp_path / "a.nrrd", data, space=None, space_directions=None, space_origin=None),
        nrrd_file(tmp_path / "b.nrrd", data, space="scanner-xyz"),
        tmp_path / "c.mgz",
    ):
        with pytest.warns(UserWarning, match="holds no orientation"):
            volume = read_volume(path)
        assert not volume.source.is_oriented
        for suffix in (".nrrd", ".mha", ".nii"):
            out = tmp_path / f"{path.stem}-{path.suffix[1:]}-out{suffix}"
            write_volume(out, volume.data, volume.affine, volume.source)
            with pytest.warns(UserWarning, match="holds no orientation"):
                made = read_volume(out)
            assert not made.source.is_oriented
            np.testing.assert_array_equal(made.data, volume.data)
            np.testing.assert_allclose(made.affine, volume.affine, atol=1e-5)


def test_colours_and_vectors_of_simpleitk_are_refused(tmp_path):
    image = SimpleITK.GetImageFromArray(np.zeros((4, 5, 6, 3), np.float32), isVector=True)
    for suffix in (".nrrd", ".mha"):
        path = tmp_path / f"in{suffix}"
        SimpleITK.WriteImage(image, str(path))
        with pytest.raises(ValueError, match="in every voxel, found"):
            read_volume(path)


def test_freesurfer_files_that_claim_too_much_or_are_none(tmp_path):
    path = tmp_path / "in.mgz"
    nib.save(nib.MGHImage(asymmetric(), affine_with("RAS")), path)
    content = bytearray(gzip.decompress(path.read_bytes()))

    def with_bytes(place, new):
        changed = bytearray(content)
        changed[place : place + len(new)] = new
        (tmp_path / "out.mgz").write_bytes(gzip.compress(bytes(changed)))
        return tmp_path / "out.mgz"

    for place, new, said in (
        (4, (30000).to_bytes(4, "big") * 3, "cannot hold"),
        (4, (-1).to_bytes(4, "big", signed=True), "found shape"),
        (20, (9).to_bytes(4, "big"), "found code 9"),
        (0, b"\0\0\0\2", "another header"),
        (30, b"\x7f\xc0\0\0", "finite"),
    ):
        with pytest.raises(ValueError, match=said) as caught:
            read_volume(with_bytes(place, new))
        assert len(str(caught.value).splitlines()) == 1
    (tmp_path / "cut.mgh").write_bytes(content[:400])
    with pytest.raises(ValueError, match="cannot hold"):
        read_volume(tmp_path / "cut.mgh")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".mgz"])
def test_a_damaged_body_is_refused(tmp_path, suffix):
    path = tmp_path / f"in{suffix}"
    data = np.random.default_rng(1).integers(0, 9999, (30, 31, 32)).astype(np.int16)
    if suffix == ".mgz":
        nib.save(nib.MGHImage(data, np.eye(4)), path)
    else:
        SimpleITK.WriteImage(itk_image(data, np.eye(4)), str(path), useCompression=True)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="found a truncated or damaged one"):
        read_volume(path)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_file_written_in_parts_is_the_file_written_whole(tmp_path, suffix):
    volume = read_volume(stored(tmp_path / "in.nii", asymmetric(), affine_with("PSR")))
    whole = tmp_path / f"whole{suffix}"
    write_volume(whole, volume.data, volume.affine, volume.source, description="it")
    parts = UnfinishedVolume.at(
        tmp_path / "parts",
        (1, *volume.data.shape),
        volume.affine,
        volume.source,
        volume.data.dtype,
        "it",
        output=whole,
    )
    parts.create()
    assert parts.is_begun
    parts.write(tuple(slice(0, size) for size in parts_shape(volume)), volume.data[np.newaxis])
    content = whole.read_bytes()
    if suffix in {".nii.gz", ".mgz"}:
        content = gzip.decompress(content)
    if suffix == ".nrrd":
        start = len(parts.start.content)
        content = content[:start] + gzip.decompress(content[start:])
    assert (tmp_path / "parts").read_bytes() == content


def parts_shape(volume):
    return (1, *volume.data.shape)


@pytest.mark.parametrize("suffix", [".mgz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_the_reader_and_the_writer_of_napari_take_them(tmp_path, suffix):
    path = tmp_path / f"in{suffix}"
    if suffix == ".mgz":
        nib.save(nib.MGHImage(asymmetric(), affine_with("LPS")), path)
    else:
        SimpleITK.WriteImage(itk_image(asymmetric(), affine_with("LPS")), str(path))
    (data, keywords, kind), *_ = get_reader(str(path))([str(path)])
    assert (kind, keywords["units"]) == ("image", ("mm",) * 3)
    written = {".nhdr": ".nrrd", ".mhd": ".mha"}.get(suffix, suffix)
    write_image(str(tmp_path / f"out{written}"), data, keywords)
    np.testing.assert_array_equal(read(tmp_path / f"out{written}").data, data)
    with pytest.raises(ValueError, match=r"would replace|expected a name that ends"):
        write_image(str(path), data, keywords)


def test_a_segmentation_of_slicer_becomes_labels(tmp_path):
    image = itk_image((asymmetric() > 1500).astype(np.uint8), affine_with("LPS"))
    SimpleITK.WriteImage(image, str(tmp_path / "head.seg.nrrd"))
    (_, _, kind), *_ = get_reader(str(tmp_path / "head.seg.nrrd"))([tmp_path / "head.seg.nrrd"])
    assert kind == "labels"
    assert layer_data(read(tmp_path / "head.seg.nrrd"))[2] == "image"


@pytest.mark.parametrize("suffix", [".mgz", ".nrrd", ".mha"])
def test_every_verb_takes_them(tmp_path, suffix, capsys):
    data = np.random.default_rng(2).integers(0, 900, (40, 44, 3)).astype(np.int16)
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])
    volume = read_volume(stored(tmp_path / "in.nii", data, affine))
    scan = write_volume(tmp_path / f"in{suffix}", volume.data, volume.affine, volume.source)
    for verb, output, *more in (
        ("info", None),
        ("zoom", "zoomed", "--scale", "2"),
        ("upscale", "upscaled", "--scale", "2,2,1"),
        (
            "detect",
            None,
            "--output",
            str(tmp_path / "rois.json"),
            "--mask",
            str(tmp_path / f"m{suffix}"),
        ),
    ):
        written = ["--output", str(tmp_path / f"{output}{suffix}")] if output else []
        assert main([verb, str(scan), *more, *written]) == 0, capsys.readouterr().err
    upscaled = read(tmp_path / f"upscaled{suffix}")
    assert upscaled.data.shape == (3, 88, 80)
    assert upscaled.source.orientation == "LPS"
    first = np.array([-0.5, -0.5, -0.5])
    np.testing.assert_allclose(
        apply_affine(upscaled.source.affine, first), apply_affine(affine, first), atol=1e-3
    )
    record = (tmp_path / "upscaled.json").read_text()
    assert f'"in{suffix}"' in record
    assert f'"upscaled{suffix}"' in record


@pytest.mark.parametrize("suffix", [".mgh", ".mgz", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint32", "int64"])
def test_labels_are_labels_again_in_every_format(tmp_path, suffix, dtype):
    scan = read_volume(stored(tmp_path / "scan.nii", asymmetric(), affine_with("LPS")))
    labels = (scan.data % 3).astype(dtype)
    path = tmp_path / f"regions{suffix}"
    write_volume(path, labels, scan.affine, scan.source, labels=True)
    found = read_volume(path)
    assert found.source.holds_labels
    assert get_reader(str(path))(str(path))[0][2] == "labels"
    np.testing.assert_array_equal(found.data, labels)
    write_volume(path, labels, scan.affine, scan.source, overwrite=True)
    assert not read_volume(path).source.holds_labels
    if suffix in {".nrrd", ".mha"}:
        same_as_itk(path)
    elif suffix != ".nii.gz":
        np.testing.assert_array_equal(np.asanyarray(freesurfer(path).dataobj) % 1, 0)


def test_whole_numbers_that_freesurfer_cannot_hold_are_refused(tmp_path):
    data = np.full((2, 3, 4), 2**31, np.int64)
    with pytest.raises(ValueError, match="can hold, found int64"):
        write_volume(tmp_path / "a.mgz", data, np.eye(4), Source("a"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("intent", "labels"), [(0, False), (1, True), (0xFFFF, False)])
def test_the_intent_of_freesurfer_is_no_other_format(tmp_path, intent, labels):
    image = nib.MGHImage(asymmetric(), affine_with("LPS"))
    path = tmp_path / "a.mgh"
    nib.save(image, path)
    content = path.read_bytes()
    path.write_bytes((intent << 8 | 1).to_bytes(4, "big") + content[4:])
    found = read_volume(path)
    assert found.source.holds_labels == labels
    expected = nib.as_closest_canonical(image)
    np.testing.assert_array_equal(found.data, np.asanyarray(expected.dataobj).T)
    path.write_bytes((3 << 8 | 1).to_bytes(4, "big") + content[4:])
    with pytest.raises(ValueError, match=r"brightness in every voxel, found a warp"):
        read_volume(path)


@pytest.mark.parametrize("suffix", [".mgz", ".nrrd", ".mha"])
def test_the_step_of_a_series_goes_through_every_format(tmp_path, suffix):
    data, affine = asymmetric((5, 6, 7, 3)), affine_with("LAS")
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm", "msec")
    image.header.set_zooms((*image.header.get_zooms()[:3], 2500))
    nib.save(image, tmp_path / "in.nii")
    volume = read_volume(tmp_path / "in.nii")
    write_volume(tmp_path / f"a{suffix}", volume.data, volume.affine, volume.source)
    there = read_volume(tmp_path / f"a{suffix}")
    write_volume(tmp_path / "back.nii", there.data, there.affine, there.source)
    back = nib.load(tmp_path / "back.nii")
    assert isinstance(back, nib.Nifti1Image)
    assert not isinstance(back, nib.Nifti2Image)
    assert back.header.get_zooms()[3] == 2.5
    assert back.header.get_xyzt_units() == ("mm", "sec")
    np.testing.assert_array_equal(np.asanyarray(back.dataobj), data)
    np.testing.assert_allclose(back.affine, affine, atol=1e-4)


def test_itk_reads_a_series_and_its_step(tmp_path):
    data = asymmetric((5, 6, 7, 3))
    image = nib.Nifti1Image(data, affine_with("LAS"))
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((*image.header.get_zooms()[:3], 2.5))
    nib.save(image, tmp_path / "in.nii")
    volume = read_volume(tmp_path / "in.nii")
    for suffix in (".nrrd", ".mha"):
        write_volume(tmp_path / f"a{suffix}", volume.data, volume.affine, volume.source)
    meta, nrrd = (SimpleITK.ReadImage(str(tmp_path / f"a{one}")) for one in (".mha", ".nrrd"))
    assert meta.GetSpacing() == pytest.approx((0.7, 1.1, 2.5, 2.5))
    assert (meta.GetSize(), nrrd.GetSize()) == ((5, 6, 7, 3), (5, 6, 7))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(meta), data.T)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(nrrd), np.moveaxis(data.T, 0, -1))


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
def test_freesurfer_becomes_a_file_of_nifti_1(tmp_path, suffix):
    nib.save(nib.MGHImage(asymmetric(), affine_with("LIA")), tmp_path / f"in{suffix}")
    volume = read_volume(tmp_path / f"in{suffix}")
    path = write_volume(tmp_path / "out.nii", volume.data, volume.affine, volume.source)
    assert path.read_bytes()[344:347] == b"n+1"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "Git LFS"),
        (b"/annex/objects/MD5E-s123--abc.nii.gz\n", "git-annex"),
    ],
)
@pytest.mark.parametrize("suffix", [".nii.gz", ".mgz", ".nrrd", ".mha"])
def test_files_that_are_not_fetched_are_named(tmp_path, suffix, content, found):
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"found a pointer of {found} to one that is not fetched"):
        read_volume(path)
    path.unlink()
    path.symlink_to(".git/annex/objects/MD5E-s123--abc")
    with pytest.raises(FileNotFoundError, match="a link to a file that is not there"):
        read_volume(path)


def test_a_scan_of_an_older_system_s_name_is_upscaled(tmp_path, capsys):
    path = tmp_path / os.fsdecode(b"Sch\xe4del.nii")
    try:
        path.touch()
    except OSError:
        pytest.skip("needs a disk that takes names of any bytes")
    stored(path, asymmetric((8, 9, 2)), affine_with("RAS"))
    volume = read(path)
    assert volume.source.name == "Sch\ufffddel"
    assert open_stored(path).record_names == ("Sch\ufffddel.nii",)
    output = tmp_path / "out.nii"
    assert main(["upscale", str(path), "--scale", "2,2,1", "--output", str(output)]) == 0
    assert json.loads(output.with_suffix(".json").read_text("utf-8"))["Sources"] == [
        "Sch\ufffddel.nii"
    ]
