"""napari's reader for NIfTI files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.layers import layer_data
from napari_metasr.io.nifti import is_nifti, read_volume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_metasr.io.layers import LayerData
    from napari_metasr.volume import Volume

__all__ = ["get_reader", "read_layers"]

_SEGMENTATION = re.compile(r"(^|[_-])(d?seg|mask|labels?)$|(^|_)label-", re.IGNORECASE)


def get_reader(path: str | Sequence[str]) -> Callable[..., list[LayerData]] | None:
    """Return the function that reads these paths, or None if any is not a NIfTI file."""
    return read_layers if all(is_nifti(one) for one in _as_list(path)) else None


def read_layers(path: str | Sequence[str], **_: Any) -> list[LayerData]:
    """Read NIfTI files as napari layers, one a file.

    Files whose names say that they are segmentations (``_seg``, ``_dseg``, ``_mask``, ``label-``)
    and that hold whole numbers become labels.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_volume`, in one line; napari shows it as a notification.
    """
    volumes = [read_volume(one) for one in _as_list(path)]
    return [layer_data(volume, labels=_is_segmentation(volume)) for volume in volumes]


def _as_list(path: str | Sequence[str]) -> Sequence[str]:
    return path if isinstance(path, list | tuple) else [path]  # type: ignore[list-item]


def _is_segmentation(volume: Volume) -> bool:
    if not _SEGMENTATION.search(volume.source.name):
        return False
    return volume.data.dtype.kind in "iu" or bool(np.array_equal(volume.data, np.rint(volume.data)))
