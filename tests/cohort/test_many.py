"""Many volumes: which they are, what their outputs are called, and what becomes of each."""

from __future__ import annotations

import json
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from fakes.cohort import dataset
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from napari_metasr.cohort import work_item
from napari_metasr.cohort.bids import (
    check_dataset,
    derivative_name,
    describe_dataset,
    resolution_label,
)
from napari_metasr.cohort.inputs import find_inputs
from napari_metasr.cohort.items import items_of, output_folders
from napari_metasr.cohort.work_item import StoppedError, carry_out
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detection import Detection
from napari_metasr.lesions.detector import Detector
from napari_metasr.lesions.search import Searched
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.lesion_search import LesionBoxes
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.provenance import fingerprint
from napari_metasr.upscaling.sidecar import read_sidecar
from napari_metasr.upscaling.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (12, 12, 6)


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ({"spacing": (0.7,)}, "0p7mm"),
        ({"spacing": (0.5, 0.5, 1)}, "0p5x0p5x1mm"),
        ({"spacing": (0.00001,)}, "0p00001mm"),
        ({"scale": (2,)}, "2x"),
        ({"scale": (2.7,)}, "2p7x"),
        ({"scale": (2, 1.5, 1)}, "2x1p5x1x"),
    ],
)
def test_the_grid_is_told_in_letters_and_digits(options, label):
    assert resolution_label(UpscaleOptions(**options)) == label
    assert label.isalnum()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("sub-01_T1w", "sub-01_res-2x_desc-metasr_T1w.nii.gz"),
        (
            "sub-01_ses-1_acq-x_run-02_T1w",
            "sub-01_ses-1_acq-x_run-02_res-2x_desc-metasr_T1w.nii.gz",
        ),
        (
            "sub-01_space-MNI_res-1_den-3k_label-GM_desc-preproc_T2w",
            "sub-01_space-MNI_res-2x_den-3k_label-GM_desc-preprocmetasr_T2w.nii.gz",
        ),
    ],
)
def test_entities_keep_their_order_and_gain_two(name, made):
    assert derivative_name(name, "2x") == made


@pytest.mark.parametrize(
    "name",
    [
        "head",
        "T1w_sub-01",
        "ses-1_T1w",
        "sub-01_my scan_T1w",
        "sub-01_acq-a_acq-b_T1w",
        "sub-01_acq-_T1w",
        "sub-01",
    ],
)
def test_names_that_bids_does_not_know_are_refused(name):
    with pytest.raises(ValueError, match="BIDS"):
        derivative_name(name, "2x")


def test_a_dataset_s_t1_weighted_volumes_are_found(tmp_path):
    wanted = ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii"]
    aside = [
        "derivatives/other/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz",
        "sourcedata/sub-03/anat/sub-03_T1w.nii.gz",
        "sub-01/anat/sub-01_res-2x_desc-metasr_T1w.nii.gz",
        "out/sub-01_T1w.nii.gz",
    ]
    passed = [
        "sub-01/anat/.sub-01_T1w.nii.gz.unfinished/output_T1w.nii",
        "sub-01/anat/sub-01_T1w.json",
        "sub-01/anat/sub-01_T2w.nii.gz",
        "sub-01/anat/sub-01_T1w.nii.json",
    ]
    root = dataset(tmp_path, [*wanted, *aside, *passed])
    found = find_inputs(root, output=root / "out")
    assert found.is_bids
    assert [str(name) for name in found.names] == wanted
    assert sorted(map(str, found.left_out)) == sorted(aside)
    named = find_inputs(root, "derivatives/*/sub-*/anat/*.nii.gz")
    assert [str(name) for name in named.names] == aside[:1]


def test_a_folder_s_images_are_found_and_segmentations_are_not(tmp_path):
    images = ["a.nii", "b/c.nii.gz", "b/masked.nii.gz"]
    others = ["a_mask.nii", "b/BraTS-1-seg.nii.gz", "sub-1_desc-x_dseg.nii", "x.label.nii"]
    for name in images + others:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_inputs(tmp_path)
    assert not found.is_bids
    assert [str(name) for name in found.names] == images
    assert len(found.left_out) == len(others)


