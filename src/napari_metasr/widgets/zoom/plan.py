"""From what is set and where the camera is to what must be rendered; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer import viewport as viewports
from napari_metasr.widgets.viewer.viewport import MAX_SCREEN_SCALE, RegionMode, Viewport

if TYPE_CHECKING:
    from napari_metasr.geometry.grids import Scale
    from napari_metasr.widgets.viewer.layer_source import SliceView
    from napari_metasr.widgets.zoom.settings import ZoomSettings

RECTANGLE_SHARE = 3
SMALLEST_MAGNIFICATION = 1.0


@dataclass(frozen=True)
class ZoomPlan:
    """What to render.

    Attributes
    ----------
    grid
        The slice's output grid.
    region
        What is super-resolved, in low-resolution edges.
    window
        The part of the slice that is rendered now: what is seen of the region, or, round a
        lesion, all that is seen. Round the middle of the view it has the camera's margin.
    enhanced
        The part of the window that the network is run on; interpolation fills the rest. None
        where it is run on nothing.
    complete
        False where there would be too many pixels, and only the middle is rendered.
    is_magnified
        False where the screen has less than one pixel for a voxel.
    """

    grid: OutputGrid
    region: Window
    window: Window
    enhanced: Window | None
    complete: bool = True
    is_magnified: bool = True


def default_rectangle(view: SliceView) -> Window:
    """Return the middle of the slice: the rectangle until one is drawn."""
    rows, columns = view.shape
    return Window.around(
        Window.whole(view.shape).centre,
        rows / RECTANGLE_SHARE,
        columns / RECTANGLE_SHARE,
    )


def region_of(
    settings: ZoomSettings, viewport: Viewport, view: SliceView, marked: Window | None
) -> Window | None:
    """Return what the camera is to show, in low-resolution edges; None if there is nothing.

    Parameters
    ----------
    marked
        The rectangle or the lesion of this slice, if there is one.
    """
    if settings.region is RegionMode.RECTANGLE:
        return marked or default_rectangle(view)
    if settings.region is RegionMode.LESION:
        return viewports.with_surroundings(marked) if marked is not None else None
    if settings.region is RegionMode.CENTRE:
        return viewports.centre_region(viewport, view, settings.scale)
    return Window.whole(view.shape)


def make_plan(
    settings: ZoomSettings, viewport: Viewport, view: SliceView, marked: Window | None = None
) -> ZoomPlan | None:
    """Decide what to render.

    Parameters
    ----------
    marked
        The rectangle or the lesion of this slice, if there is one.

    Returns
    -------
    ZoomPlan or None
        None where nothing of the region is seen.
    """
    scale: Scale = settings.scale
    is_magnified = True
    focused = settings.region is RegionMode.LESION
    if settings.follow_camera:
        on_screen = viewport.screen_scale(view)
        is_magnified = max(on_screen) >= SMALLEST_MAGNIFICATION
        scale_y, scale_x = (
            round(min(max(s, SMALLEST_MAGNIFICATION), MAX_SCREEN_SCALE), 2) for s in on_screen
        )
        scale = (scale_y, scale_x)
    if settings.follow_camera or focused:
        region = viewport.visible(view).intersection(Window.whole(view.shape))
    else:
        region = region_of(settings, viewport, view, marked)
    if region is None:
        return None
    is_centre = settings.region is RegionMode.CENTRE
    rendered = viewports.with_margin(region, view) if is_centre else region
    window = viewports.rendered_window(rendered, viewport, view)
    if window is None:
        return None
    grid = OutputGrid.at_scale(view.shape, scale)
    window, complete = viewports.bounded_window(window, grid)
    if not has_pixels(grid, window):
        return None
    enhanced = _part(window, marked, grid) if focused else window
    if focused and marked is not None:
        region = marked
    return ZoomPlan(
        grid, region, window, enhanced if is_magnified else None, complete, is_magnified
    )


def _part(window: Window, lesion: Window | None, grid: OutputGrid) -> Window | None:
    """Return what of a lesion lies in the window, if it holds any output pixel."""
    part = window.intersection(lesion) if lesion is not None else None
    return part if part is not None and has_pixels(grid, part) else None


def has_pixels(grid: OutputGrid, window: Window) -> bool:
    """Return whether a window holds the centre of any output pixel."""
    try:
        grid.pixel_range(window)
    except ValueError:
        return False
    return True
