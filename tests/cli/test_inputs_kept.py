"""No output takes the place of an input, whichever verb writes it and whatever the way to it."""

from __future__ import annotations

import os
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import get_origin

import numpy as np
import pytest
from fakes.dicom import save, series, voxels
from fakes.nifti import affine_with, stored
from PIL import Image

import napari_metasr.cli
from napari_metasr.cli import main
from napari_metasr.cli.parsing import OUTPUT, Command
from napari_metasr.files import InputReplacedError, check_kept, keeping, replacing, replacing_folder
from napari_metasr.io import read_volume, write_volume
from napari_metasr.io.opening import files_of
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.files import write_rois

NAMED_MODELS = {"model", "through_plane_model", "detector"}
DATASET = ("Cohort", "input")
"""A folder of many volumes, each of which is kept by the work on it."""


def verbs() -> list[type[Command]]:
    for module in pkgutil.iter_modules(napari_metasr.cli.__path__):
        import_module(f"napari_metasr.cli.{module.name}")
    found, wanted = [], [Command]
    while wanted:
        kinds = wanted.pop().__subclasses__()
        wanted += kinds
        found += [kind for kind in kinds if "input" in kind.model_fields]
    return found


def pairs() -> list[tuple[type[Command], str, str]]:
    return [
        (verb, read, written)
        for verb in verbs()
        for read, one in verb.model_fields.items()
        for written, other in verb.model_fields.items()
        if OUTPUT in other.metadata
        and OUTPUT not in one.metadata
        and ("Path" in str(one.annotation) or (read in NAMED_MODELS | {"within"}))
        and (verb.__name__, read) != DATASET
        and "lesion" not in str(one.annotation)
    ]


def reached(path: Path, way: str) -> Path:
    """Another way to a file."""
    other = path.with_name("other.json")
    if way == "symbolic link":
        other.symlink_to(path)
    elif way == "hard link":
        os.link(path, other)
    elif way == "relative":
        return Path(os.path.relpath(path))
    elif way == "through a linked folder":
        linked = path.parent / "linked"
        linked.symlink_to(path.parent, target_is_directory=True)
        return linked / path.name
    elif way == "up and down":
        (path.parent / "sub").mkdir()
        return path.parent / "sub" / ".." / path.name
    else:
        return path
    return other


WAYS = (
    "itself",
    "relative",
    "symbolic link",
    "hard link",
    "through a linked folder",
    "up and down",
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("verb", "read", "written"),
    [pytest.param(*one, id="-".join((one[0].__name__, *one[1:]))) for one in pairs()],
)
def test_no_verb_writes_over_what_it_reads(tmp_path, monkeypatch, verb, read, written, way):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file.json"
    path.write_text("{}")
    fields = {
        name: None if field.is_required() else field.default
        for name, field in verb.model_fields.items()
    } | {"output": tmp_path / "new.nii.gz"}
    kind = verb.model_fields[read].annotation
    text = kind is str or read == "within"
    named = str(path) if text else (path,) if get_origin(kind) is tuple else path
    command = verb.model_construct(**fields | {written: reached(path, way), read: named})
    with pytest.raises(InputReplacedError, match="would replace the input"):
        command.check_kept()


def test_verbs_that_write_are_all_looked_at():
    assert {verb.__name__ for verb, _, _ in pairs()} == {
        *("Zoom", "Trust", "Detect", "Upscale", "Replay", "Cohort", "Demo")
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "arguments",
    [
        ("zoom", "scan.nii.gz", "--scale", "2", "--output"),
        ("detect", "scan.nii.gz", "--output", "new.json", "--mask"),
        ("upscale", "scan.nii.gz", "--scale", "2,2,1", "--output"),
    ],
)
def test_the_scan_stays_and_nothing_else_is_written(tmp_path, monkeypatch, capsys, arguments, way):
    monkeypatch.chdir(tmp_path)
    scan = stored(tmp_path / "scan.nii.gz", np.arange(2000).reshape(20, 20, 5), affine_with("LPS"))
    output = reached(scan, way)
    if output.suffix == ".json":
        output = output.rename(output.with_name("other.nii.gz"))
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert main([*arguments, str(output), "--overwrite"]) == 2
    assert "the output would replace the input" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_picture_a_sidecar_and_a_card_stay(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "head.nii.gz", np.arange(60).reshape(5, 4, 3), affine_with("RAS"))
    Image.fromarray(np.full((20, 20), 100, np.uint8)).save("slice.png")
    for name in ("head.json", "tiny.json", "tiny.safetensors"):
        Path(name).write_text('{"EchoTime": 0.004}')
    before = {path: path.read_bytes() for path in Path().iterdir()}
    for arguments in (
        ["zoom", "slice.png", "--scale", "2", "--output", "slice.png"],
        ["detect", "head.nii.gz", "--output", "head.json"],
        ["detect", "head.nii.gz", "--output", "tiny.json", "--model", "tiny.safetensors"],
    ):
        assert main([*arguments, "--overwrite"]) == 2
        assert "would replace the input" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def saved(folder: Path) -> Path:
    return save(folder / "series", series(voxels()))


