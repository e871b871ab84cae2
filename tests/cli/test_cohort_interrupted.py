"""Runs of ``napari-metasr cohort`` that are killed, stopped or interrupted, and the next ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from fakes.cohort import heads, lines, result, states
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from napari_metasr.cli import main
from napari_metasr.cohort import workers
from napari_metasr.cohort.items import Item
from napari_metasr.files import file_sha256
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.sidecar import read_sidecar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytest.importorskip("distributed")


SLOWER = (48, 48, 10)
PATIENCE = 200


def until(condition: Callable[[], object]) -> None:
    latest = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < latest
        time.sleep(0.01)


def kill_first(output: Path, killed: list[dict], over: threading.Event) -> None:
    """Kill the process of the first volume that is being worked on, in the middle of it."""
    while not killed and not over.is_set():
        time.sleep(0.002)
        if not (output / "logs" / "cohort.jsonl").is_file():
            continue
        for line in lines(output):
            if line["event"] == "start":
                number = int(line["name"][4:6])
                scale = "_res-2x2x1x_desc-metasr"
                unfinished = result(output, number, ".nii.gz.unfinished", scale)
                hidden = unfinished.with_name(f".{unfinished.name}")
                if (hidden / "output.raw").is_file():
                    os.kill(line["process"], signal.SIGKILL)
                    killed.append(line)
                    break


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_worker_that_is_killed_loses_nothing(tmp_path, address, capsys):
    root, output = heads(tmp_path / "raw", 4, SLOWER), tmp_path / "out"
    killed: list[dict] = []
    over = threading.Event()
    killer = threading.Thread(target=kill_first, args=(output, killed, over))
    killer.start()
    arguments = ["--scale", "2,2,1", "--device", "cpu", "--scheduler", address]
    try:
        code = main(["cohort", str(root), *arguments, "--output", str(output)])
    finally:
        over.set()
        killer.join()
    assert code == 0
    assert set(states(capsys.readouterr().out).values()) == {"done"}
    scale = "_res-2x2x1x_desc-metasr"
    for number in range(4):
        image = nib.load(result(output, number, made=scale))
        assert np.asanyarray(image.dataobj).shape == (96, 96, 10)
        record = read_sidecar(result(output, number, ".json", scale))
        assert record.output_sha256 == file_sha256(result(output, number, made=scale))
    starts = [line for line in lines(output) if line["event"] == "start"]
    (name,) = {line["name"] for line in killed}
    processes = [line["process"] for line in starts if line["name"] == name]
    assert processes[0] == killed[0]["process"]
    assert len(processes) == 2
    assert processes[1] != processes[0]
    hidden = [path.name for path in output.rglob(".*")]
    assert hidden == [".bidsignore"]


def test_work_that_nobody_wants_any_more_stops(tmp_path, client):
    path = stored(tmp_path / "in.nii", smooth((64, 64, 32)), affine_with("RAS"))
    job = Job(
        input=path,
        output=tmp_path / "out.nii",
        options=UpscaleOptions(scale=(3, 3, 1)),
        device="cpu",
    )
    events = workers.work_through(client, [Item("a", job)])
    assert isinstance(next(events), workers.Started)
    folder = tmp_path / ".out.nii.unfinished"
    until((folder / "journal.json").is_file)
    events.close()
    until(lambda: not any(client.processing().values()))
    until(lambda: not (tmp_path / ".out.nii.lock").exists())
    assert folder.is_dir()
    assert not job.output.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are sent to the process group")
def test_an_interrupt_ends_a_run_and_the_next_one_goes_on(tmp_path, address, capsys):
    root, output = heads(tmp_path / "raw", 6, SLOWER), tmp_path / "out"
    arguments = ["cohort", str(root), "--scale", "2,2,1", "--device", "cpu"]
    arguments += ["--output", str(output)]
    command = "import sys; from napari_metasr.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", command, *arguments, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: list(output.glob("sub-*/ses-1/anat/.*.unfinished/output.raw")))
    os.killpg(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, printed + errors
    assert "left for the next run" in printed
    assert "Traceback" not in errors
    assert lines(output)[-1]["event"] == "interrupted"
    assert list(output.glob("sub-*/ses-1/anat/.*.unfinished"))
    assert main([*arguments, "--scheduler", address]) == 0
    assert set(states(capsys.readouterr().out).values()) <= {"done", "skipped"}
    made = "_res-2x2x1x_desc-metasr"
    assert [nib.load(result(output, n, made=made)).shape for n in range(6)] == [(96, 96, 10)] * 6
    assert not list(output.glob("sub-*/ses-1/anat/.*"))
