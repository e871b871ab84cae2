"""Rectangles of slices with the number of their lesion, and the lesions that they make up."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_metasr.geometry.windows import Window
from napari_metasr.lesions import Detection, Lesion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_metasr.volume import Plane

NEW = 0
BY_HAND = math.nan


@dataclass(frozen=True)
class Box:
    """One rectangle.

    Attributes
    ----------
    lesion
        The number of its lesion, from 1; ``NEW`` where it has none yet.
    plane, index
        Its slice.
    window
        Low-resolution edges (top, left, bottom, right).
    score
        0..1, 0 where it was filled in between others; ``BY_HAND`` (NaN) where a person drew it.
    """

    lesion: int
    plane: Plane
    index: int
    window: Window
    score: float = BY_HAND

    @property
    def is_by_hand(self) -> bool:
        """Whether a person drew or changed it."""
        return math.isnan(self.score)


def boxes_of(lesions: Iterable[Lesion]) -> list[Box]:
    """Return the rectangles of lesions, numbered from 1 in this order."""
    return [
        Box(number, lesion.plane, index, found.region, found.score)
        for number, lesion in enumerate(lesions, start=1)
        for index, found in lesion.detections.items()
    ]


def lesions_of(boxes: Iterable[Box]) -> dict[int, Lesion]:
    """Return the lesions that numbered rectangles make up; drawn rectangles score 1."""
    parts: dict[int, list[Box]] = {}
    for box in boxes:
        parts.setdefault(box.lesion, []).append(box)
    return {
        number: Lesion(
            parts[number][0].plane,
            {
                box.index: Detection(
                    Window(*box.window),
                    1.0 if box.is_by_hand else box.score,
                    box.is_by_hand,
                )
                for box in sorted(parts[number], key=lambda box: box.index)
            },
        )
        for number in sorted(parts)
    }


def numbered(boxes: Sequence[Box], last: int = 0) -> list[Box]:
    """Renumber rectangles so that they make up lesions.

    A lesion has one rectangle a slice, in slices of one plane, without gaps. What a deleted
    rectangle has cut off, or lies in a slice that its lesion has already, becomes a lesion of its
    own; a new rectangle joins the lesion that it overlaps in a neighbouring slice.

    Parameters
    ----------
    last
        The last number that has been given, so that none is given twice.
    """
    free = max((last, *(box.lesion for box in boxes)))
    lesions: dict[int, dict[int, int]] = {}
    left: list[int] = []
    for place, box in enumerate(boxes):
        members = lesions.setdefault(box.lesion, {})
        first = boxes[next(iter(members.values()), place)]
        if box.lesion == NEW or box.plane is not first.plane or box.index in members:
            left.append(place)
        else:
            members[box.index] = place
    lesions.pop(NEW, None)
    for number in list(lesions):
        _, *others = sorted(_runs(lesions[number]), key=len, reverse=True)
        for run in others:
            free += 1
            lesions[free] = run
            lesions[number] = {k: p for k, p in lesions[number].items() if k not in run}
    for place in left:
        neighbour = _neighbour(boxes, lesions, boxes[place])
        if neighbour is None:
            free += 1
            neighbour = free
        lesions.setdefault(neighbour, {})[boxes[place].index] = place
    numbers = {place: number for number, run in lesions.items() for place in run.values()}
    return [replace(box, lesion=numbers[place]) for place, box in enumerate(boxes)]


def _runs(members: dict[int, int]) -> Iterator[dict[int, int]]:
    """Cut slices to places into runs of neighbouring slices."""
    run: dict[int, int] = {}
    for index in sorted(members):
        if run and index - 1 not in run:
            yield run
            run = {}
        run[index] = members[index]
    yield run


def _neighbour(boxes: Sequence[Box], lesions: dict[int, dict[int, int]], box: Box) -> int | None:
    """Return the lesion that a rectangle continues, if any."""
    for number, members in lesions.items():
        beside = [boxes[members[k]] for k in (box.index - 1, box.index + 1) if k in members]
        if box.index not in members and any(
            one.plane is box.plane and one.window.overlap(box.window) > 0 for one in beside
        ):
            return number
    return None