def test_a_series_stays_by_whatever_name_its_files_have(tmp_path, capsys):
    path = saved(tmp_path)
    first = sorted(path.iterdir())[0]
    link = tmp_path / "out.nii"
    os.link(first, link)
    before = first.read_bytes()
    assert main(["zoom", str(path), "--scale", "2", "--output", str(link), "--overwrite"]) == 2
    assert "would replace the input" in capsys.readouterr().err
    assert link.read_bytes() == before


def test_what_is_beside_a_series_and_no_part_of_it_may_be_replaced(tmp_path):
    path = saved(tmp_path)
    output = str(path / "out.nii")
    for more in ((), ("--overwrite",)):
        assert main(["zoom", str(path), "--scale", "2", "--output", output, *more]) == 0


def test_the_files_of_an_input(tmp_path):
    for name in ("a.hdr", "a.img", "a.json", "b.nii", "b.nii.gz", "c.nii"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "c.json").write_text('{"OutputName": "c.nii.gz"}')

    def names(name: str) -> set[str]:
        return {path.name for path in files_of(tmp_path / name)}

    assert names("a.img") == {"a.hdr", "a.img", "a.json"}
    assert names("b.nii") == {"b.nii"}
    assert names("c.nii") == {"c.nii"}
    assert names("missing.nii") == set()


def test_a_volume_is_not_written_over_its_own_file(tmp_path):
    path = stored(tmp_path / "a.nii", np.arange(60).reshape(5, 4, 3), affine_with("RAS"))
    before, volume = path.read_bytes(), read_volume(path)
    with pytest.raises(InputReplacedError):
        write_volume(path, volume.data, volume.affine, volume.source, overwrite=True)
    assert path.read_bytes() == before


def test_what_is_kept_is_kept_from_every_way_of_writing(tmp_path):
    path, inside = tmp_path / "a", tmp_path / "b" / "c"
    inside.parent.mkdir()
    for one in (path, inside):
        one.write_text("mine")
    with keeping(lambda: [path, inside]):
        with pytest.raises(InputReplacedError), replacing(path, overwrite=True):
            pass
        with pytest.raises(InputReplacedError), replacing_folder(inside.parent):
            pass
        with replacing(tmp_path / "d") as temporary:
            temporary.write_text("new")
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text("new")
    assert (path.read_text(), inside.read_text()) == ("new", "mine")


def test_a_folder_stands_for_the_files_in_it(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    file = tmp_path / "in" / "deep" / "a"
    file.write_text("mine")
    for output in (file, tmp_path / "in"):
        with pytest.raises(InputReplacedError):
            check_kept(output, [tmp_path / "in"])
    check_kept(tmp_path / "in" / "new", [tmp_path / "in"])
    check_kept(tmp_path, [file])


def test_regions_and_their_mask_are_not_written_over_the_scan(tmp_path):
    path = stored(tmp_path / "a.nii", np.arange(60).reshape(5, 4, 3), affine_with("RAS"))
    before, volume = path.read_bytes(), read_volume(path)
    finder = Finder(kind="person", name="me")
    with pytest.raises(InputReplacedError):
        write_rois(tmp_path / "b.json", volume, (), finder, mask=path, overwrite=True)
    assert path.read_bytes() == before
    assert not (tmp_path / "b.json").exists()
