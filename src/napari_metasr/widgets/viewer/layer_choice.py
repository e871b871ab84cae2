"""A list of the viewer's layers of one kind, one of which is chosen."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari_metasr.widgets.viewer.layer_list import GEOMETRY_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer


class LayerChoice:
    """Keeps a list in step with the viewer's layers; the choice stays as long as its layer does.

    Parameters
    ----------
    belongs
        Whether a layer is listed.
    first
        Which layer is taken while none has been chosen.
    show
        Called with the names of the listed layers and the place of the chosen one, -1 for none.
    changed
        Called with a listed layer whose numbers or place have changed.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        belongs: Callable[[Layer], bool],
        first: Callable[[list[Layer]], Layer | None],
        show: Callable[[list[str], int], None],
        changed: Callable[[Layer], None] = lambda layer: None,
    ) -> None:
        self._viewer, self._belongs, self._first, self._show = viewer, belongs, first, show
        self._changed = changed
        self._listed: list[weakref.ref[Layer]] = []
        self._chosen: weakref.ref[Layer] | None = None
        self._shown: tuple[list[str], int] | None = None
        self._watched: weakref.WeakSet[Layer] = weakref.WeakSet()

    @property
    def layer(self) -> Layer | None:
        """The chosen layer."""
        return self._chosen() if self._chosen is not None else None

    def refresh(self) -> None:
        """List the viewer's layers anew."""
        layers = [layer for layer in self._viewer.layers if self._belongs(layer)]
        for layer in layers:
            if layer not in self._watched:
                self._watched.add(layer)
                layer.events.name.connect(self._on_renamed)
                for name in GEOMETRY_EVENTS:
                    getattr(layer.events, name).connect(self._on_changed)
        chosen = self.layer
        if chosen not in layers:
            chosen = self._first(layers)
            self._chosen = weakref.ref(chosen) if chosen is not None else None
        self._listed = [weakref.ref(layer) for layer in layers]
        shown = [layer.name for layer in layers], layers.index(chosen) if chosen else -1
        if shown != self._shown:
            self._shown = shown
            self._show(*shown)

    def choose(self, place: int) -> None:
        """Take another layer of the list."""
        if 0 <= place < len(self._listed):
            self._chosen, self._shown = self._listed[place], None

    def close(self) -> None:
        """Listen to no layer any more."""
        for layer in self._watched:
            layer.events.name.disconnect(self._on_renamed)
            for name in GEOMETRY_EVENTS:
                getattr(layer.events, name).disconnect(self._on_changed)
        self._watched.clear()

    def _on_changed(self, event: Any) -> None:
        self._changed(event.source)

    def _on_renamed(self, event: object = None) -> None:
        self.refresh()
