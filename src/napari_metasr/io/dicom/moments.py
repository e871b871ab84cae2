"""Several images at one place: time points, copies, or a contradiction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.dicom.frame import RefusalError
from napari_metasr.io.dicom.pixels import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_metasr.io.dicom.files import Opener
    from napari_metasr.io.dicom.frame import Frame

    Placed = tuple[int, Frame]

__all__ = ["Arrangement", "arrange"]

ORDER = "instance number"


@dataclass(frozen=True)
class Arrangement:
    """Images by time point and place.

    Attributes
    ----------
    frames
        For each time point, one image for each place.
    told_by
        What tells the time points apart, if there are several.
    copies
        How many images were left out because they are there twice.
    """

    frames: tuple[tuple[Frame, ...], ...]
    told_by: str | None = None
    copies: int = 0


def arrange(
    frames: Sequence[Frame], place: Iterable[int], count: int, opener: Opener
) -> Arrangement:
    """Find one image for each place and time point.

    Parameters
    ----------
    frames, place
        Images, and where in the stack each lies.
    count
        Of places; every one has an image.
    opener
        For comparing the pixels of images that may be copies.

    Raises
    ------
    RefusalError
        If time points lack slices, or different images lie at one place and nothing tells them
        apart.
    """
    placed = [(int(number), frame) for number, frame in zip(place, frames, strict=True)]
    unique = _without_copies(placed, opener, lambda frame: tuple(frame.moments.items()))
    found = _by_moment(unique, count)
    if found is None:
        unique = _without_copies(unique, opener, lambda _: None)
        found = None, [unique]
    told_by, groups = found
    return Arrangement(
        tuple(tuple(dict(sorted(group, key=_number)).values()) for group in groups),
        told_by,
        len(frames) - len(unique),
    )


def _without_copies(placed: list[Placed], opener: Opener, same: Any) -> list[Placed]:
    """Keep one of each set of images that ought to be the same, having seen that they are."""
    sets: dict[Any, list[Placed]] = defaultdict(list)
    for number, frame in placed:
        sets[number, same(frame)].append((number, frame))
    kept = []
    for members in sets.values():
        first, *others = members
        for _, other in others:
            one, two = decode([first[1], other], opener)
            if not np.array_equal(one, two):
                raise RefusalError(
                    f"expected one image at each position, found {len(members)} different ones "
                    f"at slice {first[0] + 1} and nothing that tells them apart"
                )
        kept.append(first)
    return kept


def _by_moment(placed: list[Placed], count: int) -> tuple[str | None, list[list[Placed]]] | None:
    """Group images by time points, with what tells them apart; None if nothing does."""
    crowd = int(np.bincount([number for number, _ in placed]).max())
    if crowd == 1:
        return None, [placed]
    for name in placed[0][1].moments:
        if name == ORDER:
            continue
        groups: dict[Any, list[Placed]] = defaultdict(list)
        for number, frame in placed:
            groups[frame.moments.get(name)].append((number, frame))
        if None in groups or len(groups) != crowd:
            continue
        if all(map(_is_one_at_each_place, groups.values())):
            ordered = [groups[value] for value in sorted(groups)]
            _check_complete(ordered, count, name)
            return name, ordered
    return _in_order(placed, count)


def _check_complete(groups: list[list[Placed]], count: int, name: str) -> None:
    for number, group in enumerate(groups, start=1):
        if len(group) < count:
            raise RefusalError(
                f"expected {count} slices at each of {len(groups)} time points, found "
                f"{count - len(group)} missing at time point {number} (by their {name})"
            )


def _in_order(placed: list[Placed], count: int) -> tuple[str, list[list[Placed]]] | None:
    """Take time points as instance numbers count them: stack by stack, or slice by slice."""
    ordered = sorted(placed, key=lambda item: item[1].moments[ORDER])
    times, rest = divmod(len(ordered), count)
    if rest or len({frame.moments[ORDER] for _, frame in ordered}) < len(ordered):
        return None
    stacks = [ordered[first : first + count] for first in range(0, len(ordered), count)]
    if all(map(_is_one_at_each_place, stacks)):
        return ORDER, stacks
    slices = [ordered[first : first + times] for first in range(0, len(ordered), times)]
    if all(len(dict(images)) == 1 for images in slices):
        return ORDER, [list(images) for images in zip(*slices, strict=True)]
    return None


def _is_one_at_each_place(images: list[Placed]) -> bool:
    return len(dict(images)) == len(images)


def _number(item: Placed) -> int:
    return item[0]
