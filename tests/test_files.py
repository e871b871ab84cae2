"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from napari_metasr.files import (
    cache_folder,
    keeping,
    naming,
    read_fields,
    read_json,
    replacing,
    replacing_all,
    replacing_folder,
)


def write_half(folder):
    with replacing_folder(folder) as new:
        (new / "half").write_text("half")
        raise ValueError("no more")


def test_a_folder_takes_its_place_whole(tmp_path):
    folder = tmp_path / "b"
    with replacing_folder(folder) as new:
        (new / "one").write_text("1")
        assert not folder.exists()
    with replacing_folder(folder) as new:
        (new / "two").write_text("2")
    assert [path.name for path in folder.iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_failure_leaves_the_folder_that_was_there(tmp_path):
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "one").write_text("1")
    with pytest.raises(ValueError, match="no more"):
        write_half(folder)
    assert [path.name for path in folder.iterdir()] == ["one"]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "one").write_text("1")
    rename, news = Path.rename, []

    def refuse(path, target):
        if path in news:
            raise PermissionError("in use")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError, match="in use"), replacing_folder(folder) as new:
        news.append(new)
    assert [path.name for path in folder.iterdir()] == ["one"]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("mode", "expected"), [(0o600, 0o600), (0o640, 0o640), (0o644, 0o644)])
def test_what_is_made_of_a_private_file_is_private(tmp_path, mode, expected):
    source, output = tmp_path / "in", tmp_path / "out"
    source.write_text("secret")
    source.chmod(mode)
    with keeping(lambda: [source]), replacing(output) as temporary:
        temporary.write_text("made of it")
        temporary.chmod(0o644)
    assert mode_of(output) == expected
    with replacing(tmp_path / "other") as temporary:
        temporary.write_text("made of nothing")
        temporary.chmod(0o644)
    assert mode_of(tmp_path / "other") == 0o644


def test_inputs_are_listed_once(tmp_path):
    listed = []

    def inputs():
        listed.append(1)
        return [tmp_path / "in"]

    with keeping(inputs):
        for number in range(3):
            with replacing(tmp_path / str(number), overwrite=True) as temporary:
                temporary.write_text("x")
    assert listed == [1]


def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(OSError, match="No space left") as caught, replacing(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "out")
    with pytest.raises(OSError, match="other") as caught, naming(tmp_path):
        raise OSError(errno.ENOENT, "gone", "other")
    assert caught.value.filename == "other"


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b""])
def test_what_is_no_json_is_said_by_name(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.json: expected JSON, found something else"):
        read_json(path)


def test_what_is_written_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, synced = tmp_path / "a", []

    def sync(number: int) -> None:
        synced.append((os.fstat(number).st_ino, path.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert synced == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


@pytest.mark.parametrize("exists", [False, True])
def test_files_take_their_places_together_or_not_at_all(tmp_path, exists):
    first, last = tmp_path / "a.nii", tmp_path / "a.json"
    if exists:
        first.write_text("before")

    def write_both():
        with replacing_all([first, last], overwrite=True) as written:
            for path in written:
                path.write_text("new")
            last.mkdir()  # it comes while the files are written, and no file can replace it

    with pytest.raises(IsADirectoryError):
        write_both()
    assert [path.name for path in sorted(tmp_path.iterdir())] == (
        ["a.json", "a.nii"] if exists else ["a.json"]
    )
    if exists:
        assert first.read_text() == "before"

    last.rmdir()
    with replacing_all([first, last], overwrite=True) as written:
        for path in written:
            path.write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.json": "new", "a.nii": "new",
    }  # fmt: skip


@pytest.mark.parametrize("content", [None, b"", b"[1]", b"\xff{}", b"[" * 100_000])
def test_what_is_no_json_object_has_no_fields(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    assert read_fields(path) == {}
    path.write_text('{"EchoTime": 0.004}', encoding="utf-8-sig")
    assert read_fields(path) == {"EchoTime": 0.004}


def test_the_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("METASR_CACHE", str(tmp_path / "old"))
    monkeypatch.setenv("NAPARI_METASR_CACHE", str(tmp_path / "new"))
    assert cache_folder() == tmp_path / "new"
    monkeypatch.delenv("NAPARI_METASR_CACHE")
    assert cache_folder() == tmp_path / "old"
    monkeypatch.setenv("METASR_CACHE", "")
    assert cache_folder().name == "napari-metasr"


@pytest.mark.parametrize("name", ["a" * 244 + ".txt", "頭" * 80 + ".txt"])
def test_names_may_be_as_long_as_the_disk_takes(tmp_path, name):
    path = tmp_path / name
    for overwrite in (False, True):
        with replacing_all([path, tmp_path / "b"], overwrite=overwrite) as temporary:
            assert [one.suffix for one in temporary] == [".txt", ".b"]
            for one in temporary:
                one.write_text(str(overwrite))
        assert path.read_text() == str(overwrite)
    assert {one.name for one in tmp_path.iterdir()} == {name, "b"}


def test_a_link_that_leads_nowhere_is_kept(tmp_path):
    path = tmp_path / "a"
    path.symlink_to("nowhere")
    with pytest.raises(FileExistsError, match="is kept unless overwriting"), replacing(path):
        pytest.fail("refused too late")
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text("new")
    assert (path.is_symlink(), path.read_text()) == (False, "new")


def test_a_name_that_is_no_text_is_refused_before_the_work(tmp_path):
    path = tmp_path / os.fsdecode(b"Sch\xe4del.txt")
    with pytest.raises(ValueError, match="expected a name in UTF-8"), replacing(path):
        pytest.fail("refused too late")
