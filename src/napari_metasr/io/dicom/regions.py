"""Regions of a DICOM series that are to be written as DICOM, and what holds for both kinds of file.

Such files lie in the study of the series, with the patient's name and numbers, since nothing could
file them without; so they are written only when they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import check_kept, check_writable
from napari_metasr.io.dicom.derived import check_filed
from napari_metasr.io.dicom.extra import need_dicom
from napari_metasr.io.orientation import from_canonical

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = ["ENDING", "PURPOSE", "Region", "check_output", "check_regions", "lps_affine", "stored"]

ENDING = ".dcm"
PURPOSE = "Research use, not for diagnosis: regions that may hold a lesion"
"""At most 64 characters, as a description in DICOM may have."""


@dataclass(frozen=True)
class Region:
    """A region of a volume.

    Attributes
    ----------
    name
        What viewers call it.
    mask
        (z, y, x), canonical; true inside.
    algorithm
        Name of what found it; empty where a person did, or where that is not known.
    is_lesion
        Whether it is said to be a lesion, or a label whose meaning is not known.
    """

    name: str
    mask: NDArray[np.bool_]
    algorithm: str = ""
    is_lesion: bool = True


def check_output(path: Path, source: DicomVolume, *, overwrite: bool = False) -> None:
    """Refuse a file before any work is done for it.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError, IsADirectoryError
        As `files.check_writable`, also if the output is a file of the series.
    ValueError
        If the name's ending is wrong, a library is missing, or the series does not say which
        coordinates its positions are in, or which study and which images it consists of.
    """
    need_dicom()
    if path.suffix.lower() != ENDING:
        raise ValueError(f"{path}: expected a name that ends in {ENDING}")
    check_writable(path, overwrite=overwrite)
    check_kept(path, source.files)
    spaces = {frame.space for frames in source.series.frames for frame in frames}
    if len(spaces) > 1 or "" in spaces:
        found = "none" if spaces == {""} else f"{len(spaces)}"
        raise ValueError(
            f"{path}: expected a series with one frame of reference to write regions of, found "
            f"{found}"
        )
    check_filed(path, source, referred=True)


def check_regions(path: Path, regions: Sequence[Region], source: DicomVolume) -> None:
    """Refuse what cannot be regions of a series.

    Raises
    ------
    ValueError
        If there is none, one is empty, or one lies on another grid.
    """
    if not regions:
        raise ValueError(f"{path}: expected regions to write as DICOM, found none")
    for region in regions:
        if region.mask.shape != source.spatial_shape:
            raise ValueError(
                f"{path}: expected a region of {source.spatial_shape} voxels (z, y, x), found "
                f"{region.mask.shape}"
            )
        if not region.mask.any():
            raise ValueError(f"{path}: expected a voxel in {region.name}, found none")


def stored(region: Region, source: DicomVolume) -> NDArray[np.bool_]:
    """Return a region in the series' own order: (slice, row, column)."""
    found, _ = from_canonical(region.mask, source.affine, source.file_affine)
    return np.ascontiguousarray(found.T)


def lps_affine(source: DicomVolume) -> NDArray[Any]:
    """Return the affine from (column, row, slice) to mm as DICOM counts them: left, back, up."""
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ source.file_affine
