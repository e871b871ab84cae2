"""Labels on a finer grid: smooth outlines in place of blocks, and no label that was not there.

The signed distance of every label to its outline is interpolated by itself, as in the shape-based
interpolation of Raya and Udupa (1990, IEEE Trans. Med. Imaging 9, 32-42), and each output voxel
takes the label whose distance is the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_metasr.geometry.grids import HALF, AxisGrid
from napari_metasr.resampling import resampling_band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

KERNEL = "bicubic"
KERNEL_REACH = 3
"""Voxels on either side of an output voxel's cell that take part, some with no weight."""

DEPTH = 4
"""Distances are cut off beyond so many times the coarsest spacing, so that labels are local."""

TIE = 1e-3
"""Share of the finest spacing by which the nearest voxel's label is preferred."""


@dataclass(frozen=True)
class _Field:
    """The signed distance of one label, in a part of the labels.

    Attributes
    ----------
    label
        Place of the label among all values.
    first
        Place of ``distance`` in the whole image, along each axis.
    distance
        Positive inside the label, in the unit of the spacing.
    inner
        Voxels of the whole image, (start, stop) along each axis, beyond which the label is far.
    """

    label: int
    first: tuple[int, ...]
    distance: NDArray[np.float32]
    inner: tuple[tuple[int, int], ...]


def margins(spacing: Sequence[float]) -> tuple[int, ...]:
    """Return how many voxels beyond a part of the labels its rendering depends on, for each axis.

    Parameters
    ----------
    spacing
        Distance between voxels along each axis.
    """
    depth = DEPTH * max(spacing)
    return tuple(int(np.ceil(depth / size)) + KERNEL_REACH + 1 for size in spacing)


class SmoothLabels:
    """Labels of an image, or of a part of it, that can be rendered on any finer grid.

    Parameters
    ----------
    labels
        Whole numbers, 0 for background; of any number of axes.
    spacing
        Distance between voxels along each axis, in one unit.
    first, shape
        Place of the part in the whole image, and shape of that; by default ``labels`` is whole.
        Voxels closer than `margins` to an end of the part that is not an end of the image cannot
        be rendered.
    """

    def __init__(
        self,
        labels: NDArray[Any],
        spacing: Sequence[float],
        first: Sequence[int] | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        self._first = tuple(first) if first is not None else (0,) * labels.ndim
        self._shape = tuple(shape) if shape is not None else labels.shape
        self._spacing = tuple(abs(float(size)) for size in spacing)
        self._margins = margins(self._spacing)
        values, places = np.unique(labels, return_inverse=True)
        self._places = places.reshape(labels.shape).astype(np.int32)
        self._values = values
        self._fields = [*self._measured()] if len(values) > 1 else []

    def render(self, grids: Sequence[AxisGrid], ranges: Sequence[tuple[int, int]]) -> NDArray[Any]:
        """Return the labels of a range of output voxels, in the type of the input's.

        Parameters
        ----------
        grids
            Output over input voxels along each axis of the whole image.
        ranges
            Output voxels (start, stop) along each axis.
        """
        cells = [
            grid.cells()[start:stop] - first
            for grid, (start, stop), first in zip(grids, ranges, self._first, strict=True)
        ]
        nearest = self._places[np.ix_(*cells)]
        if not self._fields:
            return self._values[nearest]
        best = np.full(nearest.shape, -np.inf, np.float32)
        chosen = nearest.copy()
        for field in self._fields:
            part = _outputs(field, cells, self._first)
            if part is None:
                continue
            own = [
                (start + within.start, start + within.stop)
                for (start, _), within in zip(ranges, part, strict=True)
            ]
            value = _interpolated(field, grids, own)
            value += np.float32(TIE * min(self._spacing)) * (nearest[part] == field.label)
            better = value > best[part]
            best[part][better] = value[better]
            chosen[part][better] = field.label
        return self._values[chosen]

    def _measured(self) -> list[_Field]:
        """Measure the distances of all labels."""
        boxes = ndimage.find_objects(self._places + 1)
        sizes: tuple[int, ...] = self._places.shape
        fields = []
        for label, value in enumerate(self._values):
            box = boxes[label]
            if value == 0:  # everywhere else, and not looked at far from the others
                box = _around([other for place, other in enumerate(boxes) if place != label])
            wide = tuple(
                slice(max(side.start - margin, 0), min(side.stop + margin, size))
                for side, margin, size in zip(box, self._margins, sizes, strict=True)
            )
            distance = _signed_distance(self._places[wide] == label, self._spacing)
            first = tuple(own + side.start for own, side in zip(self._first, wide, strict=True))
            inner = tuple(
                _without_ends(start, start + length, size)
                for start, length, size in zip(first, distance.shape, self._shape, strict=True)
            )
            fields.append(_Field(label, first, distance, inner))
        return fields


def _without_ends(start: int, stop: int, size: int) -> tuple[int, int]:
    """Return the voxels of a part around which the kernel finds all that it looks at."""
    return (
        start if start == 0 else start + KERNEL_REACH,
        stop if stop == size else stop - KERNEL_REACH,
    )


def _around(boxes: Sequence[tuple[slice, ...]]) -> tuple[slice, ...]:
    """Return the box around several ones."""
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )


def _signed_distance(inside: NDArray[np.bool_], spacing: Sequence[float]) -> NDArray[np.float32]:
    """Measure the distance from every voxel's centre to the outline, positive inside."""
    depth, half = DEPTH * max(spacing), float(HALF) * min(spacing)
    if inside.all():
        return np.full(inside.shape, depth, np.float32)
    distance = ndimage.distance_transform_edt(inside, sampling=spacing)
    distance -= ndimage.distance_transform_edt(~inside, sampling=spacing)
    distance -= np.copysign(half, distance)
    return np.clip(distance, -depth, depth).astype(np.float32)


def _outputs(
    field: _Field, cells: Sequence[NDArray[np.int64]], first: Sequence[int]
) -> tuple[slice, ...] | None:
    """Return the output voxels, of those asked for, at which a label is not far."""
    parts = []
    for (start, stop), own, begin in zip(field.inner, cells, first, strict=True):
        low, high = np.searchsorted(own, [start - begin, stop - begin])
        if low == high:
            return None
        parts.append(slice(int(low), int(high)))
    return tuple(parts)


def _interpolated(
    field: _Field, grids: Sequence[AxisGrid], ranges: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """Interpolate a label's distance along each axis."""
    out = field.distance
    for axis, (grid, (start, stop)) in enumerate(zip(grids, ranges, strict=True)):
        if grid.is_identity:
            first = field.first[axis]
            place = [slice(None)] * out.ndim
            place[axis] = slice(start - first, stop - first)
            out = out[tuple(place)]
            continue
        inputs, band = resampling_band(
            grid.input, grid.output, KERNEL, start, stop, grid.exact_step
        )
        moved = np.moveaxis(out, axis, 0)
        moved = moved[inputs.start - field.first[axis] : inputs.stop - field.first[axis]]
        flat = band.astype(np.float32) @ np.ascontiguousarray(moved).reshape(len(moved), -1)
        out = np.moveaxis(flat.reshape(-1, *moved.shape[1:]), 0, axis)
    return out
