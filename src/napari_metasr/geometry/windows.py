"""Windows and lines: rectangles of a slice and paths across it, in low-resolution pixel edges."""

from __future__ import annotations

import math
from typing import NamedTuple

AROUND = 0.25
"""Share of a line's length that is shown around it."""

LEAST_AROUND = 4.0


class Window(NamedTuple):
    """A rectangle of a slice between pixel edges: pixel ``k`` spans ``[k, k + 1]``.

    Attributes
    ----------
    top, left, bottom, right
        In low-resolution pixels; not necessarily whole numbers, nor inside the slice.
    """

    top: float
    left: float
    bottom: float
    right: float

    @property
    def height(self) -> float:
        """Rows from top to bottom."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """Columns from left to right."""
        return self.right - self.left

    @property
    def area(self) -> float:
        """Pixels in the window; 0 where its edges have passed each other."""
        return max(self.height, 0.0) * max(self.width, 0.0)

    @property
    def centre(self) -> tuple[float, float]:
        """Row and column of the middle, in pixel edges."""
        return (self.top + self.bottom) / 2, (self.left + self.right) / 2

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Window:
        """Return the window that covers a slice of this shape."""
        return cls(0.0, 0.0, float(shape[0]), float(shape[1]))

    @classmethod
    def at(cls, y: float, x: float, height: float, width: float) -> Window:
        """Return the window whose upper left corner is at (y, x), having checked it.

        Raises
        ------
        ValueError
            If a number is not finite, or the height or width not positive.
        """
        numbers = (y, x, height, width)
        if not all(map(math.isfinite, numbers)) or height <= 0 or width <= 0:
            raise ValueError(
                "a region needs finite y, x and a positive height and width in pixels, "
                f"found {','.join(f'{number:g}' for number in numbers)}"
            )
        return cls(y, x, y + height, x + width)

    @classmethod
    def around(cls, centre: tuple[float, float], height: float, width: float) -> Window:
        """Return the window of this size around a point given in pixel edges."""
        row, column = centre
        return cls(row - height / 2, column - width / 2, row + height / 2, column + width / 2)

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read ``y,x,height,width``.

        Raises
        ------
        ValueError
            If the text is not four numbers of a region.
        """
        try:
            y, x, height, width = (float(number) for number in text.split(","))
        except ValueError:
            raise ValueError(
                f"a region is four numbers y,x,height,width in pixels, found {text!r}"
            ) from None
        return cls.at(y, x, height, width)

    def grown(self, margin: float) -> Window:
        """Return the window with a margin, in pixels, on every side."""
        return Window(
            self.top - margin, self.left - margin, self.bottom + margin, self.right + margin
        )

    def intersection(self, other: Window) -> Window | None:
        """Return what two windows have in common, or None."""
        shared = Window(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )
        return shared if shared.height > 0 and shared.width > 0 else None

    def contains(self, other: Window) -> bool:
        """Return whether no part of another window lies outside this one."""
        return (
            self.top <= other.top
            and self.left <= other.left
            and self.bottom >= other.bottom
            and self.right >= other.right
        )

    def overlap(self, other: Window) -> float:
        """Return the area, in pixels, that two windows share."""
        shared = self.intersection(other)
        return shared.area if shared is not None else 0.0

    def inside(self, shape: tuple[int, int]) -> Window:
        """Return this window, having checked that it lies in a slice of this shape.

        Raises
        ------
        ValueError
            If any part lies outside.
        """
        if self.top < 0 or self.left < 0 or self.bottom > shape[0] or self.right > shape[1]:
            raise ValueError(
                f"the region y {self.top:g}..{self.bottom:g}, x {self.left:g}..{self.right:g} "
                f"reaches outside the slice of {shape[0]} x {shape[1]} pixels"
            )
        return self

    def clipped(self, shape: tuple[int, int]) -> Window:
        """Return the part of the window that lies in a slice of this shape.

        Raises
        ------
        ValueError
            If no part does.
        """
        part = self.intersection(Window.whole(shape))
        if part is None:
            raise ValueError(
                f"the region {self.top:g},{self.left:g},{self.height:g},{self.width:g} lies "
                f"wholly outside the slice of {shape[0]} x {shape[1]} pixels"
            )
        return part

    def pixels(self, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the smallest rectangle of whole pixels of the slice that covers the window."""
        return (
            max(math.floor(self.top), 0),
            max(math.floor(self.left), 0),
            min(math.ceil(self.bottom), shape[0]),
            min(math.ceil(self.right), shape[1]),
        )


class Line(NamedTuple):
    """A line on a slice, from one point to another in low-resolution pixel edges."""

    top: float
    left: float
    bottom: float
    right: float

    @classmethod
    def parse(cls, text: str) -> Line:
        """Read ``r0,c0,r1,c1``.

        Raises
        ------
        ValueError
            If the text is not four finite numbers, or both points are the same.
        """
        try:
            numbers = [float(number) for number in text.split(",")]
            line = cls(*numbers)
        except (ValueError, TypeError):
            line = None
        if line is None or not all(map(math.isfinite, line)) or line[:2] == line[2:]:
            raise ValueError(f"a line is two points r0,c0,r1,c1 in pixels, found {text!r}")
        return line

    @property
    def box(self) -> Window:
        """The window that it is a diagonal of; one side may be 0."""
        (top, bottom), (left, right) = (
            sorted((self.top, self.bottom)),
            sorted((self.left, self.right)),
        )
        return Window(top, left, bottom, right)

    @property
    def surroundings(self) -> Window:
        """What to show of the slice around it; it may reach out of the slice."""
        length = math.hypot(self.bottom - self.top, self.right - self.left)
        return self.box.grown(max(AROUND * length, LEAST_AROUND))
