"""What the detection dock says of lesions: labels, rows of the table, summaries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.plurals import in_number
from napari_metasr.widgets.lesions.detection import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.lesions import Lesion
    from napari_metasr.lesions.boxes import Box
    from napari_metasr.widgets.lesions.detection import SearchResult

MANUAL = "manual"
BY_HAND = "by hand"
LABELS = "labels"
FILLED_IN = "filled in"
NO_IMAGE = "Open an image to look for tumour in."
NO_DETECTOR = "No detector is installed: draw boxes, or take them from a segmentation."
READY = "Press Detect, draw a box, or take a segmentation."
CANCELLED = "Cancelled."
DRAWING = "Drawing figures"
REMOVED = "The image was removed: stopped."
CHANGED = "The image was changed: stopped. Start again."
IN_3D = "expected a slice on the screen, found the viewer in 3-D: switch it to 2-D"
OUTSIDE = "expected a slice of the image on the screen, found the viewer outside it"


@dataclass(frozen=True)
class LesionRow:
    """One lesion in the table.

    Attributes
    ----------
    place
        In the table and in what is exported, from 1.
    number
        Number of the lesion, which it keeps when others go.
    score, slices, size
        In words; the size as rows × columns and, of more slices than one, across them.
    """

    place: int
    number: int
    score: str
    slices: str
    size: str


def score_text(score: float, word: str = "") -> str:
    """Return a rectangle's score; what has none says why.

    Parameters
    ----------
    word
        What to say in place of scores that are no guesses.
    """
    if math.isnan(score):
        return MANUAL
    return word or (f"{score:.2f}" if score else FILLED_IN)


def row_of(
    place: int,
    number: int,
    lesion: Lesion,
    boxes: Sequence[Box],
    found: float | None,
    word: str,
    spacing: Sequence[float],
) -> LesionRow:
    """Return a lesion's row.

    Parameters
    ----------
    place, number
        See `LesionRow`.
    boxes
        Its rectangles.
    found
        The score that it was found with, if it was.
    word
        See `score_text`.
    spacing
        mm along the last axes.
    """
    by_hand = [box.is_by_hand for box in boxes]
    if not any(by_hand):
        score = score_text(lesion.score, word)
    elif all(by_hand) or found is None:
        score = MANUAL
    else:
        score = f"{score_text(found, word)}, edited"
    first, last = min(lesion.detections), max(lesion.detections)
    slices = f"{first}" if first == last else f"{first}–{last}"
    extent = lesion.extent(((1.0,) * 3 + tuple(spacing))[-3:])
    axes = [lesion.plane.row_axis, lesion.plane.column_axis]
    if first != last:
        axes.append(lesion.plane.normal_axis)
    size = " × ".join(f"{extent[axis]:.0f}" for axis in axes)
    return LesionRow(place, number, score, slices, size)


def summary(found: SearchResult) -> str:
    """Return what a search has come to, in a sentence."""
    where = f"in {found.scope}"
    count = len(found.lesions)
    if found.kind is Origin.PERSON:
        return "Boxes drawn by hand."
    if found.detector is None:
        return f"{in_number(count, 'region')} taken from “{found.title}”."
    threshold = f"score ≥ {found.detector.point.threshold:.2g}"
    if not count:
        return f"No tumour found {where} at {threshold}."
    best = max(lesion.score for lesion in found.lesions)
    return f"{in_number(count, 'region')} {where} at {threshold}; best {best:.2f}."


def layer_name(count: int, source: str) -> str:
    """Return the name of a layer of boxes."""
    return f"tumour regions ({count}) · {source}"


def result_name(place: int, found: SearchResult, count: int) -> str:
    """Return a result's entry in the list of results."""
    what = found.title if found.detector is None else f"{found.title}, {found.scope}"
    return f"{place}: {what} ({count})"
