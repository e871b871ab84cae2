"""``napari-metasr detect``, and ``zoom`` of what it finds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from fakes.dicom import save
from fakes.dicom import series as dicom_series
from fakes.lesions import POINT, Bright, OneBox, detector_of
from PIL import Image
from pydicom import dcmread

from napari_metasr.cli import main
from napari_metasr.cli.models import FINDERS, finds_text, group_of
from napari_metasr.io import read, write_volume
from napari_metasr.lesions import detector as detectors
from napari_metasr.networks import build
from napari_metasr.weights import save_weights

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (44, 40, 12)
AFFINE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.1, -0.05, 0.2) @ np.diag([1.5, 1.5, 4.0]), [-20, -30, 10]
)
LESIONS = (slice(20, 28), slice(10, 18), slice(3, 7)), (slice(6, 10), slice(26, 30), slice(2, 5))
"""Two bright boxes, the first one larger; voxels (x, y, z) of the canonical array."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> Path:
    """A head with two bright lesions in a file stored in LIP order, and a tiny detector."""
    monkeypatch.chdir(tmp_path)
    x, y, _ = np.meshgrid(*(np.linspace(-1.2, 1.2, n) for n in SHAPE), indexing="ij")
    data = np.where(x**2 + y**2 < 1, rng.uniform(300, 500, SHAPE), 0)
    for box in LESIONS:
        data[box] = 1500
    image = nib.Nifti1Image(data.astype(np.int16), AFFINE)
    change = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(AFFINE), nib.orientations.axcodes2ornt("LIP")
    )
    nib.save(image.as_reoriented(change), "head.nii.gz")
    options = {"widths": (4, 8, 8, 8, 8)}
    save_weights(
        build("lesion-detector", **options),
        tmp_path,
        name="tiny",
        title="Tiny LD",
        network="lesion-detector",
        options=options,
        trained_scales=(1, 4),
        trained_contrasts=("T1c",),
        degradations=("bicubic",),
        intensity="",
        updates=0,
        loss="",
        schedule="",
        data=(),
        licence="CC0-1.0",
        intended_use="",
        limitations="",
        citation="",
        detection=POINT.model_copy(update={"threshold": 0.0}),
    )
    return tmp_path


