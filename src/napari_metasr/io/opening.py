"""Volumes of every kind, opened to be read a part at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr.io.dicom.recognition import is_dicom
from napari_metasr.io.nifti import is_nifti
from napari_metasr.io.stored import StoredVolume

if TYPE_CHECKING:
    import os

    from napari_metasr.io.parts import VolumeInParts

__all__ = ["check_no_series", "open_stored", "stands_for_dicom"]


def open_stored(path: str | os.PathLike[str], *, series: str | None = None) -> VolumeInParts:
    """Open a NIfTI file or a DICOM series without reading its voxels.

    Parameters
    ----------
    path
        A NIfTI file; or DICOM: a folder (with all below it), a file or a .zip file.
    series
        Which of several DICOM series: its number as `napari-metasr series` lists it, or its UID.

    Raises
    ------
    FileNotFoundError, ValueError
        As `StoredVolume.open` and `DicomVolume.open`, or if a series of a NIfTI file is asked for.

    Warns
    -----
    UserWarning
        For what speaks against trusting a DICOM series.
    """
    path = Path(path)
    if stands_for_dicom(path):
        from napari_metasr.io.dicom.volume import DicomVolume

        return DicomVolume.open(path, series=series)
    check_no_series(path, series)
    return StoredVolume.open(path)


def stands_for_dicom(path: Path) -> bool:
    """Tell whether a path should be read as DICOM: every folder, every archive, every such file."""
    return path.is_dir() or (
        not is_nifti(path) and (path.suffix.lower() == ".zip" or is_dicom(path))
    )


def check_no_series(path: Path, series: str | None) -> None:
    """Refuse to choose a series where there is none to choose.

    Raises
    ------
    ValueError
        If one is asked for.
    """
    if series is not None:
        raise ValueError(f"{path}: expected DICOM to choose a series of, found another kind")
