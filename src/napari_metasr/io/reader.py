"""napari's reader for files of volumes and DICOM series."""

from __future__ import annotations

import os
import re
import warnings
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.dicom.recognition import is_dicom, is_zip, walked
from napari_metasr.io.layers import layer_data
from napari_metasr.io.loading import loaded, read_volume
from napari_metasr.io.names import are_freesurfer_labels, is_volume_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_metasr.io.dicom.series import Series
    from napari_metasr.io.layers import LayerData
    from napari_metasr.volume import Volume

__all__ = ["get_reader", "read_dicom_layers", "read_layers"]

LOOKS = 16
"""So many files beside one are looked at for others of its series."""

_SEGMENTATION = re.compile(r"(^|[_.-])(d?seg|mask|labels?)$|(^|_)label-", re.IGNORECASE)


def get_reader(path: str | Sequence[str]) -> Callable[..., list[LayerData]] | None:
    """Return the function that reads these paths, or None if they are not ours.

    Ours are files of volumes, by their endings, and what holds DICOM: files, folders and .zip
    files.
    """
    paths = _as_list(path)
    if all(is_volume_file(one) for one in paths):
        return read_layers
    return read_dicom_layers if all(is_dicom(one) for one in paths) else None


def read_layers(path: str | Sequence[str], **_: Any) -> list[LayerData]:
    """Read files of volumes as napari layers, one a file.

    Files whose headers or names say that they are segmentations (``_seg``, ``_dseg``, ``_mask``,
    ``label-``, FreeSurfer's ``aseg``) and that hold whole numbers become labels.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_volume`, in one line; napari shows it as a notification.
    """
    volumes = [read_volume(one) for one in _as_list(path)]
    return [layer_data(volume, labels=_is_segmentation(volume)) for volume in volumes]


def read_dicom_layers(path: str | Sequence[str], **_: Any) -> list[LayerData]:
    """Read DICOM series as napari layers, one a volume; several paths are looked through as one.

    Layers are called by modality, redacted series description, and what tells parts of a series or
    studies apart. Single images, such as those of localizers, are left out where there are volumes.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no volume at all, in one line.

    Warns
    -----
    UserWarning
        Of what was left out and why, of a file that is one image of several, and of what speaks
        against trusting a volume; napari shows it as a notification.
    """
    from napari_metasr.io.dicom.choice import none_found
    from napari_metasr.io.dicom.finding import find_series
    from napari_metasr.io.dicom.volume import DicomVolume

    paths = [Path(one) for one in _as_list(path)]
    found = find_series(*paths)
    if not found.readable:
        raise ValueError(f"{paths[0]}: {none_found(found)}")
    volumes = [series for series in found.readable if series.slices > 1] or found.readable
    layers = []
    for series in found.series:
        if series in volumes:
            try:
                volume = loaded(DicomVolume.of(_origin(series, paths), series))
                told = f" ({series.part})" if series.part else ""
                layers.append(layer_data(volume, name=f"{volume.source.name}{told}"))
            except ValueError as error:
                if len(volumes) == 1:
                    raise
                warnings.warn(f"Left out: {error}", stacklevel=2)
                continue
        if series.refusal is not None:
            warnings.warn(f"Left out: {series.title}: {series.refusal}", stacklevel=2)
        elif series not in volumes:
            warnings.warn(f"Left out: {series.title}: a single image", stacklevel=2)
    if found.damaged or found.missing:
        told = " and ".join(found.left_out[: bool(found.damaged) + bool(found.missing)])
        warnings.warn(f"Left out: {told}; slices may be missing", stacklevel=2)
    if not layers:
        raise ValueError(f"{paths[0]}: expected a volume, found {len(volumes)} damaged ones")
    if sum(series.images for series in found.series) == 1 and _has_others_beside(paths[0]):
        warnings.warn(
            "This DICOM file is a single image: open its folder for the whole series", stacklevel=2
        )
    return layers


def _has_others_beside(path: Path) -> bool:
    """Return whether a file lies in a folder with other DICOM files, as those of its series do."""
    if not path.is_file() or is_zip(path):
        return False
    others = (other for other in walked(path.parent) if other != path)
    return any(is_dicom(other) for other in islice(others, LOOKS))


def _origin(series: Series, paths: Sequence[Path]) -> Path:
    """Return which of several paths a series was found in; of several, the folder around them."""
    files = {frame.header.file.path for frames in series.frames for frame in frames}
    for path in paths:
        if all(path in (file, *file.parents) for file in files):
            return path
    return Path(os.path.commonpath([file.parent for file in files]))


def _as_list(path: str | Sequence[str]) -> Sequence[str]:
    return path if isinstance(path, list | tuple) else [path]  # type: ignore[list-item]


def _is_segmentation(volume: Volume) -> bool:
    name = volume.source.name
    is_named = _SEGMENTATION.search(name) or are_freesurfer_labels(name)
    if not (volume.source.holds_labels or is_named):
        return False
    return volume.data.dtype.kind in "iu" or bool(np.array_equal(volume.data, np.rint(volume.data)))
