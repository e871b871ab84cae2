"""Which layers of the viewer can be magnified, and which go together."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari.layers import Image

from napari_metasr.widgets.viewer.anatomical_view import first_image
from napari_metasr.widgets.viewer.layer_source import LayerSource, layer_source, same_grid
from napari_metasr.widgets.viewer.result_layers import is_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.widgets.zoom.dock import ZoomDock

GEOMETRY_EVENTS = ("data", "scale", "translate", "rotate", "shear", "affine")


class LayerList:
    """Keeps the dock's lists of sources and contrasts as the viewer's layers come and go.

    Parameters
    ----------
    changed
        Called with a layer whose numbers or place have changed.
    renamed
        Called when a layer has another name.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: ZoomDock,
        changed: Callable[[Image], None],
        renamed: Callable[[], None],
    ) -> None:
        self._viewer, self._dock = viewer, dock
        self._changed, self._renamed = changed, renamed
        self._watched: weakref.WeakSet[Layer] = weakref.WeakSet()
        self._listed: list[weakref.ref[Image]] = []
        self._contrasts: list[weakref.ref[Image]] = []
        self._chosen: weakref.ref[Image] | None = None
        self._ticked: weakref.WeakSet[Layer] = weakref.WeakSet()

    @property
    def source(self) -> LayerSource | None:
        """The layer that is magnified."""
        layer = self._chosen() if self._chosen is not None else None
        return None if layer is None or layer not in self._viewer.layers else layer_source(layer)

    @property
    def ticked(self) -> list[LayerSource]:
        """The further layers that are magnified with it."""
        layers = [reference() for reference in self._contrasts]
        return [
            layer_source(layer)
            for layer in layers
            if layer is not None and layer in self._ticked and layer in self._viewer.layers
        ]

    def refresh(self) -> bool:
        """List the viewer's images anew; the choice stays as long as its layer does.

        Returns
        -------
        bool
            Whether another layer is the source now.
        """
        layers = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and not is_result(layer)
        ]
        for layer in layers:
            self._watch(layer)
        before = chosen = self._chosen() if self._chosen is not None else None
        if chosen not in layers:
            first = first_image(self._viewer)
            chosen = first if first in layers else next(iter(layers), None)
            self._chosen = weakref.ref(chosen) if chosen is not None else None
        self._listed = [weakref.ref(layer) for layer in layers]
        names = [layer.name for layer in layers]
        self._dock.set_sources(names, layers.index(chosen) if chosen is not None else -1)
        self._list_contrasts(chosen, layers)
        return chosen is not before

    def choose(self, row: int) -> None:
        """Take another layer of the list as the source."""
        if 0 <= row < len(self._listed):
            self._chosen = self._listed[row]
            self.refresh()

    def choose_grid_of(self, layer: Image) -> None:
        """Take a layer as the source, unless the source lies on the same grid already."""
        source = self.source
        if source is None or not same_grid(source.layer, layer):
            self._chosen = weakref.ref(layer)
            self.refresh()

    def tick(self, rows: tuple[int, ...]) -> None:
        """Set which contrasts are ticked."""
        layers = [self._contrasts[row]() for row in rows if row < len(self._contrasts)]
        self._ticked = weakref.WeakSet(layer for layer in layers if layer is not None)

    def close(self) -> None:
        """Listen to no layer any more."""
        for layer in self._watched:
            for name in GEOMETRY_EVENTS:
                getattr(layer.events, name).disconnect(self._on_changed)
            layer.events.name.disconnect(self._on_renamed)
        self._watched.clear()

    def _list_contrasts(self, chosen: Image | None, layers: list[Image]) -> None:
        others = [
            layer
            for layer in layers
            if chosen is not None
            and layer is not chosen
            and not layer.rgb
            and not layer.multiscale
            and same_grid(chosen, layer)
        ]
        self._contrasts = [weakref.ref(layer) for layer in others]
        checked = [row for row, layer in enumerate(others) if layer in self._ticked]
        self._dock.set_contrasts([layer.name for layer in others], checked)

    def _watch(self, layer: Image) -> None:
        if layer in self._watched:
            return
        self._watched.add(layer)
        for name in GEOMETRY_EVENTS:
            getattr(layer.events, name).connect(self._on_changed)
        layer.events.name.connect(self._on_renamed)

    def _on_changed(self, event: object) -> None:
        layer = getattr(event, "source", None)
        if isinstance(layer, Image):
            self._changed(layer)

    def _on_renamed(self, event: object = None) -> None:
        self._renamed()
