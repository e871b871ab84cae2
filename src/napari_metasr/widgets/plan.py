"""From what is set and where the camera is to what must be rendered; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.geometry import OutputGrid, centred_window, window_centre
from napari_metasr.widgets import viewport as viewports
from napari_metasr.widgets.viewport import MAX_SCREEN_SCALE, RegionMode, Viewport

if TYPE_CHECKING:
    from napari_metasr.geometry import Scale
    from napari_metasr.volume import Window
    from napari_metasr.widgets.layer_source import SliceView
    from napari_metasr.widgets.zoom_dock import ZoomSettings

RECTANGLE_SHARE = 3
SMALLEST_MAGNIFICATION = 1.0


@dataclass(frozen=True)
class Plan:
    """What to render.

    Attributes
    ----------
    scale
        A number or a pair (y, x).
    grid
        The slice's output grid at this scale.
    region
        What is magnified, in low-resolution edges.
    window
        The part of it that is rendered now: what is seen.
    complete
        False where there would be too many pixels, and only the middle is rendered.
    magnifies
        False where the screen has less than one pixel for a voxel.
    """

    scale: Scale
    grid: OutputGrid
    region: Window
    window: Window
    complete: bool = True
    magnifies: bool = True


def default_rectangle(view: SliceView) -> Window:
    """The middle of the slice: the rectangle until one is drawn."""
    rows, columns = view.shape
    return centred_window(
        window_centre(viewports.whole(view)),
        rows / RECTANGLE_SHARE,
        columns / RECTANGLE_SHARE,
    )


def region_of(
    settings: ZoomSettings, viewport: Viewport, view: SliceView, rectangle: Window | None
) -> Window:
    """What is magnified, in low-resolution edges."""
    if settings.region is RegionMode.RECTANGLE:
        return rectangle or default_rectangle(view)
    if settings.region is RegionMode.CENTRE:
        return viewports.centre_region(viewport, view, settings.scale)
    return viewports.whole(view)


def make_plan(
    settings: ZoomSettings, viewport: Viewport, view: SliceView, rectangle: Window | None = None
) -> Plan | None:
    """Decide what to render.

    Returns
    -------
    Plan or None
        None where nothing of the region is seen.
    """
    scale: Scale = settings.scale
    magnifies = True
    if settings.follow_camera:
        region: Window | None = viewports.intersection(
            viewport.visible(view), viewports.whole(view)
        )
        on_screen = viewport.screen_scale(view)
        magnifies = max(on_screen) >= SMALLEST_MAGNIFICATION
        scale_y, scale_x = (
            round(min(max(s, SMALLEST_MAGNIFICATION), MAX_SCREEN_SCALE), 2) for s in on_screen
        )
        scale = (scale_y, scale_x)
    else:
        region = region_of(settings, viewport, view, rectangle)
    if region is None:
        return None
    window = viewports.rendered_window(region, viewport, view)
    if window is None:
        return None
    grid = OutputGrid.at_scale(view.shape, scale)
    window, complete = viewports.bounded_window(window, grid)
    try:
        grid.pixel_range(window)
    except ValueError:
        return None
    return Plan(scale, grid, region, window, complete, magnifies)
