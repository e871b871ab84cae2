"""What differs between napari 0.7 and 0.9, and private names of napari that the plugin uses.

napari 0.9 moved camera, grid and overlays from the viewer to `viewer.scene` and `viewer.canvas`
and gives hidden layers no view box of the grid. Once 0.9 is the oldest napari that is supported,
each function here is one line.
"""

from __future__ import annotations

import math
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import napari
from napari.components import ViewerModel
from napari.components.overlays import CanvasOverlay
from napari.utils.events import EventEmitter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from napari.components.camera import Camera
    from napari.components.grid import GridCanvas
    from napari.components.overlays import Overlay
    from napari.layers import Layer
    from napari.utils.events import EventedDict
    from qtpy.QtWidgets import QWidget

HAS_CANVAS = "canvas" in ViewerModel.model_fields
"""Whether camera, grid and overlays are where napari 0.9 has them."""

HIDDEN_LAYERS_TAKE_BOXES = not HAS_CANVAS
"""Whether the grid counts hidden layers too when it numbers its view boxes."""

_RESIZED: weakref.WeakKeyDictionary[ViewerModel, EventEmitter] = weakref.WeakKeyDictionary()


def camera_of(viewer: ViewerModel) -> Camera:
    """Return the camera of a viewer."""
    return viewer.scene.camera if HAS_CANVAS else viewer.camera


def grid_of(viewer: ViewerModel) -> GridCanvas:
    """Return the grid of view boxes of a viewer."""
    return viewer.canvas.grid if HAS_CANVAS else viewer.grid


def set_grid(viewer: ViewerModel, *, enabled: bool, **settings: Any) -> None:
    """Show or hide the grid of a viewer, with its stride, shape and spacing.

    Napari fails where a grid that is shown gets fewer view boxes than it draws overlays in, so that
    it is hidden meanwhile.
    """
    grid = grid_of(viewer)
    boxes = math.prod(settings.get("shape", grid.shape))
    if grid.enabled and (not enabled or boxes < math.prod(grid_shape(viewer))):
        grid.enabled = False
    for name, value in settings.items():
        if getattr(grid, name) != value:
            setattr(grid, name, value)
    if grid.enabled != enabled:
        grid.enabled = enabled


def canvas_overlays(viewer: ViewerModel) -> EventedDict[str, Overlay]:
    """Return what is drawn over the canvas of a viewer, by name; `scale_bar` is one."""
    return viewer.canvas.overlays if HAS_CANVAS else _own(viewer)._overlays


def scene_overlays(viewer: ViewerModel) -> EventedDict[str, Overlay]:
    """Return what is drawn over the layers of a viewer, in the world, by name."""
    return viewer.scene.overlays if HAS_CANVAS else _own(viewer)._overlays


def layer_overlays(layer: Layer) -> EventedDict[str, Overlay]:
    """Return what is drawn over a layer, by name."""
    return _own(layer)._overlays


def canvas_size(viewer: ViewerModel) -> tuple[int, int]:
    """Return height and width of a viewer's canvas, in pixels."""
    return viewer.canvas.size if HAS_CANVAS else _own(viewer)._canvas_size


def viewbox_size(viewer: ViewerModel) -> tuple[float, float]:
    """Return height and width of one view box, in pixels."""
    if HAS_CANVAS:
        height, width = viewer.canvas.viewbox_size(viewer.layers)
    else:
        height, width = _own(viewer)._get_viewbox_size()
    return float(height), float(width)


def view_boxes(viewer: ViewerModel) -> Iterator[tuple[tuple[int, int], tuple[int, ...]]]:
    """Yield (row, column) of each view box of the grid, and the indices of the layers in it."""
    layers = viewer.layers if HAS_CANVAS else len(viewer.layers)
    yield from grid_of(viewer).iter_viewboxes(layers)


def boxes_on_canvas(viewer: ViewerModel) -> Iterator[tuple[float, float, float, float]]:
    """Yield top, left, height and width of each view box with layers in it, in pixels."""
    rows, columns = grid_shape(viewer)
    height, width = viewbox_size(viewer)
    whole_height, whole_width = canvas_size(viewer)
    down = (whole_height - height) / max(rows - 1, 1)
    across = (whole_width - width) / max(columns - 1, 1)
    for (row, column), layers in view_boxes(viewer):
        if layers:
            yield row * down, column * across, height, width


def grid_shape(viewer: ViewerModel) -> tuple[int, int]:
    """Return how many rows and columns of view boxes a viewer's canvas has."""
    return grid_of(viewer).actual_shape(viewer.layers if HAS_CANVAS else len(viewer.layers))


def canvas_resized(viewer: ViewerModel) -> EventEmitter:
    """Return the event that a viewer's canvas has changed its size."""
    if HAS_CANVAS:
        return viewer.canvas.events.size
    if viewer not in _RESIZED:
        _RESIZED[viewer] = emitter = EventEmitter(type_name="size")
        canvas = _window_canvas(viewer)
        if canvas is not None:
            resized = canvas.events.resize
            resized.connect(lambda _: emitter(), position="last")  # once the size is known
    return _RESIZED[viewer]


def canvas_widget(viewer: ViewerModel) -> QWidget | None:
    """Return the widget that a viewer draws on; None for a viewer without a window."""
    canvas = _window_canvas(viewer)
    return None if canvas is None else canvas.native


@contextmanager
def arranged_once(viewer: ViewerModel) -> Iterator[None]:
    """Have napari arrange what its canvas draws once for all changes, not anew for each.

    With texts in each view box napari cannot wait: it places them at once.
    """
    canvas = _window_canvas(viewer)
    shown = (each for each in canvas_overlays(viewer).values() if each.visible)
    texts = (each for each in shown if isinstance(each, CanvasOverlay))  # 0.8: and lines
    if canvas is None or canvas._pause_scene_graph or any(text.gridded for text in texts):
        yield
        return
    before = set(viewer.layers)
    canvas._pause_scene_graph_update()
    try:
        yield
    finally:
        if before <= set(viewer.layers):
            canvas._pause_scene_graph = False
            canvas._update_scenegraph()
        else:  # garbage is collected too, as whenever a layer has gone
            canvas._resume_scene_graph_update()
        _drop_former_grids(canvas)


def _drop_former_grids(canvas: Any) -> None:
    """Let a canvas go of grids that it has replaced: it makes one for each change, keeps all."""
    central, grid = canvas.central_widget, canvas.grid
    for widget in list(central._widgets):
        if isinstance(widget, type(grid)) and widget is not grid:
            central.remove_widget(widget)


def _window_canvas(viewer: ViewerModel) -> Any:
    """Return the canvas in a viewer's window; None for a viewer without one."""
    window = getattr(viewer, "window", None)
    return None if window is None else _own(window)._qt_viewer.canvas


def _own(given: Any) -> Any:
    """Return what is behind the proxy that a dock may be given, which warns of private names."""
    return getattr(given, "__wrapped__", given)


def open_viewers() -> list[napari.Viewer]:
    """Return all viewers of this process that have a window."""
    return list(napari.Viewer._instances)


def unrefreshed(layer: Layer) -> AbstractContextManager[None]:
    """Return a context in which a layer is not drawn anew at each change."""
    return _own(layer)._block_refresh()
