"""The data file that a header names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["data_file"]


def data_file(path: Path, name: str) -> Path:
    """Return the file of voxels that a header names, relative to its own folder.

    Parameters
    ----------
    path
        The header.
    name
        What it says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it names several, or one outside the header's folder: a header that comes from
        elsewhere opens no other file of this machine.
    """
    if name.split()[:1] == ["LIST"] or "%" in name:
        raise ValueError(f"{path}: expected one data file, found a list of files")
    found = path.parent / name
    if not found.resolve().is_relative_to(path.parent.resolve()):
        raise ValueError(f"{path}: expected a data file beside the header, found {name!r}")
    if not found.is_file():
        raise FileNotFoundError(f"{path}: the data file {name!r} is missing")
    return found
