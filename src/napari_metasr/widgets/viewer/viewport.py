"""What part of a slice is looked at, at what scale, and where the camera goes; no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.widgets.viewer.layer_source import SliceView

FIT_MARGIN = 0.95
VISIBLE_MARGIN = 2.0
LESION_MARGIN = 0.25
MAX_SCREEN_SCALE = 32.0
MAX_RENDERED_PIXELS = 1 << 24
MAX_ENCODED_VOXELS = 400_000


class RegionMode(StrEnum):
    """What is super-resolved."""

    WHOLE = "whole slice"
    RECTANGLE = "rectangle"
    CENTRE = "centre of view"
    LESION = "lesion"


@dataclass(frozen=True)
class Viewport:
    """A camera over a slice.

    Attributes
    ----------
    centre
        World position of the middle of the view, (vertical, horizontal).
    zoom
        Screen pixels per world unit.
    size
        Height and width of one view box in screen pixels.
    """

    centre: tuple[float, float]
    zoom: float
    size: tuple[float, float]

    def screen_scale(self, view: SliceView) -> tuple[float, float]:
        """Return the screen pixels per voxel, of rows and columns."""
        return self.zoom * abs(view.scale[0]), self.zoom * abs(view.scale[1])

    def at_scale(self, scale: float, view: SliceView) -> Viewport:
        """Return the view box zoomed so that a voxel takes ``scale`` screen pixels.

        Where voxels are no squares, that is their geometric mean.
        """
        zoom = scale / math.sqrt(abs(view.scale[0] * view.scale[1]))
        return Viewport(self.centre, zoom, self.size)

    def visible(self, view: SliceView) -> Window:
        """Return the edges of what the view box shows; it may reach outside the slice."""
        height, width = view.on_screen(self.size)
        per_row, per_column = self.screen_scale(view)
        centre = view.edges(view.on_screen(self.centre))
        return Window.around(centre, height / per_row, width / per_column)

    def fitted(self, window: Window, view: SliceView) -> Viewport:
        """Return the same view box with the camera moved so that the window fills it."""
        top, left, bottom, right = window
        first, last = view.world((top, left)), view.world((bottom, right))
        rows, columns = view.on_screen(self.size)
        zoom = FIT_MARGIN * min(
            rows / max(abs(last[0] - first[0]), 1e-12),
            columns / max(abs(last[1] - first[1]), 1e-12),
        )
        middle = view.world(window.centre)
        return Viewport(view.on_screen(middle), zoom, self.size)


def with_surroundings(window: Window) -> Window:
    """Return a lesion's rectangle with a margin on every side, so that it is seen where it lies."""
    return window.grown(LESION_MARGIN * max(window.height, window.width))


def shifted_inside(window: Window, view: SliceView) -> Window:
    """Return a window of at most the slice's size, moved so that it lies in the slice."""
    moved: list[float] = []
    for start, stop, size in zip(window[:2], window[2:], view.shape, strict=True):
        length = min(stop - start, size)
        first = min(max(start, 0.0), size - length)
        moved += [first, first + length]
    top, bottom, left, right = moved
    return Window(top, left, bottom, right)


def centre_region(viewport: Viewport, view: SliceView, scale: float) -> Window:
    """Return the region around the middle of the view that fills the screen at this scale.

    At scale 1 that is the whole slice fitted into the view.
    """
    at_one = viewport.fitted(Window.whole(view.shape), view)
    height, width = view.on_screen(viewport.size)
    per_row, per_column = at_one.screen_scale(view)
    centre = view.edges(view.on_screen(viewport.centre))
    window = Window.around(
        centre,
        FIT_MARGIN * height / (per_row * scale),
        FIT_MARGIN * width / (per_column * scale),
    )
    return shifted_inside(window, view)


def with_margin(region: Window, view: SliceView) -> Window:
    """Return all that is seen where the camera is fitted to a region of the view's own shape.

    Without its margin a rim of the source's own voxels would be seen round the result.
    """
    seen = Window.around(region.centre, region.height / FIT_MARGIN, region.width / FIT_MARGIN)
    return seen.grown(VISIBLE_MARGIN).clipped(view.shape)


def rendered_window(region: Window, viewport: Viewport, view: SliceView) -> Window | None:
    """Return the part of the region that is seen, with a small margin; None where nothing is."""
    return region.intersection(viewport.visible(view).grown(VISIBLE_MARGIN))


def bounded_window(window: Window, grid: OutputGrid) -> tuple[Window, bool]:
    """Return the middle of the window, if all of it would give too many pixels for one image.

    Returns
    -------
    window, complete
        What can be rendered, and whether that is all of it.
    """
    scale_y, scale_x = grid.true_scale
    voxels = window.area
    pixels = voxels * scale_y * scale_x
    share = min(MAX_RENDERED_PIXELS / pixels, MAX_ENCODED_VOXELS / voxels)
    if share >= 1:
        return window, True
    shrink = math.sqrt(share)
    return Window.around(window.centre, window.height * shrink, window.width * shrink), False
