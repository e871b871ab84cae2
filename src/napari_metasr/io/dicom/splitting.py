"""What belongs together: images of one grid and one kind."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.dicom.stacking import places_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from napari_metasr.io.dicom.frame import Frame

__all__ = ["split", "told_apart"]

SAME_DIRECTION = 1e-3
"""Direction cosines that differ by less are the same, whatever was rounded in between."""

SAME_SPACING = 5e-4
"""Pixel spacings that differ by a smaller share are the same, likewise."""

FEWEST_SPACES = 3
"""From so many images on, each with a frame of reference of its own, those were made up."""


def split(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Put the images of one series into groups, of each of which a volume may be made.

    Images of another matrix, pixel spacing, frame of reference, stack or orientation are apart, as
    localizers are; and so are those of another kind (magnitude and phase, echoes) where there are
    several at one place. Images without a place are a group of their own, which is no volume.
    Frames of reference tell nothing where each image has another one, as anonymisers leave them.

    Returns
    -------
    groups
        The largest first; of equally large ones the first by instance number, then by kind, however
        the files are named.
    """
    frames = list(frames)
    spaces = [frame.space for frame in frames if frame.place is not None]
    made_up = FEWEST_SPACES <= len(spaces) == len(set(spaces))
    grids: dict[Any, list[Frame]] = defaultdict(list)
    for frame in frames:
        grids[_grid(frame, "" if made_up else frame.space)].append(frame)
    groups = [
        group
        for members in grids.values()
        for direction in _parallel(members)
        for group in _kinds(direction)
    ]
    return sorted(groups, key=_rank)


def _rank(group: Sequence[Frame]) -> tuple[Any, ...]:
    first = min((frame.header.instance_number, frame.index) for frame in group)
    kinds = group[0].kinds.values()
    return -len(group), first, [kind for kind in kinds if isinstance(kind, float)], str([*kinds])


def told_apart(groups: Sequence[Sequence[Frame]]) -> list[str]:
    """Say what tells each group of a series from the others, such as ``echo time 80 ms``.

    Returns
    -------
    list of str
        One for each group; empty where nothing does but the grid.
    """
    told: list[list[str]] = [[] for _ in groups]
    kinds = [(found, group) for found, group in zip(told, groups, strict=True) if group[0].kinds]
    for name in ("stack", *kinds[0][1][0].kinds) if kinds else ():
        values = [{_kind(frame, name) for frame in group} for _, group in kinds]
        for (found, _), own in zip(kinds, values, strict=True):
            if len(own) == 1 and any(own != others for others in values):
                (value,) = own
                found.append(_told(name, value, set.intersection(*map(_words, values))))
    return [", ".join(filter(None, found)) for found in told]


def _kind(frame: Frame, name: str) -> Any:
    return frame.stack if name == "stack" else frame.kinds.get(name)


def _words(values: Iterable[Any]) -> set[str]:
    """Return the words of image types, which are tuples."""
    return {word for value in values if isinstance(value, tuple) for word in value}


def _told(name: str, value: Any, common: Collection[str]) -> str:
    """Describe a kind; empty if there is nothing to say."""
    if isinstance(value, tuple):
        words = [word for word in value if word not in common]
        return f"{name} {' '.join(words)}" if words else ""
    if isinstance(value, float):
        return f"{name} {value:g} ms"
    if not value:
        return ""
    return f"{name} {value}" if name == "stack" else str(value).lower()


def _grid(frame: Frame, space: str) -> tuple[Any, ...]:
    header = frame.header
    if header.apart or frame.place is None:
        return header.apart, None
    return header.rows, header.columns, space, frame.stack


def _parallel(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Group images that lie parallel to each other and have equally large pixels."""
    groups: list[tuple[Any, Any, list[Frame]]] = []
    for frame in frames:
        place = frame.place
        orientation, spacing = (
            ((), ()) if place is None else (place.orientation, place.pixel_spacing)
        )
        for direction, size, members in groups:
            if np.allclose(direction, orientation, rtol=0, atol=SAME_DIRECTION) and np.allclose(
                size, spacing, rtol=SAME_SPACING, atol=0
            ):
                members.append(frame)
                break
        else:
            groups.append((orientation, spacing, [frame]))
    return [members for *_, members in groups]


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
    """Return the largest number of parallel images at one place."""
    places = [frame.place for frame in frames if frame.place is not None]
    if len(places) < len(frames):
        return len(frames)
    row, column = np.reshape(places[0].orientation, (2, 3))
    distances = np.array([place.position for place in places]) @ np.cross(row, column)
    return int(np.bincount(places_of(distances)).max())
