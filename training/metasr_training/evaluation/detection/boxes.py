"""How well regions cover tumours, and regions that need no network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from metasr_training.overlap import ACCEPTABLE, FOUND
from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray


BLOB = 8.0
"""Standard deviation, in pixels, of the blur that makes the brightest blob stand out."""


@dataclass(frozen=True)
class RegionScore:
    """The union of some boxes against one tumour.

    Attributes
    ----------
    coverage
        Share of the tumour's pixels in the region; 0 where there are no boxes.
    iou
        Intersection over union of the region and the tumour's own box.
    area_share, head_share
        The region's area as a share of the slice, and of the head's box.
    """

    coverage: float
    iou: float
    area_share: float
    head_share: float

    @property
    def perfect(self) -> bool:
        """Whether all of the tumour is covered."""
        return self.coverage >= 1

    @property
    def acceptable(self) -> bool:
        """Whether nearly all of it is."""
        return self.coverage >= ACCEPTABLE

    @property
    def found(self) -> bool:
        """Whether enough of it is to say that the region is there because of the tumour."""
        return self.coverage >= FOUND


def union(boxes: Iterable[Window], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask (rows, columns) of the pixels that at least one of the boxes touches.

    Parameters
    ----------
    boxes
        (top, left, bottom, right) in pixel edges; what reaches outside the slice is cut off, and
        a box without an area holds nothing.
    shape
        Of the slice.
    """
    region = np.zeros(shape, bool)
    for box in boxes:
        if box.area > 0:
            top, left, bottom, right = box.pixels(shape)
            region[top : max(bottom, top), left : max(right, left)] = True
    return region


def score_region(
    boxes: Iterable[Window], mask: NDArray[np.bool_], tumour: Window, head: Window
) -> RegionScore:
    """Compare the union of boxes with a tumour.

    Parameters
    ----------
    boxes
        See ``union``.
    mask
        (rows, columns), true where the tumour is, in at least one pixel.
    tumour, head
        The boxes of the mask and of the head.
    """
    region = union(boxes, (mask.shape[0], mask.shape[1]))
    top, left, bottom, right = (int(edge) for edge in tumour)
    size = int(region.sum())
    shared = int(region[top:bottom, left:right].sum())
    return RegionScore(
        coverage=float((region & mask).sum() / mask.sum()),
        iou=shared / (size + tumour.area - shared),
        area_share=size / mask.size,
        head_share=size / head.area,
    )


def square(centre: tuple[float, float], size: float) -> Window:
    """Return a square box of this area around a point given in pixel edges."""
    side = float(np.sqrt(size))
    return Window.around(centre, side, side)


def brightest_point(image: NDArray) -> tuple[float, float]:
    """Return the middle of the brightest blob, in pixel edges."""
    blurred = gaussian_filter(np.asarray(image, np.float64), BLOB)
    row, column = np.unravel_index(int(blurred.argmax()), blurred.shape)
    return Window(float(row), float(column), float(row) + 1, float(column) + 1).centre
