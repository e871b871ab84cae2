"""A lesion of a volume: one rectangle in each of neighbouring slices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_metasr.lesions.detection import Detection
    from napari_metasr.volume import Plane

BEST_SLICES = 5
NEARLY = 0.9

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Lesion:
    """A 3-D region, one rectangle a slice.

    Attributes
    ----------
    plane
        Of the slices.
    detections
        Slice index to rectangle, in ascending order and without gaps.

    Raises
    ------
    ValueError
        If there is no rectangle, or the slices are not neighbours in ascending order.
    """

    plane: Plane
    detections: dict[int, Detection]

    def __post_init__(self) -> None:
        found = list(self.detections)
        if not found or found != list(range(found[0], found[0] + len(found))):
            raise ValueError(
                f"expected rectangles of neighbouring slices in ascending order, found {found}"
            )

    @cached_property
    def score(self) -> float:
        """The median score of its five best slices: neither one lucky slice nor its faint ends.

        Rectangles by hand do not count where others were found; a lesion `by_hand` scores 1.
        """
        found = sorted(self._found_scores, reverse=True)
        return float(np.median(found[:BEST_SLICES])) if found else float(self.by_hand)

    @property
    def by_hand(self) -> bool:
        """Whether all that was found, not filled in, was drawn by a person."""
        return not self._found_scores and any(one.by_hand for one in self.detections.values())

    @property
    def _found_scores(self) -> list[float]:
        """Scores of the rectangles that were found, neither filled in nor drawn by hand."""
        return [one.score for one in self.detections.values() if one.score > 0 and not one.by_hand]

    @cached_property
    def middle(self) -> int:
        """The slice to look at first: the largest rectangle that scores nearly as the lesion."""
        centre = sum(self.detections) / len(self.detections)

        def order(index: int) -> tuple[float, float]:
            return self.detections[index].area, -abs(index - centre)

        sure = [k for k, one in self.detections.items() if one.score >= NEARLY * self.score]
        return max(sure, key=order)

    @property
    def box(self) -> Box:
        """The box round all rectangles: voxel edges (start, stop) along z, y, x."""
        top, left, bottom, right = self.window
        edges = [(0.0, 0.0)] * 3
        edges[self.plane.normal_axis] = (float(min(self.detections)), max(self.detections) + 1.0)
        edges[self.plane.row_axis] = (top, bottom)
        edges[self.plane.column_axis] = (left, right)
        return edges[0], edges[1], edges[2]

    @property
    def window(self) -> Window:
        """The window round all rectangles, in its plane."""
        regions = (one.region for one in self.detections.values())
        tops, lefts, bottoms, rights = zip(*regions, strict=True)
        return Window(min(tops), min(lefts), max(bottoms), max(rights))

    def volume(self, spacing: Sequence[float] = (1.0, 1.0, 1.0)) -> float:
        """Sum the volumes of rectangles one slice thick: in mm³ by the spacing, or voxels."""
        return sum(one.area for one in self.detections.values()) * float(np.prod(spacing))

    def extent(self, spacing: Sequence[float] = (1.0, 1.0, 1.0)) -> tuple[float, float, float]:
        """Return the sizes of the box along z, y, x: in mm by the spacing, or in voxels."""
        z, y, x = (
            (stop - start) * size for (start, stop), size in zip(self.box, spacing, strict=True)
        )
        return z, y, x

    def inside(self, shape: Sequence[int]) -> Lesion:
        """Return this lesion, having checked that it lies in a volume of this shape.

        Parameters
        ----------
        shape
            Of the volume: (z, y, x), or (y, x) of a picture.

        Raises
        ------
        ValueError
            If there are no such slices, or a rectangle lies wholly outside its own.
        """
        size = (1, *shape)[-3:]
        first, last = min(self.detections), max(self.detections)
        if first < 0 or last >= size[self.plane.normal_axis]:
            raise ValueError(
                f"expected {self.plane} slices {first} to {last}, "
                f"found a volume of {size[self.plane.normal_axis]}"
            )
        for one in self.detections.values():
            one.region.clipped((size[self.plane.row_axis], size[self.plane.column_axis]))
        return self

    def mask(self, shape: Sequence[int]) -> NDArray[np.bool_]:
        """Return the voxels that the rectangles reach into.

        Parameters
        ----------
        shape
            Of the volume: (z, y, x), or (y, x) of a picture.

        Raises
        ------
        ValueError
            As `inside`.
        """
        mask = np.zeros((1, *shape)[-3:], np.bool_)
        slices = np.moveaxis(mask, self.plane.normal_axis, 0)
        self.inside(shape)
        rows, columns = slices.shape[1:]
        for index, detection in self.detections.items():
            top, left, bottom, right = detection.region.pixels((rows, columns))
            slices[index, top:bottom, left:right] = True
        return mask.reshape(shape)