def test_folders_of_dicom_files_are_one_volume_each(tmp_path):
    for name in ("p1/t1/IM0", "p1/t1/more/IM1", "p1/t2.a/x.dcm", "p2/IM0", ".h/IM0", "out/a/IM0"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(128) + b"DICM")
    (tmp_path / "p3.nii").touch()
    (tmp_path / "p1" / "notes.txt").write_text("none of it")
    found = find_inputs(tmp_path, output=tmp_path / "out")
    assert [str(name) for name in found.names] == ["p1/t1", "p1/t2.a", "p2", "p3.nii"]
    items, _ = items_of(found, tmp_path / "out", "2x", job_of)
    assert [item.job.output.relative_to(tmp_path / "out").as_posix() for item in items] == [
        "p1/t1_res-2x_desc-metasr.nii.gz",
        "p1/t2.a_res-2x_desc-metasr.nii.gz",
        "p2_res-2x_desc-metasr.nii.gz",
        "p3_res-2x_desc-metasr.nii.gz",
    ]
    one = find_inputs(tmp_path / "p2")
    (item,), _ = items_of(one, tmp_path / "out", "2x", job_of)
    assert item.job.output == tmp_path / "out" / "p2_res-2x_desc-metasr.nii.gz"
    named = find_inputs(tmp_path, "p1/*")
    assert [str(name) for name in named.names] == ["p1/t1", "p1/t2.a"]


def test_a_link_whose_file_is_not_here_is_a_volume_that_will_fail(tmp_path):
    (tmp_path / "sub-01_T1w.nii.gz").symlink_to(tmp_path / "annex" / "nowhere")
    assert [str(name) for name in find_inputs(tmp_path).names] == ["sub-01_T1w.nii.gz"]
    job = Job(
        input=tmp_path / "sub-01_T1w.nii.gz",
        output=tmp_path / "out.nii.gz",
        options=UpscaleOptions(scale=(2,)),
    )
    outcome = carry_out(job, lambda share: None)
    assert (outcome.state, "no such file" in outcome.reason) == ("failed", True)


def test_where_nothing_can_be_found_is_told(tmp_path):
    (tmp_path / "a_mask.nii").touch()
    with pytest.raises(ValueError, match=r"match \*\*/\*\.nii\*, .*found 1 that are segmentations"):
        find_inputs(tmp_path)
    for pattern in ("", "/**/*.nii", "../*.nii"):
        with pytest.raises(ValueError, match="expected a pattern of names within"):
            find_inputs(tmp_path, pattern)
    with pytest.raises(NotADirectoryError, match="found a file"):
        find_inputs(tmp_path / "a_mask.nii")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find_inputs(tmp_path / "missing")


def job_of(path: Path, output: Path) -> Job:
    return Job(input=path, output=output, options=UpscaleOptions(scale=(2,)))


