"""DICOM series that fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.io.dicom.volume import DicomVolume
from napari_metasr.io.loading import loaded

if TYPE_CHECKING:
    import os

    from napari_metasr.volume import Volume

__all__ = ["read_dicom"]


def read_dicom(path: str | os.PathLike[str], *, series: str | None = None) -> Volume:
    """Read a DICOM series as a canonical volume.

    Parameters
    ----------
    path, series
        As `DicomVolume.open`.

    Returns
    -------
    Volume
        Shape (z, y, x) or (t, z, y, x), as `read_volume`. Its name is made of modality and
        redacted series description.

    Raises
    ------
    FileNotFoundError, ValueError
        As `DicomVolume.open` and `DicomVolume.blocks`.
    """
    return loaded(DicomVolume.open(path, series=series))
