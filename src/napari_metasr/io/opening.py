"""Volumes of every kind, opened to be read a part at a time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr.files import read_fields
from napari_metasr.io.dicom.recognition import is_dicom, walked
from napari_metasr.io.names import (
    METAIMAGE,
    NIFTI,
    NRRD,
    has_ending,
    is_volume_file,
    sidecar_path,
    stem,
)
from napari_metasr.io.stored import StoredVolume, open_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from napari_metasr.io.protocols import VolumeReader

__all__ = ["check_no_series", "files_of", "open_stored", "stands_for_dicom"]

DICOM_ENDINGS = (".dcm", ".ima", ".zip")
"""What a file of such a name should hold, even if it holds something else."""


def open_stored(path: str | os.PathLike[str], *, series: str | None = None) -> VolumeReader:
    """Open a volume, of a file or a DICOM series, without reading its voxels.

    Parameters
    ----------
    path
        A file of NIfTI, FreeSurfer, NRRD or MetaImage; or DICOM: a folder (with all below it), a
        file or a .zip file.
    series
        Which of several DICOM series: its number or description as
        `napari-metasr series` lists them, or its UID.

    Raises
    ------
    FileNotFoundError, ValueError
        As `StoredVolume.open` and `DicomVolume.open`, or if a series of another file is asked for.
    """
    path = Path(path)
    if stands_for_dicom(path):
        from napari_metasr.io.dicom.volume import DicomVolume

        return DicomVolume.open(path, series=series)
    check_no_series(path, series)
    return StoredVolume.open(path)


def files_of(path: Path) -> Iterator[Path]:
    """Yield the existing files that make up an input, which no output may replace.

    Parameters
    ----------
    path
        A file, or a folder, which stands for the DICOM files in it.

    Yields
    ------
    Path
        The file, its data where they are a file of their own, and the JSON file of the same name,
        unless that says that it describes another file.
    """
    if path.is_dir():
        yield from (file for file in walked(path) if is_dicom(file))
    elif path.is_file():
        yield path
        yield from _data_beside(path)
        sidecar = sidecar_path(path)
        if sidecar.is_file() and not _describes_other(sidecar, path.name):
            yield sidecar


def _data_beside(path: Path) -> Iterator[Path]:
    """Yield the files that hold the rest of a volume whose header is a file of its own."""
    if has_ending(path, NIFTI) and not has_ending(path, (".nii", ".nii.gz")):
        halves = (path.with_name(f"{stem(path)}{ending}") for ending in NIFTI)
        yield from (half for half in halves if half.is_file())
    elif has_ending(path, NRRD + METAIMAGE):
        with suppress(OSError, ValueError):  # refused as an input, and read by nothing
            yield from (file for file in open_file(path).files if file != path)


def _describes_other(sidecar: Path, name: str) -> bool:
    """Return whether a JSON file says that it belongs to a file of another name."""
    return bool(read_fields(sidecar).get("OutputName", name) != name)


def stands_for_dicom(path: Path) -> bool:
    """Tell whether a path should be read as DICOM, by what it is, its name, or its content."""
    return path.is_dir() or (
        not is_volume_file(path) and (path.suffix.lower() in DICOM_ENDINGS or is_dicom(path))
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
