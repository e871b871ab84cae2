"""DICOM series that fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.io.dicom.volume import DicomVolume
from napari_metasr.io.nifti import check_finite
from napari_metasr.volume import Volume

if TYPE_CHECKING:
    import os

__all__ = ["loaded", "read_dicom"]


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


def loaded(stored: DicomVolume) -> Volume:
    """All voxels of a series.

    Raises
    ------
    ValueError
        As `DicomVolume.blocks`.
    """
    data = np.empty(stored.shape, stored.dtype)
    for place, block in stored.blocks():
        data[place] = block
    check_finite(stored.path, data)
    return Volume(
        data=data if stored.time_points > 1 else data[0],
        affine=stored.affine,
        spacing=stored.spacing,
        source=stored.source,
    )
