"""Lesions and labels as DICOM, in the study of the series that they were found in."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.dicom.regions import Region, check_output
from napari_metasr.io.dicom.segmentation import write_seg
from napari_metasr.io.dicom.structures import write_rtstruct
from napari_metasr.io.opening import stands_for_dicom

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.volume import DicomVolume
    from napari_metasr.lesions.lesion import Lesion
    from napari_metasr.volume import Volume

__all__ = [
    "Region",
    "check_output",
    "regions_in",
    "regions_of",
    "series_of",
    "write_rtstruct",
    "write_seg",
]


def regions_of(
    lesions: Sequence[Lesion], shape: tuple[int, ...], algorithm: str = ""
) -> list[Region]:
    """Return each lesion as the voxels that its rectangles reach into.

    Parameters
    ----------
    lesions
        The best first.
    shape
        (z, y, x) of their volume.
    algorithm
        What found them; empty where a person or a segmentation did.
    """
    return [
        Region(f"Lesion {number}", lesion.mask(shape), "" if lesion.by_hand else algorithm)
        for number, lesion in enumerate(lesions, start=1)
    ]


def regions_in(labels: NDArray[Any]) -> list[Region]:
    """Return each label of a segmentation (z, y, x) as a region; 0 is background."""
    values = [value for value in np.unique(labels).tolist() if value]
    return [Region(f"Label {value:g}", labels == value, is_lesion=False) for value in values]


def series_of(volume: Volume, path: Path, series: str | None = None) -> DicomVolume:
    """Find the DICOM series that a volume was read from.

    Parameters
    ----------
    volume
        The volume.
    path
        Where it was read from.
    series
        Which of several series; without it that of the volume's name and place, and of those
        again, as of a scan that was repeated, the one of its voxels.

    Raises
    ------
    ValueError
        If it was no DICOM series, or is not found any more.
    """
    if not stands_for_dicom(path):
        raise ValueError(
            f"{path}: expected a DICOM series to write regions of as DICOM, found another kind"
        )
    from napari_metasr.io.dicom.finding import find_series
    from napari_metasr.io.dicom.volume import DicomVolume

    if series is not None:
        return DicomVolume.open(path, series=series)
    alike = []
    for one in find_series(path).readable:
        with suppress(ValueError):
            found = DicomVolume.of(path, one)
            same_place = found.spatial_shape == volume.spatial_shape and np.allclose(
                found.affine, volume.affine
            )
            if same_place and found.source.name == volume.source.name:
                alike.append(found)
    if len(alike) > 1:
        alike = [found for found in alike if _has_voxels(found, volume)]
    if not alike:
        raise ValueError(f"{path}: expected the series of {volume.source.name}, found none like it")
    return alike[0]


def _has_voxels(source: DicomVolume, volume: Volume) -> bool:
    """Return whether a series holds the voxels of a volume."""
    if source.time_points != volume.time_points:
        return False
    data = volume.data.reshape(source.shape)  # (t, z, y, x)
    with suppress(ValueError):  # it is damaged
        return all(np.array_equal(data[place], block) for place, block in source.blocks())
    return False
