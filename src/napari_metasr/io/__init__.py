"""Files to and from volumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr.io.images import is_picture, read_picture
from napari_metasr.io.loading import read_volume
from napari_metasr.io.opening import check_no_series, stands_for_dicom
from napari_metasr.io.writer import write_slice, write_volume

if TYPE_CHECKING:
    import os

    from napari_metasr.volume import Volume

__all__ = ["read", "read_picture", "read_volume", "write_slice", "write_volume"]


def read(path: str | os.PathLike[str], *, series: str | None = None) -> Volume:
    """Read a file, a DICOM series or, by its ending, a gray picture as a canonical volume.

    Parameters
    ----------
    path
        The file; or for DICOM a folder, a file or a .zip file.
    series
        Which of several DICOM series; see `read_dicom`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_volume`, `read_dicom` and `read_picture`.
    """
    path = Path(path)
    if stands_for_dicom(path):
        from napari_metasr.io.dicom.reading import read_dicom

        return read_dicom(path, series=series)
    check_no_series(path, series)
    return read_picture(path) if is_picture(path) else read_volume(path)
