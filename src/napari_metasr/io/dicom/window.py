"""The values that a series is shown from black to white by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_metasr.io.dicom.extra import quiet
from napari_metasr.io.dicom.files import Opener

if TYPE_CHECKING:
    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = ["window_of"]


def window_of(source: DicomVolume) -> tuple[float, float] | None:
    """Return the window that a series brings along, or None if it has none.

    Parameters
    ----------
    source
        The series.

    Returns
    -------
    low, high
        The values, rescaled as those of the volume, that the image in the middle of the stack is
        shown black and white by (DICOM PS3.3, C.11.2). A window of an inverted image (MONOCHROME1),
        or of a curve that is no straight line, counts as none.
    """
    from pydicom import dcmread

    frames = source.series.frames[0]
    frame = frames[len(frames) // 2]
    with quiet(), Opener() as opener, opener.open(frame.header.file) as stream:
        header = dcmread(stream, stop_before_pixels=True, force=True)
        try:
            windows = _windows(header, frame.index)
            center, width = (
                _first(windows[keyword]) for keyword in ("WindowCenter", "WindowWidth")
            )
            curve = str(windows.get("VOILUTFunction") or "LINEAR")
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None
    if frame.header.inverted or curve != "LINEAR" or width < 1 or not math.isfinite(center + width):
        return None
    return center - width / 2, center + width / 2


def _windows(header: Any, index: int) -> Any:
    """Return the elements that hold the windows of a frame: its own, or those of all frames."""
    for groups, number in (
        ("PerFrameFunctionalGroupsSequence", index),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        if header.get(groups) and header.get(groups)[number].get("FrameVOILUTSequence"):
            return header.get(groups)[number].FrameVOILUTSequence[0]
    return header


def _first(element: Any) -> float:
    return float(element.value[0] if element.VM > 1 else element.value)
