"""Every odd file that the libraries of the formats ship is read, or refused in one line."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import nibabel as nib
import pydicom
import pytest

from napari_metasr.io import read
from napari_metasr.io.opening import open_stored

ROOTS = [
    Path(nib.__file__).parent / "tests" / "data",
    Path(pydicom.__file__).parent / "data" / "test_files",
]
FILES = [path for root in ROOTS for path in sorted(root.rglob("*")) if path.is_file()]
FOLDERS = sorted({path.parent for path in FILES})


def name(path: Path) -> str:
    return path.name or path.parent.name


def test_there_are_many():
    assert len(FILES) > 150


@pytest.mark.parametrize("opened", [read, open_stored], ids=["read", "opened"])
@pytest.mark.parametrize("path", FILES + FOLDERS, ids=name)
def test_read_or_refused_in_one_line(path, opened, caplog, capfd):
    said = "read"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            opened(path)
        except (ValueError, OSError) as error:
            said = str(error)
    assert len(said.splitlines()) == 1
    assert {one.category for one in caught} <= {UserWarning}, [str(one.message) for one in caught]
    assert [one.name for one in caplog.records if one.levelno >= logging.WARNING] == []
    assert capfd.readouterr() == ("", "")
