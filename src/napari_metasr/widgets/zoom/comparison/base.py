"""What every comparison mode does, and how the viewer gets back to what it was."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari.layers import Image

from napari_metasr.widgets.viewer.result_layers import is_result

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import SliceView
    from napari_metasr.widgets.viewer.result_layers import ResultPair
    from napari_metasr.widgets.zoom.segmentations import Segmentations
    from napari_metasr.widgets.zoom.settings import Compare


RESULTS = "the results"


@dataclass
class Stage:
    """What a comparison mode plays on.

    Attributes
    ----------
    viewer
        The viewer.
    pairs
        The results, the source layer's first.
    segmentations
        What is shown over them.
    """

    viewer: ViewerModel
    pairs: list[ResultPair]
    segmentations: Segmentations

    @property
    def own_layers(self) -> set[Layer]:
        """The result layers."""
        return {layer for pair in self.pairs for layer in pair.layers}


class ViewSnapshot:
    """Grid, visibility, camera and selection of a viewer, to be put back."""

    def __init__(self, viewer: ViewerModel, own_layers: set[Layer]) -> None:
        self._viewer = weakref.ref(viewer)
        grid, camera = viewer.canvas.grid, viewer.scene.camera
        self._grid = {name: getattr(grid, name) for name in ("enabled", "stride", "shape")}
        self._spacing = grid.spacing
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

    def restore(self) -> None:
        """Put everything back, for the layers that still exist."""
        viewer = self._viewer()
        if viewer is None:
            return
        grid = viewer.canvas.grid
        grid.spacing = self._spacing
        for name, value in self._grid.items():
            setattr(grid, name, value)
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
            viewer.scene.camera.center, viewer.scene.camera.zoom = self._camera
        else:
            viewer.reset_view()


class Mode:
    """One way to see two results together; here both are shown in their full window.

    Attributes
    ----------
    compare
        Which way it is.
    all_contrasts
        Whether it shows every ticked contrast, or the source layer's results alone.
    shows_inferred
        Whether it shows what of the result the source does not determine.
    source_around
        Whether the source is seen around the results.
    """

    compare: ClassVar[Compare]
    all_contrasts: ClassVar[bool] = False
    shows_inferred: ClassVar[bool] = False
    source_around: ClassVar[bool] = True

    def __init__(self) -> None:
        self.snapshot: ViewSnapshot | None = None
        self._segmentations: Segmentations | None = None

    def enter(self, stage: Stage) -> None:
        """Remember how the view is, then take it over."""
        self.snapshot = ViewSnapshot(stage.viewer, stage.own_layers)
        self._segmentations = stage.segmentations
        self.update(stage)

    def windows(self, window: Window, view: SliceView) -> tuple[Window, Window]:
        """Both results show all of the window."""
        return window, window

    def update(self, stage: Stage) -> None:
        """Show what the mode shows."""
        raise NotImplementedError

    def single_box(self, stage: Stage) -> None:
        """Show the source under its results in one view box, and segmentations over all of it."""
        if stage.viewer.canvas.grid.enabled:
            stage.viewer.canvas.grid.enabled = False
        if not stage.pairs or self.snapshot is None:
            return
        source = stage.pairs[0].source.layer
        for layer in stage.viewer.layers:
            if isinstance(layer, Image) and layer is not source and not is_result(layer):
                self.snapshot.hide(layer)
        set_visible(source, True)
        stage.segmentations.take(self.snapshot, stage.pairs[0].source, [RESULTS], every=False)

    def leave(self) -> None:
        """Put the view back."""
        if self._segmentations is not None:
            self._segmentations.close()
        if self.snapshot is not None:
            self.snapshot.restore()
            self.snapshot = None


def set_visible(layer: Layer, visible: bool) -> None:
    """Show or hide a layer; nothing happens where it is so already."""
    if layer.visible != visible:
        layer.visible = visible
