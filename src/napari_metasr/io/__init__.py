"""Files to and from volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.io.images import is_picture, read_picture
from napari_metasr.io.nifti import read_volume
from napari_metasr.io.writer import write_slice, write_volume

if TYPE_CHECKING:
    import os

    from napari_metasr.volume import Volume

__all__ = ["read", "read_picture", "read_volume", "write_slice", "write_volume"]


def read(path: str | os.PathLike[str]) -> Volume:
    """Read a NIfTI file, or by its ending a gray picture, as a canonical volume.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_volume` and `read_picture`.
    """
    return read_picture(path) if is_picture(path) else read_volume(path)
