"""What of a slice a pane shows, how large and which way round; no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.widgets.viewer.layer_source import SliceView


class Rectangle(NamedTuple):
    """A part of a pane, in its pixels from the upper left corner; not necessarily whole ones."""

    top: float
    left: float
    bottom: float
    right: float


def facing(view: SliceView, orientation2d: tuple[str, str]) -> tuple[int, int]:
    """Tell which way a slice's two displayed axes count on the screen.

    Parameters
    ----------
    orientation2d
        Where the world's axes point to, as napari's camera names it: such as ``up`` and ``left``.

    Returns
    -------
    (vertical, horizontal)
        1 where the index grows downwards and rightwards, -1 the other way.
    """
    steps = view.on_screen(view.scale)
    vertical, horizontal = (
        int(math.copysign(1, step)) * (-1 if towards in {"up", "left"} else 1)
        for step, towards in zip(steps, map(str, orientation2d), strict=True)
    )
    return vertical, horizontal


@dataclass(frozen=True)
class Lens:
    """A magnified view of a slice.

    Attributes
    ----------
    view
        The slice.
    centre
        What lies in the middle of the pane: row and column, in low-resolution pixel edges.
    density
        Screen pixels per voxel, of rows and columns.
    size
        Height and width of the pane in screen pixels.
    facing
        Which way the displayed axes count; see `facing`.
    """

    view: SliceView
    centre: tuple[float, float]
    density: tuple[float, float]
    size: tuple[float, float]
    facing: tuple[int, int]

    def edges(self, spot: tuple[float, float]) -> tuple[float, float]:
        """Return what lies under a place of the pane, (down, right) from its upper left corner."""
        from_middle = [
            way * (place - length / 2)
            for way, place, length in zip(self.facing, spot, self.size, strict=True)
        ]
        offsets = self.view.on_screen((from_middle[0], from_middle[1]))
        row, column = (
            middle + offset / density
            for middle, offset, density in zip(self.centre, offsets, self.density, strict=True)
        )
        return row, column

    def spot(self, edges: tuple[float, float]) -> tuple[float, float]:
        """Return where in the pane a place of the slice lies: the reverse of `edges`."""
        offsets = [
            (edge - middle) * density
            for edge, middle, density in zip(edges, self.centre, self.density, strict=True)
        ]
        from_middle = self.view.on_screen((offsets[0], offsets[1]))
        down, right = (
            way * offset + length / 2
            for way, offset, length in zip(self.facing, from_middle, self.size, strict=True)
        )
        return down, right

    def window(self, start: float = 0, stop: float = 1) -> Window | None:
        """Return what of the slice a part of the pane shows; None where that is nothing.

        Parameters
        ----------
        start, stop
            The part's left and right end, as fractions of the pane's width.
        """
        height, width = self.size
        corners = [self.edges((0, start * width)), self.edges((height, stop * width))]
        (top, bottom), (left, right) = (sorted(pair) for pair in zip(*corners, strict=True))
        return Window(top, left, bottom, right).intersection(Window.whole(self.view.shape))

    def rectangle(self, window: Window) -> Rectangle:
        """Return where in the pane a window of the slice lies."""
        corners = [self.spot(window[:2]), self.spot(window[2:])]
        (top, bottom), (left, right) = (sorted(pair) for pair in zip(*corners, strict=True))
        return Rectangle(top, left, bottom, right)

    def turned(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a part of the slice, (rows, columns, …), as it lies on the screen, top first."""
        shown = image.swapaxes(0, 1) if self.view.transposed else image
        return np.ascontiguousarray(shown[:: self.facing[0], :: self.facing[1]])