@pytest.fixture
def bright(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector finds what is brighter than 0.8, whichever is asked for."""
    monkeypatch.setattr(detectors, "load_detector", lambda *_, **__: detector_of(Bright()))


DETECT = ["detect", "head.nii.gz", "--model", "tiny.safetensors", "--device", "cpu"]


def test_regions_and_mask_lie_on_the_lesions(folder, bright, capsys):
    assert main([*DETECT, "--output", "rois.json", "--mask", "mask.nii.gz"]) == 0
    mask, source = nib.load("mask.nii.gz"), nib.load("head.nii.gz")
    assert np.array_equal(mask.affine, source.affine)
    expected = np.zeros(SHAPE, np.uint8)
    for box in LESIONS:
        expected[box] = 1
    assert np.array_equal(np.asarray(nib.as_closest_canonical(mask).dataobj), expected)
    first, second = json.loads((folder / "rois.json").read_text())["lesions"]
    assert [one["slice"] for one in first["regions"]] == [3, 4, 5, 6]
    assert [first["regions"][0][key] for key in ("y", "x", "height", "width")] == [10, 20, 8, 8]
    assert first["size_mm"] == pytest.approx([12, 12, 16])
    assert second["middle"] == 3
    printed = capsys.readouterr()
    assert "looking for tumours: 100%" in printed.err
    table = printed.out.splitlines()
    assert table[0].split()[:3] == ["lesion", "score", "slices"]
    assert table[1].split()[:4] == ["1", "1.00", "3-6", "4"]
    assert table[-1].startswith("rois.json and mask.nii.gz: 2 lesions in 5 slices, by Fake")
    assert "not for diagnosis" in table[-1]


def test_the_weights_of_a_file_are_asked_and_named(folder, capsys):
    assert main([*DETECT, "--slice", "5", "--output", "rois.json"]) == 0
    found_by = json.loads((folder / "rois.json").read_text())["found_by"]
    card = json.loads((folder / "tiny.json").read_text())
    assert (found_by["name"], found_by["sha256"]) == ("tiny", card["sha256"])
    assert "1 lesion in 1 slice, by Tiny LD on cpu" in capsys.readouterr().out


def segmentation(shape=SHAPE):
    """The first lesion is labelled 1, half of the second 2; in canonical order."""
    labels = np.zeros(shape, np.uint8)
    labels[LESIONS[0]] = 1
    labels[6:8, 26:30, 2:5] = 2
    nib.save(nib.Nifti1Image(labels, AFFINE), "seg.nii.gz")


def test_regions_are_compared_with_a_segmentation(folder, bright, capsys):
    segmentation()
    found = [*DETECT, "--output", "rois.json", "--overwrite", "--truth", "seg.nii.gz"]
    assert main(found) == 0
    said = capsys.readouterr().out
    assert "seg.nii.gz: 100.0% of its voxels lie in the regions" in said
    large, small = 8 * 8 * 4, 4 * 4 * 3
    assert f"intersection over union with those {(large + small / 2) / (large + small):.3f}" in said
    assert main([*found, "--truth-labels", "1", "--slice", "4"]) == 0
    assert f"union with those {64 / (64 + 16):.3f}" in capsys.readouterr().out


def test_a_segmentation_of_another_grid_or_without_the_labels(folder, bright, capsys):
    segmentation((44, 40, 11))
    found = [*DETECT, "--output", "rois.json", "--truth", "seg.nii.gz"]
    assert main(found) == 2
    assert "expected regions on the grid of head, 12 x 40 x 44" in capsys.readouterr().err
    segmentation()
    assert main([*found, "--truth-labels", "7"]) == 2
    assert "expected the labels (7,) in the searched slices, found none" in capsys.readouterr().err
    assert not (folder / "rois.json").exists()


def test_where_nothing_is_found_nothing_is_invented(folder, monkeypatch, capsys):
    nothing = OneBox(0.2, 0.2, 0.8, 0.8, 0.1)
    monkeypatch.setattr(detectors, "load_detector", lambda *_, **__: detector_of(nothing))
    arguments = ["--model", "tiny.safetensors", "--output", "rois.json", "--mask", "mask.nii"]
    assert main(["detect", "head.nii.gz", *arguments]) == 0
    assert json.loads((folder / "rois.json").read_text())["lesions"] == []
    assert not np.asarray(nib.load("mask.nii").dataobj).any()
    assert "no lesion in no slice" in capsys.readouterr().out
    zoom = ["zoom", "head.nii.gz", "--lesion", "1", "--scale", "2", "--output", "out.nii"]
    assert main(zoom) == 2
    assert "expected lesion 1, found none by Fake" in capsys.readouterr().err
    assert not (folder / "out.nii").exists()


def test_a_picture_is_one_slice(folder, bright, capsys):
    picture = np.full((60, 70), 100, np.uint8)
    picture[20:30, 40:52] = 250
    picture[:8] = 0
    Image.fromarray(picture).save("slice.png")
    arguments = ["--model", "tiny.safetensors", "--output", "rois.json", "--mask", "mask.nii.gz"]
    assert main(["detect", "slice.png", *arguments]) == 0
    written = json.loads((folder / "rois.json").read_text())
    (region,) = written["lesions"][0]["regions"]
    assert written["unit"] == "pixels"
    assert region["stored"] == [[40, 52], [20, 30], [0, 1]]  # the file's columns, then rows
    mask = np.asarray(nib.load("mask.nii.gz").dataobj)
    assert np.array_equal(np.squeeze(mask).T, picture == 250)
    printed = capsys.readouterr()
    assert "size x, y, z (px)" in printed.out
    assert "100%" not in printed.err
    assert main(["detect", "slice.png", "--plane", "coronal", *arguments, "--overwrite"]) == 2


def test_pixels_stay_the_reduced_inputs_own(folder, bright, capsys):
    assert main([*DETECT, "--scale-input", "2", "--output", "rois.json"]) == 0
    written = json.loads((folder / "rois.json").read_text())
    assert written["scale_input"] == 2
    assert written["lesions"][0]["regions"][0]["x"] == 20
    assert "warning" not in capsys.readouterr().err
    assert main([*DETECT, "--scale-input", "6", "--output", "rois.json", "--overwrite"]) == 0
    assert "trained on slices reduced by 1 to 4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--output taken.json", "taken.json: the file exists"),
        ("--output rois.json --mask taken.nii", "taken.nii: the file exists"),
        ("--output rois.txt", "ends in .json"),
        ("--output rois.json --mask mask.png", "ends in .nii.gz, .nii, .mgz"),
        ("--output rois.json --scale-input 0.5", "at least 1 (how much it has been reduced)"),
        ("--output rois.json --scale-input nan", "at least 1"),
        ("--output rois.json --slice 12", "it has 12 axial slices"),
        ("--output rois.json --time 1", "time point 1 is outside"),
        ("--output rois.json --model meta-srgan", "expected a detector, found meta-srgan"),
        ("--output rois.json --plane coronal", None),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(folder, capsys, arguments, message):
    for name in ("taken.json", "taken.nii"):
        (folder / name).write_text("mine")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code = main([*DETECT, *arguments.split()])
    said = capsys.readouterr().err
    if message is None:
        assert code == 0
        assert "learned from volumes in axial slices; these are coronal ones" in said
        return
    assert code == 2
    assert message in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_lesion_is_super_resolved_where_it_is(folder, bright, capsys):
    zoom = ["zoom", "head.nii.gz", "--scale", "2", "--device", "cpu"]
    assert main([*zoom, "--lesion", "1", "--output", "lesion.nii"]) == 0
    printed = capsys.readouterr().out
    assert "lesion 1 of 2 by Fake, score 1.00, super-resolution ran on" in printed
    region = ["--slice", "4", "--region", "10,20,8,8"]
    assert main([*zoom, *region, "--output", "region.nii"]) == 0
    lesion, same = nib.load("lesion.nii"), nib.load("region.nii")
    np.testing.assert_allclose(lesion.affine, same.affine)
    np.testing.assert_allclose(lesion.get_fdata(), same.get_fdata(), atol=0.5)

    assert main([*zoom, "--lesion", "2", "--slice", "2", "--output", "second.nii"]) == 0
    assert nib.load("second.nii").shape == (8, 1, 8)  # stored in the source's order, L, I, P


def test_earlier_regions_and_segmentations_take_the_detectors_place(
    folder, bright, monkeypatch, capsys
):
    assert main([*DETECT, "--output", "rois.json", "--mask", "mask.nii.gz"]) == 0
    monkeypatch.setattr(detectors, "load_detector", None)
    zoom = ["zoom", "head.nii.gz", "--scale", "2", "--lesion", "1"]
    assert main([*zoom, "--rois", "rois.json", "--output", "a.nii"]) == 0
    assert main([*zoom, "--mask", "mask.nii.gz", "--output", "b.nii"]) == 0
    assert np.array_equal(nib.load("a.nii").get_fdata(), nib.load("b.nii").get_fdata())
    printed = capsys.readouterr().out
    assert "lesion 1 of 2 by rois.json" in printed
    assert "lesion 1 of 2 by mask.nii.gz, score 1.00" in printed

    for arguments, message in (
        (["--region", "1,1,4,4"], "expected --lesion or --region, found both"),
        (["--rois", "rois.json", "--mask", "mask.nii.gz"], "expected --rois or --mask, found both"),
        (["--rois", "rois.json", "--slice", "9"], "a slice of lesion 1, 3 to 6, found 9"),
        (["--rois", "rois.json", "--lesion", "3"], "from 1 (the best) to 2, found 3"),
        (["--rois", "rois.json", "--plane", "coronal"], "--plane axial looks at those"),
        (["--rois", "none.json"], "No such file"),
    ):
        assert main([*zoom, *arguments, "--output", "c.nii"]) == 2
        assert message in capsys.readouterr().err
    assert main([*zoom[:-2], "--rois", "rois.json", "--output", "c.nii"]) == 2
    assert "expected --lesion, found none" in capsys.readouterr().err
    assert not (folder / "c.nii").exists()


def test_detectors_are_listed_by_what_they_do(folder):
    from napari_metasr.weights import model_card

    card = model_card(folder / "tiny.safetensors")
    assert group_of(card) == FINDERS
    assert finds_text(card) == (
        "one box a slice (axial, full-size or reduced by up to 4), from a score of 0 on"
    )
    assert group_of(model_card("meta-srgan")) != FINDERS


# DICOM


@pytest.fixture
def series_folder(folder: Path, rng: np.random.Generator) -> Path:
    """A DICOM series of a head with two bright lesions, and a segmentation on its grid."""
    y, x = np.meshgrid(*(np.linspace(-1.2, 1.2, n) for n in (44, 40)), indexing="ij")
    data = np.where(x**2 + y**2 < 1, rng.uniform(300, 500, (12, 44, 40)), 0).astype(np.int16)
    data[3:7, 20:28, 10:18] = data[2:5, 6:10, 26:30] = 1500
    save(folder / "dicom", dicom_series(data, pixel_spacing=(1.5, 1.5), step=4.0))
    volume = read(folder / "dicom")
    labels = np.where(volume.data == 1500, 3, 0).astype(np.uint8)
    labels[-1, :2, :2] = 7
    write_volume(folder / "labels.nii.gz", labels, volume.affine, volume.source)
    return folder


SERIES = ["detect", "dicom", "--model", "tiny.safetensors", "--device", "cpu", "--output"]


def test_lesions_of_a_series_are_written_as_dicom(series_folder, bright, capsys):
    arguments = ["rois.json", "--mask", "mask.nii.gz", "--seg", "seg.dcm", "--rtstruct", "rt.dcm"]
    assert main([*SERIES, *arguments]) == 0
    told = capsys.readouterr().out
    assert "seg.dcm: the regions as a DICOM segmentation, which names the patient" in told
    assert "rt.dcm: the regions as an RT structure set, which names the patient" in told
    seg, structures = dcmread("seg.dcm"), dcmread("rt.dcm")
    lesions = json.loads((series_folder / "rois.json").read_text())["lesions"]
    names = [f"Lesion {number}" for number in range(1, len(lesions) + 1)]
    assert [one.SegmentLabel for one in seg.SegmentSequence] == names
    assert [one.ROIName for one in structures.StructureSetROISequence] == names
    count = np.count_nonzero(np.asarray(nib.load("mask.nii.gz").dataobj))
    assert np.count_nonzero(seg.pixel_array) == count


def test_labels_of_a_series_are_written_as_dicom(series_folder, capsys):
    arguments = ["rois.json", "--labels", "labels.nii.gz", "--seg", "seg.dcm"]
    assert main([*SERIES, *arguments]) == 0
    assert "in labels.nii.gz" in capsys.readouterr().out
    seg = dcmread("seg.dcm")
    assert [one.SegmentLabel for one in seg.SegmentSequence] == ["Label 3", "Label 7"]
    labels = np.asarray(nib.load("labels.nii.gz").dataobj)
    counts = {3: 0, 7: 0}
    for pixels, frame in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence, strict=True):
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        counts[(3, 7)[number - 1]] += np.count_nonzero(pixels)
    assert counts == {label: np.count_nonzero(labels == label) for label in (3, 7)}
    found_by = json.loads((series_folder / "rois.json").read_text())["found_by"]
    assert (found_by["kind"], found_by["name"]) == ("segmentation", "labels.nii.gz")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["head.nii.gz", "--seg", "seg.dcm"], "expected a DICOM series to write regions of"),
        (["dicom", "--rtstruct", "rt.nii"], "expected a name that ends in .dcm"),
        (["dicom", "--seg", "there.dcm"], "there.dcm: the file exists"),
        (["dicom", "--labels", "labels.nii.gz", "--slice", "3"], "labels are taken whole"),
    ],
)
def test_what_cannot_be_written_as_dicom_is_refused_first(
    series_folder, bright, capsys, arguments, message
):
    (series_folder / "there.dcm").write_bytes(b"mine")
    verb = ["detect", *arguments, "--output", "rois.json", "--model", "tiny.safetensors"]
    assert main(verb) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (series_folder / "rois.json").exists()
    assert not (series_folder / "seg.dcm").exists()
