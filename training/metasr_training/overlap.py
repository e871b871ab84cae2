"""How far boxes cover each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACCEPTABLE = 0.95
"""Share of a tumour that an acceptable box covers (Zhu, Yang, Lio 2018, sec. 3.1)."""

FOUND = 0.5
"""Share of a tumour that a region covers at least where it has found it."""

SMALLEST_AREA = 1e-9


def areas(boxes: NDArray[Any]) -> NDArray[np.float64]:
    """Compute the areas of boxes (n, 4: top, left, bottom, right); 0 if edges are reversed."""
    sides = np.asarray(boxes, np.float64)[:, 2:4] - np.asarray(boxes, np.float64)[:, :2]
    return sides.clip(0).prod(1)


def coverage_and_iou(
    found: NDArray[Any], truth: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the share of each true box that a found one covers, and their IoU.

    Parameters
    ----------
    found, truth
        (n, 4 or more): top, left, bottom, right, in one unit; what follows is ignored.
    """
    low = np.maximum(found[:, :2], truth[:, :2])
    high = np.minimum(found[:, 2:4], truth[:, 2:4])
    shared = areas(np.concatenate([low, high], axis=1))
    whole = areas(truth)
    union = areas(found) + whole - shared
    return shared / whole.clip(SMALLEST_AREA), shared / union.clip(SMALLEST_AREA)
