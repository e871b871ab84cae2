"""Rectangles of slices as shapes of a napari layer, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.affines import edges_from_napari, napari_from_edges
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.boxes import Box
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray


def corners(box: Box, leading: tuple[int, ...], ndim: int) -> NDArray[np.float64]:
    """Return a rectangle's corners in the data coordinates of a layer: shape (4, ndim)."""
    top, left, bottom, right = (napari_from_edges(edge, 1.0, 0.0) for edge in box.window)
    points = np.zeros((4, ndim))
    points[:, : len(leading)] = leading
    normal, rows, columns = _axes(box.plane, ndim)
    if normal is not None:
        points[:, normal] = box.index
    points[:, rows] = top, top, bottom, bottom
    points[:, columns] = left, right, right, left
    return points


def box_from(
    points: NDArray[Any],
    shape: tuple[int, ...],
    leading: tuple[int, ...],
    lesion: int,
    score: float,
) -> Box | None:
    """Return the rectangle round a shape, clipped to its slice; None if it lies outside."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    before = len(leading)
    if tuple(np.round(low[:before]).astype(int)) != leading:
        return None
    flat = int(np.argmin((high - low)[before:]))
    plane = list(Plane)[flat] if len(shape) > 2 else Plane.AXIAL
    normal, rows, columns = _axes(plane, len(shape))
    index = int(np.round(low[normal])) if normal is not None else 0
    if normal is not None and not 0 <= index < shape[normal]:
        return None
    window = _window(low, high, rows, columns)
    try:
        inside = window.clipped((shape[rows], shape[columns]))
    except ValueError:
        return None
    return Box(lesion, plane, index, inside, score)


def _window(low: NDArray[Any], high: NDArray[Any], rows: int, columns: int) -> Window:
    return Window(
        *(
            edges_from_napari(float(point), 1.0, 0.0)
            for point in (low[rows], low[columns], high[rows], high[columns])
        )
    )


def _axes(plane: Plane, ndim: int) -> tuple[int | None, int, int]:
    """Return a layer's normal, row and column axes of a plane; a 2-D layer has no normal."""
    if ndim == 2:
        return None, 0, 1
    first = ndim - 3
    return first + plane.normal_axis, first + plane.row_axis, first + plane.column_axis
