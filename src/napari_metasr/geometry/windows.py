"""Windows of a slice, in low-resolution pixel edges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_metasr.volume import Window


def snapped_window(region: Window, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """The smallest rectangle of whole pixels (top, left, bottom, right) that covers a region."""
    top, left, bottom, right = region
    return (
        max(math.floor(top), 0),
        max(math.floor(left), 0),
        min(math.ceil(bottom), shape[0]),
        min(math.ceil(right), shape[1]),
    )


def centred_window(centre: tuple[float, float], height: float, width: float) -> Window:
    """The window of this size (low-resolution pixels) around a point given in pixel edges."""
    return (
        centre[0] - height / 2,
        centre[1] - width / 2,
        centre[0] + height / 2,
        centre[1] + width / 2,
    )


def window_centre(window: Window) -> tuple[float, float]:
    """The middle of a window, in low-resolution pixel edges."""
    top, left, bottom, right = window
    return (top + bottom) / 2, (left + right) / 2
