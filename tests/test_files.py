"""Files and folders that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_metasr.files import replacing_folder


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
