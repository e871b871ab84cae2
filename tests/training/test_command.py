"""The command ``metasr-train``: killed, interrupted, finished, several processes, bad arguments."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from fakes.training import losses, write_data

SMOKE = ("meta-srgan-fig8", "--preset", "smoke", "--precision", "float32")
"""Short, and in one precision: which one is the quicker may differ from run to run."""


def metasr_train(*arguments):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return [sys.executable, "-m", "metasr_training.train", *map(str, arguments)], environment


def run(*arguments):
    command, environment = metasr_train(*arguments)
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run of Meta-SRGAN with its game, from beginning to end."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    done = run(*SMOKE, "--data", data, "--output", folder)
    assert done.returncode == 0, done.stderr
    return folder


def curve(folder):
    found = losses(folder / "networks" / "meta-srgan", "loss/total")
    assert all(math.isfinite(value) for value in found.values())
    return found


def wait_for_lines(path, count, process):
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists() and path.read_text().count("\n") >= count:
            return
        time.sleep(0.05)


def test_killed_at_a_random_moment_and_resumed_it_gives_the_same_losses(data, whole, tmp_path):
    folder = tmp_path / "killed"
    arguments = [*SMOKE, "--data", data, "--output", folder]
    command, environment = metasr_train(*arguments, "--resume")  # without a checkpoint: afresh
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    log = folder / "networks" / "meta-srgan" / "metrics.jsonl"
    wait_for_lines(log, random.randint(1, 4), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (log.parent / "final.pt").exists()
    refused = run(*arguments)
    assert refused.returncode == 2
    assert "holds a run already; add --resume to go on with it" in refused.stderr
    resumed = run(*arguments, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert curve(folder) == curve(whole)


def test_interrupted_it_saves_and_says_how_to_go_on(data, tmp_path):
    folder = tmp_path / "interrupted"
    arguments = [*SMOKE, "--data", data, "--output", folder]
    command, environment = metasr_train(*arguments)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for_lines(folder / "networks" / "meta-srgan" / "metrics.jsonl", 1, process)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "of meta-srgan; go on with --resume" in words
    assert (folder / "networks" / "meta-srgan" / "last.pt").exists()


def test_a_finished_run_returns_at_once(data, whole):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*.pt")}
    arguments = ["--preset", "smoke", "--data", data, "--output", whole, "--resume"]
    again = run("meta-srgan-fig8", *arguments)
    assert again.returncode == 0
    assert "every network of meta-srgan-fig8 is trained" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*.pt")} == before


def test_the_run_folder_says_what_it_is(data, whole):
    record = json.loads((whole / "run.json").read_text())
    assert record["experiments"] == ["meta-srgan-fig8"]
    assert (record["preset"], record["seed"]) == ("smoke", 0)
    assert {"torch", "python", "commit", "hardware", "napari_metasr"} <= record.keys()
    about = json.loads((whole / "networks" / "meta-srgan" / "config.json").read_text())
    assert about["config"]["stages"][0]["name"] == "natural"
    assert about["task"]["images"]["natural"] > 0
    assert 0 < about["task"]["mean"] < 1
    assert set(about["split"]["train"]).isdisjoint(about["split"]["val"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lfsr-tabel1"], "did you mean 'lfsr-table1'"),
        (["lfsr-table1", "--preset", "papier"], "did you mean 'paper'"),
        (["lfsr-table1", "--budget", "soon"], "expected a duration"),
        (["lfsr-table1"], "in EMPTY"),
    ],
)
def test_bad_arguments_are_named(tmp_path, arguments, words):
    empty = tmp_path / "EMPTY"
    empty.mkdir()
    done = run(*arguments, "--data", empty, "--output", tmp_path / "run")
    assert done.returncode == 2
    assert words.replace("EMPTY", str(empty)) in done.stderr


def test_several_processes_train_together(data, tmp_path):
    folder = tmp_path / "together"
    _, environment = metasr_train()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "metasr_training.train", "lfsr-detection"]
    command += ["--preset", "smoke", "--data", str(data), "--output", str(folder)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = losses(folder / "networks" / "lesion-detector", "loss/box")
    assert list(found) == list(range(2, 49, 2))
