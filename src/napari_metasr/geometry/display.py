"""What is drawn over slices: laterality letters by where axes point, and lengths of scale bars."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AXIS_LETTERS = (("I", "S"), ("P", "A"), ("L", "R"))
_OPPOSITE = {"up": "down", "down": "up", "left": "right", "right": "left"}
_SIDES = {"up": "top", "down": "bottom", "left": "left", "right": "right"}
_ROUND = (0.5, 1.0, 2.0, 5.0)


class DisplayConvention(StrEnum):
    """On which side of the screen the patient's left is; the values are stored preferences."""

    RADIOLOGICAL = "radiological"
    NEUROLOGICAL = "neurological"

    @property
    def label(self) -> str:
        """The convention's name in a window."""
        return self.value.capitalize()

    @property
    def orientation2d(self) -> tuple[str, str]:
        """Where rows and columns of a canonical plane point, as napari's camera names it."""
        return "up", "left" if self is DisplayConvention.RADIOLOGICAL else "right"


RADIOLOGICAL = DisplayConvention.RADIOLOGICAL.orientation2d


def edge_letters(
    row_axis: int, column_axis: int, orientation2d: tuple[str, str] = RADIOLOGICAL
) -> dict[str, str]:
    """Return the anatomical letters at the four edges of a displayed canonical plane.

    Parameters
    ----------
    row_axis, column_axis
        Displayed (z, y, x) axes, vertical and horizontal.
    orientation2d
        Where the two axes point on the screen, as napari's camera names it.

    Returns
    -------
    dict
        ``top``, ``bottom``, ``left``, ``right`` to one of L R A P S I.
    """
    letters = {}
    for axis, direction in zip((row_axis, column_axis), orientation2d, strict=True):
        negative, positive = _AXIS_LETTERS[axis]
        letters[_SIDES[direction]] = positive
        letters[_SIDES[_OPPOSITE[direction]]] = negative
    return letters


def as_displayed(image: NDArray, orientation2d: tuple[str, str] = RADIOLOGICAL) -> NDArray:
    """Turn a plane's array into a picture, first row on top: flipped to where its axes point."""
    if orientation2d[0] == "up":
        image = image[::-1]
    return image[:, ::-1] if orientation2d[1] == "left" else image


def bar_length(longest: float) -> float:
    """Return the largest round length, 1, 2 or 5 times a power of ten, that is not too long.

    Parameters
    ----------
    longest
        Above 0, in the unit of the length.
    """
    power = 10.0 ** math.floor(math.log10(longest))
    return max(step * power for step in _ROUND if step * power <= longest)
