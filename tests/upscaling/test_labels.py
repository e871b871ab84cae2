"""Segmentations that come along when a volume is upscaled."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import affine_with, stored
from fakes.upscaling import small_models, smooth

from napari_metasr.cli import main
from napari_metasr.io import read_volume
from napari_metasr.io.names import labels_name
from napari_metasr.io.reader import read_layers
from napari_metasr.upscaling import label_tiles
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.sidecar import read_sidecar

SHAPE = (20, 18, 9)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return small_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def scan(tmp_path):
    return stored(tmp_path / "sub-01_T1w.nii.gz", smooth(SHAPE), affine_with("LPS"))


def balls(dtype, values=(1, 2, 4)):
    """Three balls in the file's own order."""
    labels = np.zeros(SHAPE, dtype)
    places = np.indices(SHAPE)
    for value, centre in zip(values, ((5, 5, 4), (13, 6, 4), (9, 13, 5)), strict=True):
        far = sum((place - own) ** 2 for place, own in zip(places, centre, strict=True))
        labels[far < 13] = value
    return labels


def job(scan, output, models, *labels, scale=(2,), **settings):
    options = UpscaleOptions(**models, scale=scale)
    return Job(input=scan, output=output, options=options, labels=labels, device="cpu", **settings)


def done(task):
    work = task.prepare()
    for _ in work.steps():
        pass
    return work


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("uint8", (1, 2, 4)),
        ("uint16", (1, 2, 65535)),
        ("int16", (1, 2, 4)),
        ("int32", (7, 2, 10**6)),
    ],
)
def test_labels_lie_on_the_grid_of_the_output_in_their_type(tmp_path, scan, models, dtype, values):
    seg = stored(tmp_path / "sub-01_dseg.nii.gz", balls(dtype, values), affine_with("LPS"))
    output = tmp_path / "sub-01_res-2x_T1w.nii.gz"
    work = done(job(scan, output, models, seg, scale=(1.5, 2, 3)))
    image, labels = nib.load(output), nib.load(tmp_path / "sub-01_res-2x_T1w_dseg.nii.gz")
    np.testing.assert_array_equal(labels.affine, image.affine)
    assert labels.shape == image.shape
    assert (labels.get_data_dtype(), labels.header.get_intent()[0]) == (np.dtype(dtype), "label")
    assert set(np.unique(np.asarray(labels.dataobj))) == {0, *values}
    (record,) = work.carried
    for one in record.volumes:
        assert one.after == pytest.approx(one.before, rel=0.05)
        voxel = abs(np.linalg.det(labels.affine[:3, :3])) / 1000
        count = np.count_nonzero(np.asarray(labels.dataobj) == one.label)
        assert one.after == pytest.approx(count * voxel)
    assert read_sidecar(tmp_path / "sub-01_res-2x_T1w.json").labels == (record,)
    assert not list(tmp_path.glob(".*"))


def test_a_segmentation_stored_another_way_lies_where_it_lay(tmp_path, models):
    """Its file has other axes than the scan's, and the labels follow those of the scan."""
    scan = stored(tmp_path / "in.nii", smooth(SHAPE), affine_with("LPS"))
    image = nib.Nifti1Image(balls("uint8"), nib.load(scan).affine)
    turned = nib.as_closest_canonical(image)
    nib.save(turned, tmp_path / "seg.nii")
    nib.save(image, tmp_path / "same.nii")
    paths = (tmp_path / "seg.nii", tmp_path / "same.nii")
    work = done(job(scan, tmp_path / "out.nii", models, *paths))
    assert len(work.carried) == 2
    one, other = (nib.load(tmp_path / f"out_{name}.nii") for name in ("seg", "same"))
    np.testing.assert_array_equal(one.dataobj, other.dataobj)
    centre = np.argwhere(np.asarray(one.dataobj) == 4).mean(0)
    before = np.argwhere(np.asarray(image.dataobj) == 4).mean(0)
    np.testing.assert_allclose(
        nib.affines.apply_affine(one.affine, centre),
        nib.affines.apply_affine(image.affine, before),
        atol=0.1,
    )


def test_tiles_give_what_the_whole_gives(tmp_path, scan, models, monkeypatch):
    seg = stored(tmp_path / "seg.nii.gz", balls("uint8"), affine_with("LPS"))
    done(job(scan, tmp_path / "a.nii.gz", models, seg))
    monkeypatch.setattr(label_tiles, "TILE_BYTES", 300_000)
    done(job(scan, tmp_path / "b.nii.gz", models, seg))
    assert (tmp_path / "a_seg.nii.gz").read_bytes() == (tmp_path / "b_seg.nii.gz").read_bytes()


def test_labels_of_whole_numbers_in_single_precision_become_integers(tmp_path, scan, models):
    seg = stored(tmp_path / "seg.nii.gz", balls("float32"), affine_with("LPS"))
    done(job(scan, tmp_path / "out.nii.gz", models, seg))
    found = nib.load(tmp_path / "out_seg.nii.gz")
    assert found.get_data_dtype() == np.int32
    ((_, keywords, kind),) = read_layers(str(tmp_path / "out_seg.nii.gz"))
    assert (kind, keywords["name"]) == ("labels", "out_seg")


