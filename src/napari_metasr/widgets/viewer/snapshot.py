"""How a viewer was, so that it can be put back."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari_metasr.widgets.viewer.napari_versions import camera_of, grid_of, set_grid

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class ViewSnapshot:
    """Grid, visibility, camera and selection of a viewer, to be put back."""

    def __init__(self, viewer: ViewerModel, own_layers: set[Layer]) -> None:
        self._viewer = weakref.ref(viewer)
        grid, camera = grid_of(viewer), camera_of(viewer)
        self._grid = {
            name: getattr(grid, name) for name in ("enabled", "stride", "shape", "spacing")
        }
        self._camera = (camera.center, camera.zoom)
        self._order = viewer.dims.order
        self._visible: weakref.WeakKeyDictionary[Layer, bool] = weakref.WeakKeyDictionary(
            {layer: layer.visible for layer in viewer.layers if layer not in own_layers}
        )
        self._selection = weakref.WeakSet(viewer.layers.selection)
        active = viewer.layers.selection.active
        self._active = weakref.ref(active) if active is not None else None

    def hide(self, layer: Layer) -> None:
        """Hide a layer until the view is put back."""
        self._visible.setdefault(layer, layer.visible)
        if layer.visible:
            layer.visible = False

    def shown_later(self, layer: Layer) -> None:
        """Hide a layer that is to be seen once the view is put back."""
        self.remember(layer, visible=True)
        layer.visible = False

    def remember(self, layer: Layer, visible: bool) -> None:
        """Show or hide a layer once the view is put back."""
        self._visible[layer] = visible

    def shows(self, layer: Layer) -> bool:
        """Return whether a layer is seen, or will be once the view is put back."""
        return layer.visible or self._visible.get(layer, False)

    def restore(self) -> None:
        """Put everything back, for the layers that still exist."""
        viewer = self._viewer()
        if viewer is None:
            return
        set_grid(viewer, **self._grid)
        for layer, visible in self._visible.items():
            if layer in viewer.layers and layer.visible != visible:
                layer.visible = visible
        viewer.layers.selection = {layer for layer in self._selection if layer in viewer.layers}
        active = self._active() if self._active is not None else None
        if active is not None and active in viewer.layers:
            viewer.layers.selection.active = active
            viewer.layers.selection.update(
                layer for layer in self._selection if layer in viewer.layers
            )
        if viewer.dims.ndisplay != 2:
            return  # in 3-D the camera's depth is the slice that napari goes back to
        if viewer.dims.order == self._order:
            camera_of(viewer).center, camera_of(viewer).zoom = self._camera
        else:
            viewer.reset_view()
