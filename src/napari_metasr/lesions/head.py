"""Where in a slice there is a head: regions need not reach beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import HEAD_LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.lesions.detection import Detection


def head_window(normalised: NDArray[Any]) -> Window:
    """Return the edges (top, left, bottom, right) around all that is brighter than air.

    Parameters
    ----------
    normalised
        A slice with something brighter than air in it, intensities 0..1.
    """
    head = normalised > HEAD_LEVEL
    rows, columns = np.flatnonzero(head.any(axis=1)), np.flatnonzero(head.any(axis=0))
    return Window(float(rows[0]), float(columns[0]), float(rows[-1] + 1), float(columns[-1] + 1))


def within(detection: Detection, window: Window) -> Detection:
    """Return the part of a detection's rectangle in a window; all of it where no part is."""
    part = detection.region.intersection(window)
    return detection if part is None else replace(detection, region=part)
