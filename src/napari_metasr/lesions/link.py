"""Rectangles of slices to lesions: those that agree with their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detection import Detection, covering
from napari_metasr.lesions.lesion import Lesion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari_metasr.volume import Plane

ENOUGH_OVERLAP = 0.5
LARGEST_GAP = 2
LEAST_SLICES = 3
LEAST_MM = 4.0


def link(
    slices: Mapping[int, Sequence[Detection]], plane: Plane, spacing_mm: float
) -> tuple[Lesion, ...]:
    """Link rectangles of neighbouring slices to lesions, the surest and then the largest first.

    Two rectangles belong together where they share at least half of the smaller one and at most
    two slices without a rectangle lie between them; those slices get rectangles in between, which
    score 0. Where several of one slice belong together, the lesion has the rectangle round them.
    What reaches over fewer than three slices and less than 4 mm agrees with too little to count,
    unless fewer slices than that were looked at.

    Parameters
    ----------
    slices
        Index of every slice that was looked at to its rectangles, empty if it has none.
    plane
        Of the slices.
    spacing_mm
        From slice to slice.
    """
    chains = _chains([(k, one) for k in sorted(slices) for one in slices[k]])
    least = min(LEAST_SLICES, len(slices))
    lesions = [Lesion(plane, _without_gaps(chain)) for chain in chains]
    kept = (
        lesion
        for lesion in lesions
        if len(lesion.detections) >= least or len(lesion.detections) * spacing_mm >= LEAST_MM
    )
    return in_order(kept)


def in_order(lesions: Iterable[Lesion]) -> tuple[Lesion, ...]:
    """Sort the surest first; where scores agree to two decimals, the largest."""
    return tuple(sorted(lesions, key=lambda one: (-round(one.score, 2), -one.volume())))


def _chains(found: list[tuple[int, Detection]]) -> list[dict[int, Detection]]:
    """Group rectangles that belong together, one per slice, in ascending order of slices."""
    chains: list[list[tuple[int, Detection]]] = []
    for index, detection in found:
        meeting = [
            chain for chain in chains if any(_agree(index, detection, *one) for one in chain)
        ]
        joined = sorted(
            [*(one for chain in meeting for one in chain), (index, detection)],
            key=lambda one: one[0],
        )
        chains = [chain for chain in chains if chain not in meeting] + [joined]
    return [
        {k: covering(one for number, one in chain if number == k) for k, _ in chain}
        for chain in chains
    ]


def _agree(index: int, detection: Detection, other_index: int, other: Detection) -> bool:
    if not 1 <= index - other_index <= LARGEST_GAP + 1:
        return False
    shared = detection.region.overlap(other.region)
    return shared >= ENOUGH_OVERLAP * min(detection.area, other.area)


def _without_gaps(chain: dict[int, Detection]) -> dict[int, Detection]:
    """Return the chain with rectangles in between where slices are missing."""
    filled: dict[int, Detection] = {}
    for index, detection in chain.items():
        if filled:
            before = max(filled)
            start = filled[before]
            for missing in range(before + 1, index):
                share = (missing - before) / (index - before)
                filled[missing] = Detection(_between(start.region, detection.region, share), 0.0)
        filled[index] = detection
    return filled


def _between(first: Window, last: Window, share: float) -> Window:
    """Interpolate the edges of two rectangles, a share of the way from one to the other."""
    return Window(*(a + share * (b - a) for a, b in zip(first, last, strict=True)))
