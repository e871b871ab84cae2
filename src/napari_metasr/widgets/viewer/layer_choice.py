"""A list of the viewer's layers of one kind, one of which is chosen."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_metasr.widgets.viewer.anatomical_view import is_anatomical
from napari_metasr.widgets.viewer.layer_grid import GEOMETRY_EVENTS
from napari_metasr.widgets.viewer.result_layers import is_result, is_super_resolved
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer


def is_image(layer: Layer) -> bool:
    """Return whether a layer is an image of the user's, not a result that a dock shows."""
    return isinstance(layer, Image) and not is_result(layer)


def likely_image(layers: list[Layer]) -> Layer | None:
    """Return the image that a viewer most likely is about.

    That is the first one whose orientation is known, else the first one. Super-resolved images
    are taken by the user alone.
    """
    acquired = [layer for layer in layers if not is_super_resolved(layer)]
    return next(filter(is_anatomical, acquired), next(iter(acquired), None))


def _nothing(layer: Layer) -> None:
    """Ignore a layer."""


class LayerChoice:
    """Keeps a list in step with the viewer's layers; the choice stays as long as its layer does.

    Parameters
    ----------
    show
        Called with the names of the listed layers and the place of the chosen one, -1 for none.
    belongs
        Whether a layer is listed.
    first
        Chooses one of the listed layers while the user has not.
    changed
        Called with a listed layer whose data or place have changed.
    renamed
        Called after a listed layer has got another name.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        show: Callable[[list[str], int], None],
        *,
        belongs: Callable[[Layer], bool] = is_image,
        first: Callable[[list[Layer]], Layer | None] = likely_image,
        changed: Callable[[Layer], None] = _nothing,
        renamed: Callable[[], None] | None = None,
    ) -> None:
        self._viewer, self._belongs, self._first, self._show = viewer, belongs, first, show
        self._changed, self._renamed = changed, renamed or self.refresh
        self._listed: list[weakref.ref[Layer]] = []
        self._chosen: weakref.ref[Layer] | None = None
        self._shown: tuple[list[str], int] | None = None
        self._watched: weakref.WeakKeyDictionary[Layer, Subscriptions] = weakref.WeakKeyDictionary()

    @property
    def layer(self) -> Layer | None:
        """The chosen layer, while the viewer has it."""
        layer = self._chosen() if self._chosen is not None else None
        return layer if layer in self._viewer.layers else None

    @property
    def layers(self) -> list[Layer]:
        """The listed layers that the viewer still has."""
        listed = [reference() for reference in self._listed]
        return [layer for layer in listed if layer is not None and layer in self._viewer.layers]

    def refresh(self) -> bool:
        """List the viewer's layers anew.

        Returns
        -------
        bool
            Whether another layer is the chosen one now.
        """
        layers = [layer for layer in self._viewer.layers if self._belongs(layer)]
        for layer in layers:
            self._watch(layer)
        before = chosen = self.layer
        if chosen not in layers:
            chosen = self._first(layers)
            self._chosen = weakref.ref(chosen) if chosen is not None else None
        self._listed = [weakref.ref(layer) for layer in layers]
        shown = [layer.name for layer in layers], -1 if chosen is None else layers.index(chosen)
        if shown != self._shown:
            self._shown = shown
            self._show(*shown)
        return chosen is not before

    def choose(self, place: int) -> None:
        """Take the layer at a place of the list."""
        if 0 <= place < len(self._listed):
            self._chosen, self._shown = self._listed[place], None

    def take(self, layer: Layer) -> None:
        """Take a layer."""
        self._chosen, self._shown = weakref.ref(layer), None

    def close(self) -> None:
        """Listen to no layer any more."""
        for subscriptions in self._watched.values():
            subscriptions.close()
        self._watched.clear()

    def _watch(self, layer: Layer) -> None:
        if layer not in self._watched:
            self._watched[layer] = Subscriptions(
                [(layer.events.name, self._on_renamed)]
                + [(getattr(layer.events, name), self._on_changed) for name in GEOMETRY_EVENTS]
            )

    def _on_changed(self, event: Any) -> None:
        self._changed(event.source)

    def _on_renamed(self, event: object = None) -> None:
        self._renamed()
