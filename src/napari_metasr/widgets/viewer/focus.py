"""The lesion that a viewer looks at: one dock finds and edits it, another one super-resolves it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.layer_grid import same_grid
from napari_metasr.widgets.viewer.layer_source import plane_and_index
from napari_metasr.widgets.viewer.shared import shared

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_metasr.lesions import Lesion
    from napari_metasr.volume import Plane
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView


def lesion_focus(viewer: ViewerModel) -> LesionFocus:
    """Return the focus of a viewer: always the same one."""
    return shared(viewer, LesionFocus, LesionFocus)


def rectangle_of(lesion: Lesion, plane: Plane, index: int) -> Window | None:
    """Return a lesion's rectangle in a slice, in low-resolution edges; None if it ends before.

    In its own plane that is the slice's rectangle, in another one the cut through its box.
    """
    if plane is lesion.plane:
        found = lesion.detections.get(index)
        return found.region if found is not None else None
    start, stop = lesion.box[plane.normal_axis]
    if not start <= index < stop:
        return None
    (top, bottom), (left, right) = lesion.box[plane.row_axis], lesion.box[plane.column_axis]
    return Window(top, left, bottom, right)


class LesionFocus(QObject):
    """Which lesion of which layer is looked at.

    Attributes
    ----------
    lesion
        None where none is chosen.
    leading_index
        The position on the layer's axes before z, y, x, such as time.
    is_editing
        Whether boxes are being edited, and must be seen.
    watchers
        How many docks super-resolve the lesion.
    changed
        Emitted after another lesion, another rectangle of it, or editing.
    zoom_requested
        Emitted when a person asks to see the lesion super-resolved.
    layer_shown
        Emitted with a layer of boxes after it has been shown or hidden.
    """

    changed = Signal()
    zoom_requested = Signal()
    layer_shown = Signal(object, bool)

    def __init__(self) -> None:
        super().__init__()
        self._layer: weakref.ref[Image] | None = None
        self.leading_index: tuple[int, ...] = ()
        self.lesion: Lesion | None = None
        self.is_editing = False
        self.watchers = 0

    @property
    def layer(self) -> Image | None:
        """The image that the lesion was found in, while there is one."""
        return self._layer() if self._layer is not None and self.lesion is not None else None

    def choose(
        self, layer: Image | None, lesion: Lesion | None, leading_index: tuple[int, ...] = ()
    ) -> None:
        """Look at this lesion, or at none.

        Parameters
        ----------
        layer
            The image that it was found in.
        leading_index
            See the attribute.
        """
        if layer is self.layer and lesion == self.lesion and leading_index == self.leading_index:
            return
        self._layer = weakref.ref(layer) if layer is not None else None
        self.lesion, self.leading_index = lesion, leading_index
        self.changed.emit()

    def edit(self, editing: bool) -> None:
        """Say whether boxes are being edited."""
        if editing != self.is_editing:
            self.is_editing = editing
            self.changed.emit()

    def show_layer(self, layer: Layer, visible: bool) -> None:
        """Show or hide a layer of boxes, also for a view that will be put back later."""
        layer.visible = visible
        self.layer_shown.emit(layer, visible)

    def window(self, source: LayerSource, view: SliceView) -> Window | None:
        """Return the lesion's rectangle in the slice of a layer on its grid, if it gets there."""
        layer, lesion = self.layer, self.lesion
        if layer is None or lesion is None or not same_grid(layer, source.layer):
            return None
        if view.index[: source.layer.ndim - 3] != self.leading_index:
            return None
        try:
            plane, index = plane_and_index(view, source.layer.ndim)
        except ValueError:
            return None
        return rectangle_of(lesion, plane, index)
