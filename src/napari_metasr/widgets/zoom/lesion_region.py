"""The zoom dock's side of the lesion that the viewer looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_metasr.widgets.viewer.focus import lesion_focus
from napari_metasr.widgets.viewer.open_docks import reveal
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.zoom.dock import ZoomDock
    from napari_metasr.widgets.zoom.plan import ZoomPlan


class LesionRegion(QObject):
    """Offers the lesion as a region, and takes it when a person asks for it elsewhere.

    Parameters
    ----------
    changed
        Called after another lesion, another rectangle of it, or editing.
    chosen
        Called with the layer to super-resolve when a person wants to see the lesion.
    shown
        Called with a layer of boxes that is shown or hidden from now on.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: ZoomDock,
        *,
        changed: Callable[[], None],
        chosen: Callable[[Layer], None],
        shown: Callable[[Layer, bool], None],
    ) -> None:
        super().__init__(dock)
        self._dock, self._changed, self._chosen = dock, changed, chosen
        self._focus = lesion_focus(viewer)
        self._shown = shown
        self._focus.changed.connect(self._on_changed)
        self._focus.zoom_requested.connect(self._on_requested)
        self._focus.layer_shown.connect(self._on_shown)
        self._focus.watchers += 1
        self._offer()

    @property
    def is_editing(self) -> bool:
        """Whether boxes are being edited, and must be seen."""
        return self._focus.is_editing

    def window(self, source: LayerSource, view: SliceView) -> Window | None:
        """Return the lesion's rectangle in this slice, if it reaches there."""
        return self._focus.window(source, view)

    def notice(self, source: LayerSource, view: SliceView, plan: ZoomPlan) -> str:
        """Return what to know where only the lesion is super-resolved, or boxes are edited."""
        if self.is_editing:
            return messages.EDITING
        found = self._focus.lesion is not None
        return messages.lesion_notice(
            plan, found=found, reaches=self.window(source, view) is not None
        )

    def close(self) -> None:
        """Listen no more."""
        self._focus.changed.disconnect(self._on_changed)
        self._focus.zoom_requested.disconnect(self._on_requested)
        self._focus.layer_shown.disconnect(self._on_shown)
        self._focus.watchers -= 1

    def _offer(self) -> None:
        self._dock.offer_lesion(self._focus.lesion is not None)

    def _on_changed(self) -> None:
        self._offer()
        self._changed()

    def _on_shown(self, layer: Layer, visible: bool) -> None:
        self._shown(layer, visible)
        self._changed()

    def _on_requested(self) -> None:
        layer = self._focus.layer
        if layer is not None:
            self._dock.stop_drawing()
            reveal(self._dock)
            self._dock.region.setCurrentIndex(self._dock.region.findData(RegionMode.LESION))
            self._chosen(layer)
