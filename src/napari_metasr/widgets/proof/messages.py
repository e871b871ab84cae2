"""Texts of the dock *How far can I zoom?*."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_metasr.forecast import Forecast

TITLE = "How far can I zoom?"
NO_IMAGE = "Open an image."
READY = "Ready: the whole scan takes about a minute, a slice or a part of it some seconds."
LOADING = "loading the network"
DRAWING = "drawing the report"
CANCELLED = "Stopped."
FAILED = "Failed."
DONE = "Done with “{name}”. The report has pictures, tables, settings and limits."
NO_LESION = "choose a lesion of this image in the table of “Detect tumour” first"
NO_REGION = "draw a rectangle on this image with “Meta-SR Zoom” first (Region: rectangle)"
OUTSIDE = "the slider is outside the image"
IN_3D = "expected a slice on the screen, found the 3-D view"


def working(stage: str, left: Forecast) -> str:
    """Return what is being done, and how long all of it will still take."""
    text = f"{stage[:1].upper()}{stage[1:]}"
    seconds = left.seconds
    if seconds is None:
        return f"{text} …"
    if seconds < 100:
        return f"{text} · about {max(math.ceil(seconds / 5), 1) * 5} s left"
    return f"{text} · about {math.ceil(seconds / 60)} min left"
