"""How well boxes cover tumours, and boxes that nobody needs a network for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

from metasr_training.overlap import ACCEPTABLE, areas, coverage_and_iou
from napari_metasr.geometry import centred_window, snapped_window, window_centre

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.volume import Window

BLOB = 8.0
"""Standard deviation, in pixels, of the blur that makes the brightest blob stand out."""


@dataclass(frozen=True)
class BoxScore:
    """One box against one tumour.

    Attributes
    ----------
    coverage
        Share of the tumour's pixels in the box.
    iou
        Intersection over union of the box and the tumour's own box.
    area_share, head_share
        The box's area as a share of the slice, and of the head's box.
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


def score_box(box: Window, mask: NDArray[np.bool_], tumour: Window, head: Window) -> BoxScore:
    """Compare a box with a tumour.

    Parameters
    ----------
    box
        (top, left, bottom, right) in pixel edges; a pixel that it touches is in it, and what
        reaches outside the slice is cut off.
    mask
        (rows, columns), true where the tumour is, in at least one pixel.
    tumour, head
        The boxes of the mask and of the head.
    """
    rows, columns = mask.shape
    top, left, bottom, right = snapped_window(box, (rows, columns))
    inside = (top, left, max(bottom, top), max(right, left))
    covered = mask[inside[0] : inside[2], inside[1] : inside[3]].sum() / mask.sum()
    _, iou = coverage_and_iou(np.array([inside]), np.array([tumour]))
    return BoxScore(
        coverage=float(covered),
        iou=float(iou[0]),
        area_share=area(inside) / mask.size,
        head_share=area(inside) / area(head),
    )


def grown(box: Window, margin: float) -> Window:
    """A box with a margin, in pixels, on every side."""
    top, left, bottom, right = box
    return top - margin, left - margin, bottom + margin, right + margin


def area(box: Window) -> float:
    """Of a box; nothing where its edges have passed each other."""
    return float(areas(np.array([box]))[0])


def mean_size(boxes: Sequence[Window]) -> tuple[float, float]:
    """Height and width of a box with the mean area of these, and the ratio of their mean sides."""
    heights = float(np.mean([max(box[2] - box[0], 0) for box in boxes]))
    widths = float(np.mean([max(box[3] - box[1], 0) for box in boxes]))
    mean_area = float(np.mean([area(box) for box in boxes]))
    factor = float(np.sqrt(mean_area / (heights * widths))) if heights * widths else 0.0
    return heights * factor, widths * factor


def centre_box(head: Window, size: tuple[float, float]) -> Window:
    """A box of this size in the middle of the head: a detector that has seen nothing."""
    return centred_window(window_centre(head), *size)


def brightest_box(image: NDArray, size: tuple[float, float]) -> Window:
    """A box of this size around the brightest blob: a detector that has learned nothing."""
    blurred = gaussian_filter(np.asarray(image, np.float64), BLOB)
    row, column = np.unravel_index(int(blurred.argmax()), blurred.shape)
    pixel = (float(row), float(column), float(row) + 1, float(column) + 1)
    return centred_window(window_centre(pixel), *size)