def test_every_input_has_an_output_of_its_own(tmp_path):
    for name in ("a.nii", "b/a.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    output = tmp_path / "out"
    items, refused = items_of(find_inputs(tmp_path), output, "2x", job_of)
    assert refused == {}
    assert [item.job.output for item in items] == [
        output / "a_res-2x_desc-metasr.nii.gz",
        output / "b" / "a_res-2x_desc-metasr.nii.gz",
    ]
    (tmp_path / "A.nii.gz").touch()
    with pytest.raises(ValueError, match=r"found A\.nii\.gz and a\.nii with the same output"):
        items_of(find_inputs(tmp_path), output, "2x", job_of)


def test_a_name_that_bids_does_not_know_stops_no_other(tmp_path):
    root = dataset(tmp_path, ["sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/second_T1w.nii.gz"])
    (root / "sub-01/anat/sub-01_T1w.json").write_text('{"SkullStripped": true}')
    items, refused = items_of(find_inputs(root), tmp_path / "out", "2x", job_of)
    assert [(item.name, item.skull_stripped) for item in items] == [
        ("sub-01/anat/sub-01_T1w.nii.gz", True)
    ]
    assert "expected a BIDS name" in refused["sub-02/anat/second_T1w.nii.gz"]


def test_folders_without_outputs_go_again(tmp_path):
    root = tmp_path / "in"
    for name in ("a/1.nii", "b/c/2.nii"):
        (root / name).parent.mkdir(parents=True)
        (root / name).touch()
    output = tmp_path / "out"
    items, _ = items_of(find_inputs(root), output, "2x", job_of)
    with output_folders(items):
        items[0].job.output.touch()
        assert (output / "b" / "c").is_dir()
    assert sorted(path.name for path in output.iterdir()) == ["a"]


def test_a_derivative_tells_where_it_comes_from(tmp_path):
    source = dataset(tmp_path / "raw data", License="CC0", DatasetDOI="doi:10.1/x")
    output = source / "derivatives" / "metasr"
    output.mkdir(parents=True)
    (output / "README.md").write_text("mine")
    describe_dataset(output, source)
    told = json.loads((output / "dataset_description.json").read_text())
    assert told["DatasetType"] == "derivative"
    assert (told["License"], told["GeneratedBy"][0]["Name"]) == ("CC0", "napari-metasr")
    assert told["SourceDatasets"] == [{"DOI": "doi:10.1/x", "URL": "../.."}]
    assert (output / "README.md").read_text() == "mine"
    check_dataset(output)
    other = tmp_path / "other"
    other.mkdir()
    describe_dataset(other, source)
    told = json.loads((other / "dataset_description.json").read_text())
    assert told["SourceDatasets"][0]["URL"] == "../raw%20data"
    readme = (other / "README.md").read_text()
    assert "desc-metasr" in readme
    assert "`SkullStripped`" in readme


def test_another_program_s_dataset_is_not_written_into(tmp_path):
    with pytest.raises(ValueError, match="found the dataset 'Heads'"):
        check_dataset(dataset(tmp_path / "raw"))
    folder = dataset(tmp_path / "fmriprep", GeneratedBy=[{"Name": "fMRIPrep"}])
    with pytest.raises(ValueError, match="a folder of its own"):
        check_dataset(folder)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    path = stored(tmp_path / "in.nii.gz", smooth(SHAPE), affine_with("RAS"))
    return Job(
        input=path,
        output=tmp_path / "out.nii.gz",
        options=UpscaleOptions(scale=(1.5, 1, 1)),
        device="cpu",
    )


def done(job: Job, **options) -> work_item.Outcome:
    return carry_out(job, lambda share: None, **options)


def test_what_is_done_is_left_alone(job):
    shares: list[float] = []
    assert carry_out(job, shares.append).state == "done"
    assert shares == sorted(shares)
    assert shares[-1] == 1
    before = job.output.stat()
    assert done(job).state == "skipped"
    assert done(job.model_copy(update={"overwrite": True})).state == "skipped"
    assert job.output.stat().st_ino == before.st_ino


def test_a_changed_input_is_done_again(job):
    done(job)
    first = np.asanyarray(nib.load(job.output).dataobj)
    stored(job.input, smooth(SHAPE, seed=4), affine_with("RAS"))
    outcome = done(job)
    assert (outcome.state, outcome.reason) == ("done", "made again: the input has changed")
    assert (np.asanyarray(nib.load(job.output).dataobj) != first).any()
    assert done(job).state == "skipped"


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_output_is_made_again(job, damage):
    done(job)
    whole = job.output.read_bytes()
    job.output.write_bytes(whole[:-9] if damage == "cut" else whole[:-9] + bytes(9))
    outcome = done(job)
    assert outcome.reason == "made again: the output was changed or damaged"
    assert job.output.read_bytes() == whole


def test_other_options_replace_nothing_unasked(job):
    done(job)
    before = job.output.read_bytes()
    finer = job.model_copy(update={"options": UpscaleOptions(scale=(2, 1, 1))})
    outcome = done(finer)
    assert outcome.state == "failed"
    assert "made with other options or weights; overwrite is needed" in outcome.reason
    assert job.output.read_bytes() == before
    assert done(finer.model_copy(update={"overwrite": True})).state == "done"
    assert nib.load(job.output).shape == (24, 12, 6)
    (job.output.with_name("out.json")).unlink()
    assert "no sidecar says how it was made" in done(finer).reason


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "found an empty file"), (None, "truncated or damaged"), (b"GIF89a", "no NIfTI header")],
)
def test_a_bad_file_is_told_and_leaves_nothing(job, content, message):
    whole = job.input.read_bytes()
    job.input.write_bytes(whole[: len(whole) // 2] if content is None else content)
    outcome = done(job)
    assert outcome.state == "failed"
    assert message in outcome.reason
    assert [path.name for path in job.input.parent.iterdir()] == ["in.nii.gz"]


def test_whatever_else_goes_wrong_is_told_too(job, monkeypatch):
    def fail(self):
        raise RuntimeError("CUDA error: out of\nmemory")
        yield

    monkeypatch.setattr("napari_metasr.upscaling.upscale.Upscaling.steps", fail)
    assert done(job).reason == "RuntimeError: CUDA error: out of memory"


def test_concerns_and_warnings_are_reasons_to_look(job):
    data = smooth(SHAPE).astype(np.float32)
    data[3, 4, 2] = np.nan
    stored(job.input, data, affine_with("RAS"))
    wide = job.model_copy(update={"options": UpscaleOptions(scale=(6, 1, 1))})
    reason = done(wide).reason
    assert "1 voxels are NaN or infinite" in reason
    assert "beyond the x4 that Meta-SRGAN was trained on" in reason


def test_threads_take_turns_and_each_volume_is_told_its_own_doubts_alone(job, monkeypatch):
    working: list[str] = []

    def attempt(job, *_):
        working.append(job.output.name)
        together = len(working)
        time.sleep(0.05)
        warnings.warn(f"a doubt about {job.output.name}", stacklevel=2)
        working.remove(job.output.name)
        return "done", (f"{together} at a time",)

    monkeypatch.setattr(work_item, "_attempt", attempt)
    monkeypatch.setattr(work_item, "ASKING", 0.01)
    names = ["a.nii", "b.nii", "c.nii"]
    jobs = [job.model_copy(update={"output": job.output.with_name(name)}) for name in names]
    with ThreadPoolExecutor(len(jobs)) as pool:
        reasons = [outcome.reason for outcome in pool.map(done, jobs)]
    assert reasons == [f"1 at a time; a doubt about {name}" for name in names]


def test_who_waits_for_a_turn_can_be_stopped(job, monkeypatch):
    monkeypatch.setattr(work_item, "ASKING", 0.01)
    with work_item._TURN, pytest.raises(StoppedError):
        carry_out(job, Stop(2))
    assert done(job).state == "done"


def test_what_is_left_beside_a_whole_output_goes(job):
    done(job)
    left = Workspace(job.output)
    left.folder.mkdir()
    (left.folder / "input.raw").write_bytes(bytes(1000))
    with left.opened("other work", resume=False):  # of another process
        assert done(job).state == "skipped"
        assert left.folder.exists()
    assert done(job).state == "skipped"
    assert sorted(path.name for path in job.output.parent.iterdir()) == [
        "in.nii.gz",
        "out.json",
        "out.nii.gz",
    ]


def test_that_one_time_point_alone_was_looked_through_is_told(job, monkeypatch):
    found = (Detection(Window.at(4, 4, 12, 10), 0.9),)
    shape = (40, 38, 6)
    stored(job.input, smooth(shape), affine_with("RAS"))
    monkeypatch.setattr(
        Detector, "detect_slices", lambda _, volume, *__: ((k, found) for k in range(6))
    )
    doubt = "lesions were looked for only in the first of 2 time points"
    job = job.model_copy(update={"within": "lesion"})
    outcome = done(job)
    assert (outcome.state, doubt in outcome.reason) == ("done", False), outcome.reason
    stored(job.input, np.stack([smooth(shape)] * 2, axis=-1), affine_with("RAS"))
    outcome = done(job)
    assert (outcome.state, doubt in outcome.reason) == ("done", True), outcome.reason


class Stop:
    """Whoever looks on has had enough after some words."""

    def __init__(self, words: int) -> None:
        self.left = words

    def __call__(self, share: float) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoppedError


def begun(job: Job) -> Path:
    with pytest.raises(StoppedError):
        carry_out(job, Stop(1))
    return Workspace(job.output).folder


def test_stopped_work_is_gone_on_with(job, monkeypatch):
    folder = begun(job)
    assert (folder / "input.raw").is_file()
    assert not job.output.exists()
    monkeypatch.setattr(
        "napari_metasr.io.stored.StoredVolume.blocks",
        lambda self: pytest.fail("the input is unpacked already"),
    )
    assert done(job).state == "done"
    assert not folder.exists()


def test_unfinished_work_of_another_kind_is_begun_anew(job):
    begun(job)
    assert done(job.model_copy(update={"options": UpscaleOptions(scale=(2, 1, 1))})).state == "done"
    assert nib.load(job.output).shape == (24, 12, 6)


def test_a_damaged_journal_is_no_obstacle(job):
    (begun(job) / "journal.json").write_text("{")
    assert done(job).state == "done"


def test_another_process_s_work_is_waited_for(job, monkeypatch):
    work = job.prepare()
    decided = fingerprint(work.plan, work.source.sha256)
    waits: list[float] = []
    with Workspace(job.output).opened(decided, resume=False):
        monkeypatch.setattr(time, "sleep", waits.append)
        monkeypatch.setattr(work_item, "PATIENCE", 0)
        assert "another process is working on this output" in done(job).reason
        monkeypatch.setattr(work_item, "PATIENCE", 30)
        with pytest.raises(StoppedError):
            carry_out(job, Stop(3))
    assert len(waits) == 3
    assert done(job).state == "done"


def test_the_sidecar_tells_a_dataset_what_it_wants_to_know(job):
    assert done(job, skull_stripped=True).state == "done"
    path = job.output.with_name("out.json")
    assert json.loads(path.read_text())["SkullStripped"] is True
    assert done(job, skull_stripped=False).state == "skipped"
    assert read_sidecar(path).skull_stripped is False
    before = path.stat().st_ino
    assert done(job, skull_stripped=False).state == "skipped"
    assert path.stat().st_ino == before


def test_a_detector_is_asked_once_for_each_input(job, monkeypatch):
    asked: list[str] = []

    def steps(self, volume):
        asked.append(self.detector)
        yield Searched(1, 1)
        boxes = (((1.0, 4.0), (2.0, 9.0), (3.0, 8.0)),)
        yield LesionBoxes(boxes, ("they are very small",))

    monkeypatch.setattr("napari_metasr.upscaling.lesion_search.LesionSearch.steps", steps)
    lesion = job.model_copy(update={"within": "lesion"})
    outcome = done(lesion)
    assert (outcome.state, "very small" in outcome.reason) == ("done", True)
    record = read_sidecar(job.output.with_name("out.json"))
    assert (record.detector.name, record.options.boxes[0][0]) == ("ld-plus", (1, 4))
    assert done(lesion).state == "skipped"
    assert asked == ["ld-plus"]
    assert "made with other options" in done(job).reason
    other = lesion.model_copy(update={"detector": "ld"})
    assert "made with other options" in done(other).reason
    stored(job.input, smooth(SHAPE, seed=4), affine_with("RAS"))
    assert done(lesion).reason.startswith("made again: the input has changed")
    assert asked == ["ld-plus"] * 2


def test_a_full_disk_fails_one_volume(job):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        outcome = done(job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert outcome.state == "failed"
    assert os.strerror(27) in outcome.reason
    assert [path.name for path in job.input.parent.iterdir()] == ["in.nii.gz"]