def test_labels_can_be_added_to_finished_work(tmp_path, scan, models):
    output = tmp_path / "out.nii.gz"
    done(job(scan, output, models))
    before = output.stat().st_mtime_ns
    seg = stored(tmp_path / "seg.nii.gz", balls("uint8"), affine_with("LPS"))
    work = done(job(scan, output, models, seg, resume=True))
    assert output.stat().st_mtime_ns == before
    made = (tmp_path / "out_seg.nii.gz").stat().st_mtime_ns
    again = done(job(scan, output, models, seg, resume=True))
    assert again.carried == work.carried
    assert (tmp_path / "out_seg.nii.gz").stat().st_mtime_ns == made


def test_stopped_labels_are_made_when_the_work_is_resumed(tmp_path, scan, models):
    seg = stored(tmp_path / "seg.nii.gz", balls("uint8"), affine_with("LPS"))
    output = tmp_path / "out.nii.gz"
    steps = job(scan, output, models, seg).prepare().steps()
    for _ in steps:
        if output.exists():
            break
    steps.close()
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / "out_seg.nii.gz").exists()
    done(job(scan, output, models, seg, resume=True))
    assert read_sidecar(tmp_path / "out.json").labels[0].output_name == "out_seg.nii.gz"
    assert (tmp_path / "out_seg.nii.gz").is_file()


def test_overall_progress_never_goes_back(tmp_path, scan, models):
    seg = stored(tmp_path / "seg.nii.gz", balls("uint8"), affine_with("LPS"))
    work = job(scan, tmp_path / "out.nii.gz", models, seg).prepare()
    shares = [step.overall for step in work.steps()]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


REFUSED = {
    "another shape": (np.zeros((20, 18, 8), np.uint8), "LPS", "expected regions on the grid of"),
    "another place": (np.zeros(SHAPE, np.uint8), "PIR", "expected regions"),
    "time": (np.zeros((*SHAPE, 3), np.uint8), "LPS", "of three dimensions, found 3 time points"),
    "an image": (np.full(SHAPE, 0.5, np.float32), "LPS", "expected labels that are whole numbers"),
    "many": (np.arange(20 * 18 * 9, dtype=np.int16).reshape(SHAPE), "LPS", "is this an image?"),
    "missing": (np.where(np.indices(SHAPE)[0], 0, np.nan), "LPS", "expected labels that are whole"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_segmentation_of_the_volume_is_refused_before_any_work(
    tmp_path, scan, models, monkeypatch, capsys, name
):
    labels, codes, message = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "seg.nii.gz", labels, affine_with(codes))
    arguments = ["--scale", "2", "--output", "out.nii.gz", "--labels", "seg.nii.gz"]
    assert main(["upscale", scan.name, *arguments, "--device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.nii.gz").exists()


def test_files_are_neither_replaced_nor_confused(tmp_path, scan, models, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        stored(folder / "seg.nii.gz", balls("uint8"), affine_with("LPS"))
    command = ["upscale", scan.name, "--scale", "2", "--output", "out.nii.gz", "--device", "cpu"]
    assert main([*command, "--labels", "seg.nii.gz", "other/seg.nii.gz"]) == 2
    assert "expected segmentations of different names" in capsys.readouterr().err
    (tmp_path / "out_seg.nii.gz").write_bytes(b"mine")
    assert main([*command, "--labels", "seg.nii.gz"]) == 2
    assert "out_seg.nii.gz: the file exists" in capsys.readouterr().err
    assert (tmp_path / "out_seg.nii.gz").read_bytes() == b"mine"
    stored(tmp_path / "out_seg.nii.gz", balls("uint8"), affine_with("LPS"))
    (tmp_path / "out_seg.nii.gz").rename(tmp_path / "kept.nii.gz")
    (tmp_path / "out_kept.nii.gz").hardlink_to(tmp_path / "kept.nii.gz")
    assert main([*command, "--labels", "kept.nii.gz", "--overwrite"]) == 2
    assert "would replace the input" in capsys.readouterr().err


def test_the_command_prints_volumes(tmp_path, scan, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "seg.nii.gz", balls("uint8"), affine_with("LPS"))
    arguments = ["--scale", "2,2,1", "--output", "out.nii.gz", "--labels", "seg.nii.gz"]
    assert main(["upscale", scan.name, *arguments, "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines if line.split()[0] in {"1", "2", "4"}]
    assert [row[0] for row in table] == ["1", "2", "4"]
    record = json.loads((tmp_path / "out.json").read_text())["Labels"][0]
    for row, one in zip(table, record["Volumes"], strict=True):
        assert [float(cell) for cell in row[1:3]] == pytest.approx(
            [one["Before"], one["After"]], rel=1e-3
        )
    assert read_volume(tmp_path / "out_seg.nii.gz").source.holds_labels


@pytest.mark.parametrize(
    ("output", "segmentation", "expected"),
    [
        ("sub-01_res-2x_desc-metasr_T1w.nii.gz", "sub-01_dseg.nii.gz", "_dseg.nii.gz"),
        ("G-00-t1c_x2.nii", "G-00-seg.nii.gz", "_seg.nii"),
        ("out.nii.gz", "lesions.nii", "_lesions.nii.gz"),
        ("seg_fine.nii.gz", "seg.nii.gz", "_seg.nii.gz"),
        ("a_.nii.gz", "a_.nii.gz", "_a_.nii.gz"),
    ],
)
def test_labels_are_called_as_the_output_and_the_segmentation(
    tmp_path, output, segmentation, expected
):
    found = labels_name(tmp_path / output, tmp_path / segmentation)
    assert found == output.partition(".")[0] + expected
