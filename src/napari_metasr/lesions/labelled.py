"""Lesions of a segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_metasr.geometry.affines import box_corners, world_of_edges
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detection import Detection
from napari_metasr.lesions.lesion import Lesion
from napari_metasr.lesions.link import in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.io.protocols import VolumeSpace
    from napari_metasr.volume import Plane

TOUCHING = np.ones((3, 3, 3), bool)
SAME_PLACE = 0.05
"""Share of a voxel: rounding in a header moves corners by less."""


def lesions_in(labels: NDArray[Any], plane: Plane, *, least_voxels: int = 1) -> tuple[Lesion, ...]:
    """Return the connected parts of a segmentation, each with its rectangles, the largest first.

    Voxels that touch, if only at a corner, are of one part, whatever their labels are.

    Parameters
    ----------
    labels
        (z, y, x), or (y, x) of a picture; 0 is background.
    plane
        In whose slices rectangles are to lie.
    least_voxels
        Smaller parts are left out.

    Returns
    -------
    tuple of Lesion
        Their rectangles fit the parts exactly and score 1.

    Raises
    ------
    ValueError
        If the labels are not 2-D or 3-D, or not whole numbers.
    """
    labels = np.asarray(labels)
    if labels.ndim not in {2, 3}:
        raise ValueError(f"expected labels (z, y, x) or (y, x), found shape {labels.shape}")
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.rint(labels)):
        raise ValueError("expected labels that are whole numbers, found others: is this an image?")
    parts, _ = ndimage.label(labels.reshape((1, *labels.shape)[-3:]) != 0, structure=TOUCHING)
    lesions = []
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        part = parts[box] == number
        if np.count_nonzero(part) < least_voxels:
            continue
        first, top, left = (
            box[axis].start for axis in (plane.normal_axis, plane.row_axis, plane.column_axis)
        )
        slices = np.moveaxis(part, plane.normal_axis, 0)
        rectangles = {
            first + k: Detection(_around(image, top, left), 1.0) for k, image in enumerate(slices)
        }
        lesions.append(Lesion(plane, rectangles))
    return in_order(lesions)


def _around(part: NDArray[np.bool_], top: int, left: int) -> Window:
    """Return the smallest rectangle round a part of a slice, whose first pixel is (top, left)."""
    (rows, columns), *_ = ndimage.find_objects(part.astype(np.uint8))
    return Window.at(
        top + rows.start, left + columns.start, rows.stop - rows.start, columns.stop - columns.start
    )


def check_same_grid(
    volume: VolumeSpace, name: str, shape: tuple[int, ...], affine: NDArray[np.float64]
) -> None:
    """Refuse regions of another space.

    Parameters
    ----------
    volume
        Where the regions are to be looked at.
    name, shape, affine
        Of what the regions lie in: canonical (z, y, x) or (y, x), voxel (x, y, z) to world mm.

    Raises
    ------
    ValueError
        If the shapes or the positions of the corners differ.
    """
    if shape != volume.spatial_shape:
        raise ValueError(
            f"expected regions on the grid of {volume.source.name}, {_size(volume.spatial_shape)} "
            f"voxels (z, y, x), found {name} with {_size(shape)}"
        )
    box = [(0.0, float(size)) for size in (1, *shape)[-3:][::-1]]
    own, other = (world_of_edges(one, box_corners(box)) for one in (volume.affine, affine))
    apart = float(np.linalg.norm(own - other, axis=1).max())
    if apart > SAME_PLACE * min(volume.spacing):
        raise ValueError(
            f"expected regions in the space of {volume.source.name}, whose first corner lies at "
            f"{_point(own[0])} and last at {_point(own[-1])} mm, found {name} with "
            f"{_point(other[0])} and {_point(other[-1])} mm"
        )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _point(position: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{number:.2f}" for number in position) + ")"
