"""Where in a slice there is a head: regions need not reach beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.lesions.brightness import HEAD_LEVEL
from napari_metasr.lesions.detection import overlap_area
from napari_metasr.volume import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.lesions.detection import Detection
    from napari_metasr.volume import Window


def head_window(normalised: NDArray[Any]) -> Window:
    """The edges (top, left, bottom, right) around all that is brighter than air.

    Parameters
    ----------
    normalised
        A slice with something brighter than air in it, intensities 0..1.
    """
    head = normalised > HEAD_LEVEL
    rows, columns = np.flatnonzero(head.any(axis=1)), np.flatnonzero(head.any(axis=0))
    return float(rows[0]), float(columns[0]), float(rows[-1] + 1), float(columns[-1] + 1)


def within(detection: Detection, window: Window) -> Detection:
    """The part of a detection's rectangle in a window; all of it where no part is."""
    own = detection.region.window
    if overlap_area(own, window) == 0:
        return detection
    top, left = (max(own[k], window[k]) for k in (0, 1))
    bottom, right = (min(own[k], window[k]) for k in (2, 3))
    return replace(detection, region=Region.from_window((top, left, bottom, right)))
