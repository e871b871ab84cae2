"""Volumes of every kind, opened to be read a part at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr.io.stored import StoredVolume

if TYPE_CHECKING:
    import os


def open_stored(path: str | os.PathLike[str], *, series: str | None = None) -> StoredVolume:
    """Open a NIfTI file without reading its voxels.

    Parameters
    ----------
    path
        The file.
    series
        Which of several series; a NIfTI file has none to choose from.

    Raises
    ------
    FileNotFoundError, ValueError
        As `StoredVolume.open`, or if a series is asked for.
    """
    path = Path(path)
    if series is not None:
        raise ValueError(f"{path}: expected no series for a NIfTI file, found {series!r}")
    return StoredVolume.open(path)
