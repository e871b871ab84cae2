"""``napari-metasr cohort`` on two worker processes: failures, second runs, calls as a BIDS app."""

from __future__ import annotations

import errno
import json
import os
import re
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from fakes.cohort import MADE, NAME, heads, lines, result, source, states
from fakes.dicom import STUDY, save, series, voxels
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from napari_metasr.cli import main
from napari_metasr.cohort.ledger import Ledger
from napari_metasr.files import file_sha256
from napari_metasr.io.dicom.volume import DicomVolume
from napari_metasr.upscaling.sidecar import read_sidecar

pytest.importorskip("distributed")

TINY = (12, 12, 6)
COUNT = 20
CORRUPT = 7
OPTIONS = ["--scale", "1.5,1,1", "--device", "cpu"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, address) -> SimpleNamespace:
    """Twenty volumes, one of them cut off, and what the first run on them left and said."""
    root = heads(tmp_path_factory.mktemp("cohort") / "raw", COUNT, TINY)
    corrupt = source(root, CORRUPT)
    corrupt.write_bytes(corrupt.read_bytes()[:900])
    output = root / "derivatives" / "metasr"
    run = ["cohort", str(root), *OPTIONS, "--output", str(output), "--scheduler", address]
    return SimpleNamespace(root=root, output=output, run=run, code=main(run))


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


def test_an_output_of_a_dataset_is_replayed_from_where_its_source_lies(cohort, tmp_path, capsys):
    sidecar = result(cohort.output, 1, ".json")
    again = tmp_path / "again.nii.gz"
    assert main(["replay", str(sidecar), "--output", str(again)]) == 0
    assert again.read_bytes() == result(cohort.output, 1).read_bytes()
    elsewhere = tmp_path / sidecar.name
    elsewhere.write_bytes(sidecar.read_bytes())
    capsys.readouterr()
    assert main(["replay", str(elsewhere), "--output", str(again)]) == 2
    said = capsys.readouterr().err
    assert "no such file; --input says where it lies now" in said


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


def test_a_series_of_each_folder_is_chosen_by_its_description(tmp_path, address):
    datas = [voxels((6, 12, 12), np.uint16, seed) for seed in range(4)]
    for name, (first, second), number in (("a", datas[:2], 2), ("b", datas[2:], 5)):
        t1 = series(first, SeriesNumber=number)
        t2 = series(second, uid=STUDY + ".2", SeriesNumber=9, SeriesDescription="t2 tse")
        save(tmp_path / "in" / name, [*t1, *t2])
    stored(tmp_path / "in" / "c.nii", smooth(TINY), affine_with("RAS"))
    run = ["cohort", str(tmp_path / "in"), *OPTIONS, "--scheduler", address, "--output"]
    assert main([*run, str(tmp_path / "all")]) == 3
    failed = {line["name"]: line["reason"] for line in lines(tmp_path / "all") if "reason" in line}
    assert "choose one by its number or description" in failed["a"]
    assert main([*run, str(tmp_path / "t1"), "--series", "T1*"]) == 0
    assert (tmp_path / "t1" / f"c{MADE}.nii.gz").exists()
    for name, number in (("a", "2"), ("b", "5")):
        record = read_sidecar(tmp_path / "t1" / f"{name}{MADE}.json")
        chosen = DicomVolume.open(tmp_path / "in" / name, series=number)
        assert record.input_sha256 == chosen.sha256()


def test_a_series_of_no_dicom_is_refused(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    stored(tmp_path / "in" / "c.nii", smooth(TINY), affine_with("RAS"))
    run = ["cohort", str(tmp_path / "in"), *OPTIONS, "--output", str(tmp_path / "out")]
    assert main([*run, "--series", "t1*"]) == 2
    assert "expected DICOM series for --series, found none" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


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
        (["--scale", "2", "--within", "mask.nii"], "expected lesion, found 'mask.nii'"),
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


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, address, monkeypatch, capsys):
    written = Ledger.write

    def full(ledger, event, **what):
        if event != "run":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(ledger.path))
        written(ledger, event, **what)

    monkeypatch.setattr(Ledger, "write", full)
    root, output = heads(tmp_path / "raw", 2, TINY), tmp_path / "out"
    run = ["cohort", str(root), *OPTIONS, "--scheduler", address, "--output", str(output)]
    assert main(run) == 0
    out, err = capsys.readouterr()
    assert set(states(out).values()) == {"done"}
    assert err.count("the log has gaps") == 1
    assert f"{output / 'logs' / 'cohort.jsonl'}: No space left on device" in err
    assert all(result(output, number).exists() for number in range(2))


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
        (["OUT", "group"], "expected participant, found 'group'"),
        (["OUT", "None"], "expected participant, found 'None'"),
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
