"""Where a napari layer's voxels lie in the world, and whether those of another lie there too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image, Labels

GEOMETRY_EVENTS = ("data", "scale", "translate", "rotate", "shear", "affine")
"""What a layer tells when it has other numbers, or another place."""

SPACE = 3
"""Axes of a volume."""


class UnsupportedLayerError(ValueError):
    """The layer cannot be zoomed; the message names it and says why."""


def same_grid(first: Image, second: Image) -> bool:
    """Return whether two layers' voxels lie in the same places."""
    return first.ndim == second.ndim and has_grid_of(first, second)


def has_grid_of(layer: Image | Labels, source: Image) -> bool:
    """Return whether a segmentation's voxels are those of an image, or of each of its volumes."""
    shape = tuple(layer.data.shape) if not layer.multiscale else ()
    if len(shape) < min(source.ndim, SPACE) or tuple(source.data.shape[-len(shape) :]) != shape:
        return False
    try:
        own, other = scale_and_translate(layer), scale_and_translate(source)
    except UnsupportedLayerError:
        return False
    return all(np.allclose(one, each[-len(shape) :]) for one, each in zip(own, other, strict=True))


def scale_and_translate(layer: Image) -> tuple[list[float], list[float]]:
    """Return (scale, translate): world units per voxel, and where voxel 0 lies.

    The layer's affine is included.

    Raises
    ------
    UnsupportedLayerError
        If the layer is rotated or sheared, or has an axis with no extent.
    """
    zero = np.zeros(layer.ndim)
    start = np.asarray(layer.data_to_world(zero), float)
    matrix = np.stack(
        [np.asarray(layer.data_to_world(unit), float) - start for unit in np.eye(layer.ndim)]
    )
    diagonal = np.diag(matrix)
    tolerance = 1e-6 * np.abs(matrix).max()
    if not np.isfinite(matrix).all() or np.any(np.abs(matrix - np.diag(diagonal)) > tolerance):
        raise UnsupportedLayerError(
            f"“{layer.name}” is rotated or sheared by its transform: only scale and "
            "translate are supported"
        )
    if np.any(np.abs(diagonal) <= tolerance):
        raise UnsupportedLayerError(f"“{layer.name}” has an axis with no extent")
    return [float(value) for value in diagonal], [float(value) for value in start]
