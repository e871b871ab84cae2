"""``napari-metasr cohort`` on two worker processes: failures, deaths, interrupts, second runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from fakes.cohort import cluster, dataset
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from napari_metasr.cli import main
from napari_metasr.cohort import workers
from napari_metasr.cohort.cluster import check_workers, interrupts_noticed, local_workers
from napari_metasr.cohort.items import Item
from napari_metasr.files import file_sha256
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.sidecar import read_sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest.importorskip("distributed")

TINY = (12, 12, 6)
SLOWER = (48, 48, 10)
COUNT = 20
PATIENCE = 200
CORRUPT = 7
OPTIONS = ["--scale", "1.5,1,1", "--device", "cpu"]
NAME = "sub-{0:02d}/ses-1/anat/sub-{0:02d}_ses-1_acq-x{1}_T1w{2}"
MADE = "_res-1p5x1x1x_desc-metasr"


@pytest.fixture(scope="module")
def client() -> Iterator:
    with cluster(2) as client:
        yield client


@pytest.fixture(scope="module")
def address(client) -> str:
    return client.scheduler.address


def source(root: Path, number: int) -> Path:
    return root / NAME.format(number, "", ".nii.gz")


def result(output: Path, number: int, suffix: str = ".nii.gz", made: str = MADE) -> Path:
    return output / NAME.format(number, made, suffix)


def heads(root: Path, count: int, shape: tuple[int, int, int]) -> Path:
    dataset(root)
    for number in range(count):
        path = source(root, number)
        path.parent.mkdir(parents=True)
        stored(path, smooth(shape, seed=number), affine_with("LPS"))
        path.with_name(path.name.replace("T1w.nii.gz", "mask.nii.gz")).touch()
    return root


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, address) -> SimpleNamespace:
    """Twenty volumes, one of them cut off, and what the first run on them left and said."""
    root = heads(tmp_path_factory.mktemp("cohort") / "raw", COUNT, TINY)
    corrupt = source(root, CORRUPT)
    corrupt.write_bytes(corrupt.read_bytes()[:900])
    output = root / "derivatives" / "metasr"
    run = ["cohort", str(root), *OPTIONS, "--output", str(output), "--scheduler", address]
    return SimpleNamespace(root=root, output=output, run=run, code=main(run))


def lines(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / "logs/cohort.jsonl").read_text().splitlines()]


def states(printed: str) -> dict[str, str]:
    """Outcome by file, from the table."""
    rows = [re.split(r"\s{2,}", line) for line in printed.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 2 and "/" in row[0]}


def test_one_bad_volume_in_twenty_stops_no_other(cohort):
    assert cohort.code == 3
    for number in set(range(COUNT)) - {CORRUPT}:
        assert nib.load(result(cohort.output, number)).shape == (18, 12, 6)
        record = read_sidecar(result(cohort.output, number, ".json"))
        assert record.output_sha256 == file_sha256(result(cohort.output, number))
        assert record.input_sha256 == file_sha256(source(cohort.root, number))
    assert not result(cohort.output, CORRUPT).parent.exists()
    run = lines(cohort.output)
    assert [line["event"] for line in run if line["event"] in {"run", "end"}] == ["run", "end"]
    assert sum(line["event"] == "done" for line in run) == COUNT - 1
    (failed,) = (line for line in run if line["event"] == "failed")
    assert failed["name"] == NAME.format(CORRUPT, "", ".nii.gz")
    assert "found a truncated or damaged one" in failed["reason"]
    started = {line["process"] for line in run if line["event"] == "start"}
    assert len(started) == 2
    assert os.getpid() not in started


def test_the_output_is_a_bids_derivative(cohort):
    told = json.loads((cohort.output / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion", "GeneratedBy", "SourceDatasets"} <= told.keys()
    assert told["DatasetType"] == "derivative"
    assert all("Name" in program for program in told["GeneratedBy"])
    assert (cohort.output / "README.md").is_file()
    ignored = (cohort.output / ".bidsignore").read_text().split()
    entity = r"(?:_(?:{})-[0-9a-zA-Z+]+)?".format
    anatomical = re.compile(
        r"sub-([0-9a-zA-Z]+)/(?:ses-([0-9a-zA-Z]+)/)?anat/sub-\1(?:_ses-\2)?"
        + "".join(map(entity, ("task", "acq", "ce", "rec", "run", "echo", "part", "space")))
        + r"_res-[0-9a-zA-Z]+_desc-[0-9a-zA-Z]+_T1w\.(?:nii\.gz|json)"
    )
    seen = 0
    for path in cohort.output.rglob("*"):
        name = path.relative_to(cohort.output).as_posix()
        if path.is_dir() or f"{name.split('/')[0]}/" in ignored or name == ".bidsignore":
            continue
        if "/" not in name:
            assert name in {"dataset_description.json", "README.md"}
            continue
        seen += 1
        assert anatomical.fullmatch(name), name
        if path.suffix == ".json":
            record = json.loads(path.read_text())
            assert {"Resolution", "SkullStripped", "Sources", "GeneratedBy"} <= record.keys()
    assert seen == 2 * (COUNT - 1)


def test_a_second_run_does_what_is_left(cohort, capsys):
    before = {n: result(cohort.output, n).stat().st_ino for n in range(COUNT) if n != CORRUPT}
    assert main(cohort.run) == 3
    captured = capsys.readouterr()
    found = states(captured.out)
    assert len(found) == COUNT
    assert [name for name, state in found.items() if state != "skipped"] == [
        NAME.format(CORRUPT, "", ".nii.gz")
    ]
    assert "19 skipped, 1 failed" in captured.out
    assert "20 volumes found" in captured.err
    assert {n: result(cohort.output, n).stat().st_ino for n in before} == before

    stored(source(cohort.root, CORRUPT), smooth(TINY, seed=CORRUPT), affine_with("LPS"))
    stored(source(cohort.root, 2), smooth(TINY, seed=99), affine_with("LPS"))
    content = result(cohort.output, 3).read_bytes()
    result(cohort.output, 3).write_bytes(content[:-1])
    result(cohort.output, 4).unlink()
    assert main(cohort.run) == 0
    found = states(capsys.readouterr().out)
    again = {name for name, state in found.items() if state == "done"}
    assert again == {NAME.format(number, "", ".nii.gz") for number in (CORRUPT, 2, 3, 4)}
    assert result(cohort.output, 3).read_bytes() == content


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


def test_an_interrupt_is_noticed_wherever_it_comes_and_a_second_one_raised():
    before = signal.getsignal(signal.SIGINT)
    with interrupts_noticed() as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_plain_folder_keeps_its_paths(tmp_path, address):
    for name in ("a.nii", "b/a.nii.gz"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        stored(tmp_path / "in" / name, smooth(TINY), affine_with("RAS"))
    output = tmp_path / "out"
    arguments = [*OPTIONS, "--output", str(output), "--scheduler", address]
    assert main(["cohort", str(tmp_path / "in"), *arguments]) == 0
    found = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert found == {
        f"a{MADE}.nii.gz",
        f"a{MADE}.json",
        f"b/a{MADE}.nii.gz",
        f"b/a{MADE}.json",
        "logs/cohort.jsonl",
    }


def test_only_this_run_may_use_its_workers():
    from distributed import Client

    with local_workers(1) as client:
        address = client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        assert client.cluster.scheduler.http_server.address == "127.0.0.1"
        with pytest.raises((OSError, TypeError), match="TLS expects"):
            Client(address, timeout=2, set_as_default=False)
        with pytest.raises(OSError, match=r"Timed out|ConnectionReset"):
            Client(address.replace("tls", "tcp"), timeout=2, set_as_default=False)
        assert client.submit(sum, (1, 2)).result(timeout=60) == 3


def test_workers_must_see_the_folders_and_run_this_version(tmp_path, client, monkeypatch):
    check_workers(client, tmp_path)
    with pytest.raises(ValueError, match=r"tcp://.*: expected a worker that sees the folder"):
        check_workers(client, tmp_path, tmp_path / "missing")
    monkeypatch.setattr("napari_metasr.cohort.cluster.__version__", "9.9")
    with pytest.raises(ValueError, match=r"with napari-metasr 9\.9, found 0"):
        check_workers(client, tmp_path)


def test_a_cluster_without_workers_is_waited_for_aloud(tmp_path):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        with pytest.warns(UserWarning, match="has no workers yet"):
            check_workers(client, tmp_path)
        cluster.scale(1)
        client.wait_for_workers(1)
        threads = next(iter(client.nthreads().values()))
        if threads > 1:
            with pytest.warns(UserWarning, match=f"has {threads} threads but works on one"):
                check_workers(client, tmp_path)
        assert workers._tasks_at_a_time(client).popitem()[1] == 1


def test_a_volume_that_kills_every_worker_fails():
    from distributed import KilledWorker

    def future(status, error=None):
        return SimpleNamespace(status=status, exception=lambda: error, result=lambda: None)

    death = KilledWorker("a", "tcp://host:1", 3)
    told = workers._outcome_of(future("error", death))
    assert (told.state, told.reason) == ("failed", "4 workers died while they worked on it")
    error = ModuleNotFoundError("No module named 'napari_metasr'")
    assert "ModuleNotFoundError: No module" in workers._outcome_of(future("error", error)).reason
    assert workers._outcome_of(future("cancelled")).reason == "the scheduler was lost"
    assert workers._outcome_of(future("finished")).reason == "it was stopped"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected --scale or --spacing, found neither"),
        (["--scale", "0.5"], "the scale must be at least 1, found 0.5"),
        (["--scale", "2", "--thickness", "-1"], "thickness: expected greater than 0, found -1.0"),
        (["--scale", "2", "--pattern", "*.mgz"], r"expected volumes that match *.mgz, found none"),
        (["--scale", "2", "--workers", "2", "--scheduler", "tcp://x:1"], "found both"),
        (["--scale", "2", "--workers", "0"], "expected at least 1 worker"),
        (["--scale", "2", "--scheduler", "nowhere"], "expected an address like tcp://HOST:8786"),
        (["--scale", "2", "--scheduler", "tcp://127.0.0.1:9"], "no Dask scheduler answers"),
        (["--scale", "2", "--model", "meta-sran"], "did you mean"),
        (["--scale", "2", "--within", "mask.nii"], "lesion"),
        (["--scale", "2", "--output", "a.nii"], "expected a folder for the outputs, found a file"),
        (["--scale", "2", "--output", "."], "found the input"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("napari_metasr.cohort.cluster.CONNECTING", 0.3)
    (tmp_path / "a.nii").touch()
    arguments = arguments if "--output" in arguments else [*arguments, "--output", "out"]
    assert main(["cohort", ".", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii"]


def test_without_dask_the_extra_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("napari_metasr.cohort.cluster.find_spec", lambda name: None)
    (tmp_path / "a.nii").touch()
    arguments = ["--scale", "2", "--output", str(tmp_path / "out")]
    assert main(["cohort", str(tmp_path), *arguments]) == 2
    assert "pip install 'napari-metasr[cohort]'" in capsys.readouterr().err


def test_called_as_a_bids_app_it_works_on_the_participants_named(tmp_path, address):
    root, output = heads(tmp_path / "raw", 3, TINY), tmp_path / "out"
    app = ["cohort", str(root), str(output), "participant", *OPTIONS, "--scheduler", address]
    assert main([*app, "--participant_label", "00", "sub-02"]) == 0
    assert [result(output, number).exists() for number in range(3)] == [True, False, True]
    assert json.loads((output / "dataset_description.json").read_text())["DatasetType"]
    assert main(app) == 0
    assert result(output, 1).exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["OUT", "group"], "participant"),
        (["OUT", "participant", "--output", "OTHER"], "OUTPUT_DIR or --output, found both"),
        ([], "OUTPUT_DIR or --output, found neither"),
        (["OUT", "participant", "--participant-label", "9"], "volumes of sub-9, found none"),
    ],
)
def test_calls_as_a_bids_app_that_cannot_be_are_refused(
    tmp_path, monkeypatch, capsys, address, more, told
):
    heads(tmp_path / "raw", 1, TINY)
    monkeypatch.chdir(tmp_path)
    assert main(["cohort", "raw", *more, *OPTIONS, "--scheduler", address]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
