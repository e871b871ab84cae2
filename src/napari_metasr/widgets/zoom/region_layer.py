"""The rectangle that a person draws or drags, and what of each plane it marks."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes

from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.drawn_regions import drawn_regions
from napari_metasr.widgets.viewer.guard import Guard
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.result_layers import undisturbed

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView

NAME = "zoom region (draw or drag)"
COLOR = "#ffd54a"
SMALLEST = 2.0
LINE_PIXELS = 2
UNDO_STEPS = 20


class RegionLayer:
    """Remembers one rectangle for each plane, and shows it in a shapes layer while edited.

    Parameters
    ----------
    changed
        Called whenever the rectangle has changed.
    drawn
        Called when a first rectangle has been drawn.
    """

    def __init__(
        self, viewer: ViewerModel, changed: Callable[[], None], drawn: Callable[[], None]
    ) -> None:
        self._viewer = weakref.ref(viewer)
        self._changed, self._drawn = changed, drawn
        self._windows = drawn_regions(viewer)
        self._earlier: dict[tuple[int, tuple[int, int]], list[Window]] = {}
        self._layer: Shapes | None = None
        self._source: LayerSource | None = None
        self._view: SliceView | None = None
        self._updating = Guard()

    @property
    def is_editing(self) -> bool:
        """Whether the rectangle is on the screen to be drawn or dragged."""
        return self._layer is not None

    def window(self, source: LayerSource, view: SliceView) -> Window | None:
        """Return the rectangle of this plane, in low-resolution edges, if there is one."""
        return self._windows.get(source, view)

    def set_window(self, source: LayerSource, view: SliceView, window: Window) -> None:
        """Set the rectangle of this plane."""
        inside = window.intersection(Window.whole(view.shape))
        if inside is None or min(inside[2] - inside[0], inside[3] - inside[1]) < SMALLEST:
            return
        key = source.token, view.axes
        before = self._windows.get(source, view)
        if before != inside:
            if before is not None:
                self._earlier[key] = [*self._earlier.get(key, []), before][-UNDO_STEPS:]
            self._windows.set(source, view, inside)
            self._changed()

    def undo(self) -> None:
        """Take the last change of the rectangle that is edited back."""
        if self._source is None or self._view is None:
            return
        key = self._source.token, self._view.axes
        if self._earlier.get(key):
            window = self._earlier[key].pop()
            self._windows.set(self._source, self._view, window)
            self._draw(window)
            self._changed()

    def edit(self, source: LayerSource, view: SliceView) -> None:
        """Show the rectangle to be dragged, or let one be drawn."""
        viewer = self._viewer()
        if viewer is None:
            return
        self.finish()
        origin = source.layer
        self._source, self._view = source, view
        layer = Shapes(
            ndim=origin.ndim,
            name=NAME,
            edge_color=COLOR,
            face_color="transparent",
            edge_width=LINE_PIXELS / camera_of(viewer).zoom,
            units=origin.units,
            axis_labels=origin.axis_labels,
        )
        self._layer = layer
        viewer.add_layer(layer)
        viewer.layers.selection.active = layer
        self._offer(layer, self.window(source, view))
        layer.events.data.connect(self._on_data)
        layer.bind_key("Control-Z", lambda _: self.undo(), overwrite=True)

    def follow(self, source: LayerSource, view: SliceView) -> None:
        """Go on with the slice that is now shown: its rectangle is dragged, or one is drawn."""
        layer, before = self._layer, self._view
        if layer is None or (source is self._source and view == before):
            return
        if source is not self._source or before is None:
            self.edit(source, view)
            return
        self._view = view
        window = self.window(source, view)
        if view.axes != before.axes:
            self._offer(layer, window)
        elif window is not None:
            self._draw(window)

    def finish(self) -> None:
        """Take the rectangle off the screen; it stays in force."""
        viewer, layer = self._viewer(), self._layer
        self._layer = None
        if layer is None:
            return
        layer.events.data.disconnect(self._on_data)
        if viewer is not None and layer in viewer.layers:
            with undisturbed(viewer):
                viewer.layers.remove(layer)

    def forget(self, token: int) -> None:
        """Forget the rectangles of a layer that has been removed."""
        self._windows.forget(token)
        self._earlier = {key: w for key, w in self._earlier.items() if key[0] != token}
        if self._source is not None and self._source.token == token:
            self._source = None

    def removed(self, layer: Any) -> bool:
        """Return whether this layer is the rectangle's, removed by the user; editing then ends."""
        if layer is not self._layer:
            return False
        self._layer = None
        return True

    def _offer(self, layer: Shapes, window: Window | None) -> None:
        """Show a rectangle to be dragged; without one, let it be drawn."""
        if window is not None:
            self._draw(window)
            layer.mode = "select"
            layer.selected_data = {0}
        else:
            with self._updating:
                layer.data = []
            layer.mode = "add_rectangle"

    def _draw(self, window: Window) -> None:
        layer, view, source = self._layer, self._view, self._source
        if layer is None or view is None or source is None:
            return
        top, left, bottom, right = window
        corners = [
            source.placed(view, (1.0, 1.0), view.world(corner))[1]
            for corner in ((top, left), (top, right), (bottom, right), (bottom, left))
        ]
        with self._updating:
            layer.data = []
            layer.add_rectangles(np.array(corners))

    def _on_data(self, event: Any) -> None:
        """Take the newest rectangle after one was drawn, dragged, resized or deleted."""
        layer, view, source = self._layer, self._view, self._source
        finished = str(getattr(event, "action", "")) in {"added", "changed"}
        if self._updating or not finished or layer is None or view is None or source is None:
            return
        if not len(layer.data):
            return
        first = self.window(source, view) is None
        points = np.asarray(layer.data[-1])[:, list(view.axes)]
        low = view.edges((float(points[:, 0].min()), float(points[:, 1].min())))
        high = view.edges((float(points[:, 0].max()), float(points[:, 1].max())))
        if len(layer.data) > 1:
            with self._updating:
                layer.data = layer.data[-1:]
        rows, columns = sorted((low[0], high[0])), sorted((low[1], high[1]))
        self.set_window(source, view, Window(rows[0], columns[0], rows[1], columns[1]))
        if first and self.window(source, view) is not None:
            self._drawn()
