"""What the work on a volume may replace, and what is left when its end goes wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fakes.nifti import affine_with, stored
from fakes.upscaling import smooth

from napari_metasr.cli import main
from napari_metasr.files import file_sha256
from napari_metasr.io.names import sidecar_path
from napari_metasr.upscaling.examination import Examination
from napari_metasr.upscaling.sidecar import read_sidecar
from napari_metasr.upscaling.workspace import Workspace

UPSCALE = ["upscale", "in.nii.gz", "--scale", "1.5,1,1", "--device", "cpu", "--output"]


@pytest.fixture
def scan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return stored(tmp_path / "in.nii.gz", smooth((8, 7, 4)), affine_with("RAS"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("how", ["--resume", "--overwrite"])
def test_the_input_s_own_sidecar_stays(scan, tmp_path, capsys, how):
    (tmp_path / "in.json").write_text('{"EchoTime": 0.004}')
    before = contents(tmp_path)
    assert main([*UPSCALE, "in.nii", how]) == 2
    error = capsys.readouterr().err
    assert (
        "in.json: the file exists" in error
        or "in.json: the output would replace the input" in error
    )
    assert contents(tmp_path) == before


def test_going_on_replaces_no_sidecar_that_is_not_the_work_s(scan, tmp_path, capsys):
    (tmp_path / "out.json").write_text('{"EchoTime": 0.004}')
    assert main([*UPSCALE, "out.nii", "--resume"]) == 2
    assert "out.json: expected the record of out.nii, found another" in capsys.readouterr().err
    (tmp_path / "out.json").unlink()
    main([*UPSCALE, "out.nii"])
    (tmp_path / "out.nii").unlink()
    before = contents(tmp_path)
    assert main([*UPSCALE, "out.nii", "--resume"]) == 2  # there is no work to go on with
    assert main([*UPSCALE, "out.nii.gz", "--resume"]) == 2
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["in.nii.gz", "link.nii.gz", "mask.nii.gz"])
def test_what_it_is_made_of_is_never_replaced(scan, tmp_path, capsys, name):
    mask = smooth((8, 7, 4)) > 1000
    stored(tmp_path / "mask.nii.gz", mask.astype("u1"), affine_with("RAS"))
    os.link(scan, tmp_path / "link.nii.gz")
    before = contents(tmp_path)
    assert main([*UPSCALE, name, "--within", "mask.nii.gz", "--overwrite"]) == 2
    assert f"{name}: the output would replace the input" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_replay_does_not_replace_the_input(scan, tmp_path, capsys):
    main([*UPSCALE, "out.nii"])
    before = contents(tmp_path)
    assert main(["replay", "out.json", "--output", "in.nii.gz", "--overwrite"]) == 2
    assert "in.nii.gz: the output would replace the input" in capsys.readouterr().err
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
def test_work_that_was_killed_after_its_last_rename_is_tidied_up(
    scan, tmp_path, monkeypatch, name, capsys
):
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "remove", lambda _: None)
        main([*UPSCALE, name])
    folder, before = Workspace(tmp_path / name).folder, contents(tmp_path)
    assert folder.is_dir()
    other = [one.replace("1.5", "2") for one in UPSCALE]
    assert main([*other, name, "--resume"]) == 2
    assert f"{name}: the file exists" in capsys.readouterr().err
    monkeypatch.setattr(Examination, "steps", lambda *_: pytest.fail("all is done already"))
    assert main([*UPSCALE, name, "--resume"]) == 0
    assert not folder.exists()
    assert contents(tmp_path) == before
    (tmp_path / name).write_bytes(b"damaged")
    assert main([*UPSCALE, name, "--resume"]) == 2


@pytest.mark.parametrize("exists", [False, True])
def test_a_last_rename_that_fails_leaves_both_files_as_they_were(
    scan, tmp_path, monkeypatch, capsys, exists
):
    if exists:
        main([*(one.replace("1.5", "2") for one in UPSCALE), "out.nii"])
    before = contents(tmp_path)
    rename = Path.replace

    def replace(self, target):
        if Path(target).name == "out.nii":
            raise OSError(5, os.strerror(5), str(target))
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        assert main([*UPSCALE, "out.nii", "--overwrite"]) == 2
    assert "out.nii: Input/output error" in capsys.readouterr().err
    assert contents(tmp_path) == before
    assert main([*UPSCALE, "out.nii", "--overwrite", "--resume"]) == 0
    record = read_sidecar(tmp_path / "out.json")
    assert record.output_sha256 == file_sha256(tmp_path / "out.nii")


def test_an_input_that_changes_while_it_is_read_is_refused(scan, tmp_path, monkeypatch, capsys):
    from napari_metasr.io.stored import StoredVolume

    blocks = StoredVolume.blocks

    def changing(self):
        yield from blocks(self)
        os.utime(self.path, ns=(1, 1))

    monkeypatch.setattr(StoredVolume, "blocks", changing)
    assert main([*UPSCALE, "out.nii"]) == 2
    assert "in.nii.gz: the input changed while it was being read" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.nii.gz"]


def test_a_journal_that_is_no_text_is_a_damaged_one(scan, tmp_path, capsys):
    folder = Workspace(tmp_path / "out.nii").folder
    folder.mkdir()
    (folder / "journal.json").write_bytes(b"\xff\xfe\x00")
    assert main([*UPSCALE, "out.nii", "--resume"]) == 2
    assert "expected a journal of unfinished work, found a damaged one" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.b.nii", "a.b.nii.gz", "a.b.NII.GZ", "a.b.Nii"])
def test_a_sidecar_has_its_output_s_name(name):
    assert sidecar_path(Path("x") / name) == Path("x") / "a.b.json"


def recorded(tmp_path: Path, **changes: object) -> None:
    """Change what a sidecar says."""
    path = tmp_path / "out.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


KNOWN = {
    "Concerns": ["they are small"],
    "Detector": {"Name": "ld", "Sha256": "1" * 64},
    "SkullStripped": True,
}


@pytest.mark.parametrize("lost", [False, True])
def test_a_record_outlives_a_replay(scan, tmp_path, lost, capsys):
    main([*UPSCALE, "out.nii"])
    recorded(tmp_path, **KNOWN)
    image, record = (tmp_path / "out.nii").read_bytes(), read_sidecar(tmp_path / "out.json")
    if lost:
        (tmp_path / "out.nii").unlink()
    assert main(["replay", "out.json", *([] if lost else ["--overwrite"])]) == 0
    assert "identical to the record" in capsys.readouterr().out
    assert (tmp_path / "out.nii").read_bytes() == image
    assert read_sidecar(tmp_path / "out.json") == record
    assert main(["replay", "out.json", "--output", "b.nii"]) == 0
    there = json.loads((tmp_path / "b.json").read_text())
    assert {key: there[key] for key in KNOWN} == KNOWN


@pytest.mark.parametrize("lost", [False, True])
def test_a_replay_that_gives_another_file_replaces_nothing(
    scan, tmp_path, monkeypatch, capsys, lost
):
    main([*UPSCALE, "out.nii"])
    recorded(tmp_path, Versions={"torch": "0.1"}, **KNOWN)
    if lost:
        (tmp_path / "out.nii").unlink()
    before = contents(tmp_path)
    monkeypatch.setattr(
        "napari_metasr.upscaling.stages.SliceConsistency", lambda *_: pytest.fail("not needed")
    )
    monkeypatch.setattr(
        "napari_metasr.upscaling.slabs.SliceUpscaler.__call__",
        lambda self, image, windows, out: out.fill(7),
    )
    assert main(["replay", "out.json", *([] if lost else ["--overwrite"])]) == 2
    error = capsys.readouterr().err
    assert "the replay produced a different file; the existing output was kept; --output" in error
    assert "in place of 0.1" in error
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob(".*"))
    if lost:
        assert main(["replay", "out.json", "--overwrite"]) == 0
        assert "different from the record" in capsys.readouterr().out
        there = json.loads((tmp_path / "out.json").read_text())
        assert {key: there[key] for key in KNOWN} == KNOWN


def test_the_disk_is_not_waited_for_after_each_part(scan, tmp_path, monkeypatch):
    """Slabs along the file's fastest axis touch every page of it."""
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    assert main([*UPSCALE[:3], "2", *UPSCALE[4:], "out.nii.gz"]) == 0
    assert len(waits) == 4  # for the volume, its sidecar, and their names
