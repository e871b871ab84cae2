"""One rectangle of one slice that may hold a tumour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Detection:
    """A rectangle and how sure its finder is.

    Attributes
    ----------
    region
        In pixel edges of the slice.
    score
        0..1. What a person or a segmentation has drawn scores 1. A rectangle that was filled in
        between those of other slices, where nothing was found, scores 0.
    by_hand
        Whether a person drew or changed it: its score, 1, is not a detector's.

    Raises
    ------
    ValueError
        If the score is not 0 to 1, or not 1 of what a person drew.
    """

    region: Window
    score: float
    by_hand: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"expected a score of 0 to 1, found {self.score:g}")
        if self.by_hand and self.score != 1:
            raise ValueError(f"expected a score of 1 for what a person drew, found {self.score:g}")

    @property
    def area(self) -> float:
        """Area of the rectangle, in pixels."""
        return self.region.area


def grown(
    shares: Window,
    score: float,
    shape: tuple[int, int],
    spacing: tuple[float, float],
    margin: float,
) -> Detection:
    """Convert a detector's box to a rectangle of the slice, grown and clipped to it.

    Parameters
    ----------
    shares
        (top, left, bottom, right) as shares of the slice's rows and columns.
    score
        0..1.
    shape, spacing
        Of the slice.
    margin
        What is added on every side: a share of the slice's longer side, in the spacing's unit.
    """
    reach = margin * max(shape[0] * spacing[0], shape[1] * spacing[1])
    top, left, bottom, right = shares
    region = Window(
        top * shape[0] - reach / spacing[0],
        left * shape[1] - reach / spacing[1],
        bottom * shape[0] + reach / spacing[0],
        right * shape[1] + reach / spacing[1],
    )
    return Detection(region.clipped(shape), score)


def covering(detections: Iterable[Detection]) -> Detection:
    """Return the smallest rectangle round all of them, with the highest of their scores.

    It is by hand if any of them is.
    """
    together = list(detections)
    tops, lefts, bottoms, rights = zip(*(one.region for one in together), strict=True)
    region = Window(min(tops), min(lefts), max(bottoms), max(rights))
    score = max(one.score for one in together)
    return Detection(region, score, by_hand=any(one.by_hand for one in together))


def merged(detections: Iterable[Detection]) -> tuple[Detection, ...]:
    """Join overlapping rectangles until none overlap, the highest score first."""
    apart: list[Detection] = []
    for detection in detections:
        joined = detection
        while meeting := [one for one in apart if one.region.overlap(joined.region) > 0]:
            apart = [one for one in apart if one not in meeting]
            joined = covering([joined, *meeting])
        apart.append(joined)
    return tuple(sorted(apart, key=lambda one: (-one.score, -one.area)))
