"""Bad input on the command line: one line, exit code 2, nothing written."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest

from napari_metasr.cli import main
from napari_metasr.cli.parsing import parse_scale
from napari_metasr.cli.verbs import VERBS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a good volume and several bad ones."""
    monkeypatch.chdir(tmp_path)
    data = np.arange(12 * 14 * 5, dtype=np.int16).reshape(12, 14, 5)
    nib.save(nib.Nifti1Image(data, np.eye(4)), "good.nii.gz")
    whole = gzip.compress((tmp_path / "good.nii.gz").read_bytes())
    (tmp_path / "truncated.nii.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.nii").write_text("not an image at all" * 40)
    (tmp_path / "empty.nii").touch()
    nib.save(nib.Nifti1Image(np.full((4, 4, 4), np.nan, np.float32), np.eye(4)), "nan.nii")
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.complex64), np.eye(4)), "complex.nii")
    (tmp_path / "taken.png").write_bytes(b"mine")
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    return tmp_path


GOOD = "zoom good.nii.gz --scale 2 --output out.png"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "expected a verb among zoom, upscale, replay, cohort, series, info, detect, trust,"),
        ("zom good.nii.gz", "demo, rate, found 'zom'; did you mean 'zoom'?"),
        ("--debug zoom", "found '--debug'"),
        ("zoom", "INPUT --scale NUMBER|Y,X --output OUTPUT"),
        ("zoom good.nii.gz --scale 2", "--output OUTPUT"),
        (f"{GOOD} --plan axial", "zoom does not take --plan; did you mean '--plane'?"),
        (f"{GOOD} --plane oblique", "'axial', 'coronal', 'sagittal'"),
        (f"{GOOD} --slice two", "--slice: expected a whole number, found 'two'"),
        (f"{GOOD} --slice 5", "slice 5 is outside the volume: it has 5 axial slices"),
        (f"{GOOD} --slice -1", "slice -1 is outside the volume"),
        (f"{GOOD} --time 1", "time point 1 is outside"),
        (f"{GOOD} --region 1,2,3", "four numbers y,x,height,width in pixels, found '1,2,3'"),
        (f"{GOOD} --region 0,0,0,4", "positive height and width"),
        (f"{GOOD} --region 8,8,8,8", "reaches outside the slice of 14 x 12 pixels"),
        (f"{GOOD} --region=-1,0,4,4", "reaches outside the slice"),
        (f"{GOOD} --model meta-sgran", "did you mean 'meta-srgan'?"),
        (f"{GOOD} --model weights.safetensors", "model card"),
        ("zoom good.nii.gz --scale 0.5 --output out.png", "at least 1, found 0.5"),
        ("zoom good.nii.gz --scale nan --output out.png", "finite number of at least 1, found nan"),
        ("zoom good.nii.gz --scale inf --output out.png", "finite number of at least 1, found inf"),
        ("zoom good.nii.gz --scale 1e9 --output out.png", "would give 14,000,000,000 pixels"),
        ("zoom good.nii.gz --scale big --output out.png", "a number or a pair y,x, found 'big'"),
        ("zoom good.nii.gz --scale 2,2,2 --output out.png", "a number or a pair y,x"),
        ("zoom good.nii.gz --scale 2 --output out.jpg", "ends in .nii.gz, .nii, .mgz"),
        (
            "zoom good.nii.gz --scale 2 --output taken.png",
            "asked for; --overwrite replaces it",
        ),
        ("zoom good.nii.gz --scale 2 --output no/out.png", "the folder no does not exist"),
        ("zoom none.nii.gz --scale 2 --output out.png", "none.nii.gz: no such file"),
        ("zoom text.nii --scale 2 --output out.png", "text.nii: expected a NIfTI file"),
        ("zoom truncated.nii.gz --scale 2 --output out.png", "truncated.nii.gz: expected a"),
        ("zoom empty.nii --scale 2 --output out.png", "found an empty file"),
        ("zoom nan.nii --scale 2 --output out.png", "found no finite voxel"),
        ("zoom complex.nii --scale 2 --output out.png", "found complex64"),
        ("demo --input none.nii --screen virtual", "none.nii: no such file"),
        ("demo --model meta-sgran", "did you mean 'meta-srgan'?"),
        ("demo --output taken.png", "taken.png: expected a folder, found a file"),
    ],
)
def test_bad_input_gives_one_line(folder: Path, capsys, arguments: str, message: str) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("napari-metasr: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("columns", ["40", "200"])
def test_an_unknown_verb_names_all_at_any_width(capsys, monkeypatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["replai"]) == 2
    error = capsys.readouterr().err
    assert all(verb in error for verb in VERBS)
    assert "did you mean 'replay'?" in error


@pytest.mark.parametrize("verb", VERBS)
def test_help_speaks_no_python(capsys, verb: str) -> None:
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("None", "False", "STR", "FLOAT"):
        assert word not in shown


def test_cuda_where_there_is_none(folder: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main([*GOOD.split(), "--device", "cuda"]) == 2
    assert "the device cuda was asked for" in capsys.readouterr().err
    assert not (folder / "out.png").exists()


def test_too_little_memory_is_one_line(
    folder: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("napari_metasr.cli.zoom.read", exhausted)
    assert main(GOOD.split()) == 2
    assert "not enough memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "expected --scale or --spacing, found neither"),
        ("--scale 2 --spacing 1", "expected --scale or --spacing, found both"),
        ("--scale 2 --thickness -1", "thickness: expected greater than 0, found -1.0"),
    ],
)
def test_options_that_do_not_go_together_are_told_in_plain_words(
    folder: Path, capsys, options: str, message: str
) -> None:
    assert main(["upscale", "good.nii.gz", "--output", "out.nii", *options.split()]) == 2
    assert capsys.readouterr().err == f"napari-metasr: error: {message}\n"
    assert not (folder / "out.nii").exists()


def test_an_interrupt_has_an_exit_code_of_its_own(
    folder: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_metasr.cli.zoom.read", interrupted)
    assert main(GOOD.split()) == 130
    assert capsys.readouterr().err == "napari-metasr: error: stopped\n"


def test_debug_shows_where_it_came_from(folder: Path, capsys) -> None:
    assert main([*GOOD.split(), "--slice", "99", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_is_not_hidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("napari_metasr.cli.zoom.read", broken)
    with pytest.raises(KeyError):
        main(GOOD.split())


@pytest.mark.parametrize(("text", "scale"), [("3.7", 3.7), ("2,3.5", (2.0, 3.5)), ("1", 1.0)])
def test_scales(text: str, scale: object) -> None:
    assert parse_scale(text) == scale
