"""Layers that say where lesions are, and the voxels that they cover in an image."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Shapes

from napari_metasr.lesions.boxes import lesions_of
from napari_metasr.lesions.files import mask_of
from napari_metasr.widgets.viewer.layer_grid import UnsupportedLayerError, has_grid_of
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.result_layers import is_result
from napari_metasr.widgets.viewer.shapes import box_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Image, Layer
    from numpy.typing import NDArray

LESION = "lesion"
"""The column in the table of a layer of boxes that says whose they are."""


def holds_regions(layer: Layer, image: Image | None) -> bool:
    """Return whether a layer holds lesions of an image: labels on its grid, boxes in its place.

    Labels of one volume are those of every time point.
    """
    if image is None or is_result(layer):
        return False
    if isinstance(layer, Labels):
        return has_grid_of(layer, image)
    if not isinstance(layer, Shapes) or LESION not in layer.features or layer.ndim != image.ndim:
        return False
    try:
        own, other = (layer_source(one).placement for one in (image, layer))
    except UnsupportedLayerError:
        return False
    return bool(np.allclose(own, other))


def mask_maker(layer: Layer, image: Image) -> Callable[[], NDArray[np.uint8]]:
    """Return what makes, in any thread, the mask (z, y, x) of the lesions that a layer holds now.

    It raises ValueError if there is no lesion.
    """
    if isinstance(layer, Labels):
        return partial(_labelled, layer.data, layer.name)
    return partial(_boxed, list(layer.data), tuple(image.data.shape), layer.name)


def _labelled(labels: Any, name: str) -> NDArray[np.uint8]:
    found = np.asarray(labels) != 0
    return _checked(found.any(axis=0) if found.ndim > 3 else found, name)


def _boxed(shapes: Sequence[NDArray[Any]], shape: tuple[int, ...], name: str) -> NDArray[np.uint8]:
    boxes = []
    for number, corners in enumerate(shapes, start=1):
        leading = tuple(round(float(position)) for position in corners[0][: len(shape) - 3])
        box = box_from(corners, shape, leading, number, 1.0)
        if box is not None:
            boxes.append(box)
    return _checked(mask_of(shape[-3:], list(lesions_of(boxes).values())), name)


def _checked(found: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if not found.any():
        raise ValueError(f"expected lesions in “{name}”, found none")
    return found.astype(np.uint8)
