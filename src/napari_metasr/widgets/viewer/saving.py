"""Saving labels that were drawn over a scan: they lie where the scan lies, oblique or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari
import numpy as np
from napari.layers import Image

from napari_metasr.io import writer
from napari_metasr.io.layers import affine_of_layer, volume_of
from napari_metasr.widgets.viewer.layer_volume import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Do as `napari_metasr.io.writer.write_labels`, for a window (npe2's single-layer writer).

    Labels that carry no volume are written in the frame of a scan of the same voxels that the
    viewer shows in the same place.
    """
    keywords = dict(meta)
    voxels = data[0] if keywords.get("multiscale") else data
    if volume_of(keywords.get("metadata") or {}) is None:
        keywords["metadata"] = _metadata_under(keywords, np.shape(voxels))
    return writer.write_labels(path, data, keywords)


def _metadata_under(keywords: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the metadata of the scan under a layer; none where there is no such scan."""
    viewer = napari.current_viewer()
    if viewer is None:
        return {}
    place = _place(keywords, len(shape))
    for layer in viewer.layers:
        if not isinstance(layer, Image) or volume_of(layer.metadata) is None:
            continue
        if tuple(layer.data.shape[-3:]) == shape[-3:] and np.allclose(
            _place(place_of(layer), layer.ndim), place
        ):
            return dict(layer.metadata)
    return {}


def _place(keywords: Mapping[str, Any], ndim: int) -> Any:
    """Return where a layer's voxels lie in the window."""
    return affine_of_layer({**keywords, "metadata": {}}, ndim)
