"""What belongs together: images of one grid and one kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_metasr.io.dicom.frame import Frame

__all__ = ["split"]

SAME_DIRECTION = 1e-3
"""Direction cosines that differ by less are the same, whatever was rounded in between."""

PLACE_DIGITS = 3
"""Positions are told apart to a thousandth of a millimetre."""

SPACING_DIGITS = 4


def split(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Put the images of one series into groups, of each of which a volume may be made.

    Images of another matrix, pixel spacing, frame of reference, stack or orientation are apart, as
    localizers are; and so are those of another kind (magnitude and phase, echoes) where there are
    several at one place. Images without a place are a group of their own, which is no volume.

    Returns
    -------
    groups
        The largest first.
    """
    grids: dict[Any, list[Frame]] = defaultdict(list)
    for frame in frames:
        grids[_grid(frame)].append(frame)
    groups = [
        group
        for members in grids.values()
        for direction in _directions(members)
        for group in _kinds(direction)
    ]
    return sorted(groups, key=len, reverse=True)


def _grid(frame: Frame) -> tuple[Any, ...]:
    header = frame.header
    if header.apart or frame.place is None:
        return header.apart, None
    spacing = tuple(round(size, SPACING_DIGITS) for size in frame.place.pixel_spacing)
    return header.rows, header.columns, spacing, frame.space, frame.stack


def _directions(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Group images that lie parallel to each other."""
    groups: list[tuple[Any, list[Frame]]] = []
    for frame in frames:
        orientation = () if frame.place is None else frame.place.orientation
        for known, members in groups:
            if np.allclose(known, orientation, rtol=0, atol=SAME_DIRECTION):
                members.append(frame)
                break
        else:
            groups.append((orientation, [frame]))
    return [members for _, members in groups]


def _kinds(frames: list[Frame]) -> list[list[Frame]]:
    """Split images by kind where that leaves fewer of them at one place."""
    crowd = _crowd(frames)
    for name in frames[0].kinds if crowd > 1 else ():
        groups: dict[Any, list[Frame]] = defaultdict(list)
        for frame in frames:
            groups[frame.kinds.get(name)].append(frame)
        if len(groups) > 1 and all(_crowd(group) < crowd for group in groups.values()):
            return [part for group in groups.values() for part in _kinds(group)]
    return [frames]


def _crowd(frames: Sequence[Frame]) -> int:
    """Return the largest number of images at one place."""
    places = Counter(
        None if frame.place is None else tuple(np.round(frame.place.position, PLACE_DIGITS))
        for frame in frames
    )
    return max(places.values())
