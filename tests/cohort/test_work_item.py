"""What becomes of each of many volumes."""

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
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from napari_metasr.cohort import work_item
from napari_metasr.cohort.bids import Place
from napari_metasr.cohort.work_item import State, StoppedError, carry_out
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
    assert "made with other options or weights; it is kept" in outcome.reason
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
        return State.DONE, (f"{together} at a time",)

    monkeypatch.setattr(work_item, "_attempt", attempt)
    names = ["a.nii", "b.nii", "c.nii"]
    jobs = [job.model_copy(update={"output": job.output.with_name(name)}) for name in names]
    with ThreadPoolExecutor(len(jobs)) as pool:
        reasons = [outcome.reason for outcome in pool.map(done, jobs)]
    assert reasons == [f"1 at a time; a doubt about {name}" for name in names]


def test_who_waits_for_a_turn_can_be_stopped(job):
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
        assert "another process is working on this output" in done(job, patience=0).reason
        with pytest.raises(StoppedError):
            carry_out(job, Stop(3))
    assert len(waits) == 3
    assert done(job).state == "done"


def test_the_sidecar_tells_a_dataset_what_it_wants_to_know(job):
    assert done(job, place=Place("sub-01/anat", skull_stripped=True)).state == "done"
    path = job.output.with_name("out.json")
    told = json.loads(path.read_text())
    assert told["SkullStripped"] is True
    assert told["Sources"] == [f"bids:source:sub-01/anat/{job.input.name}"]
    assert done(job, place=Place("sub-01/anat")).state == "skipped"
    assert read_sidecar(path).skull_stripped is False
    before = path.stat().st_ino
    assert done(job, place=Place("sub-01/anat")).state == "skipped"
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
