"""Bicubic left, super-resolved right, one row for each contrast; the cameras move together."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari.experimental import link_layers, unlink_layers
from napari.layers import Image, Labels

from napari_metasr.widgets.viewer.result_layers import (
    ROLE,
    is_result,
    lay_over_images,
    undisturbed,
)
from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from napari_metasr.widgets.zoom.comparison.base import Stage

SPACING = 4
LINKED = ("visible", "opacity", "colormap", "contour")


class SideBySide(Mode):
    """Uses napari's grid, where every visible layer has a view box.

    Other layers are hidden on entering. A segmentation is shown over every result, by copies that
    share its voxels. An image that is opened or shown meanwhile gets a view box of its own.
    """

    compare: ClassVar[Compare] = Compare.SIDE_BY_SIDE
    all_contrasts: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._stage: Stage | None = None
        self._is_new = True
        self._copies: dict[Labels, list[Labels]] = {}
        self._panes: list[Image] = []

    def enter(self, stage: Stage) -> None:
        """Hide all but the results and segmentations."""
        self._stage = stage
        super().enter(stage)

    def update(self, stage: Stage) -> None:
        """Give each result its box."""
        panes = [layer for pair in stage.pairs for layer in pair.layers]
        sources = [pair.source.layer for pair in stage.pairs]
        for layer in [layer for layer in stage.viewer.layers if not is_result(layer)]:
            if self.snapshot is None or not layer.visible:
                continue
            if isinstance(layer, Labels):
                self._copies.setdefault(layer, [])
                self.snapshot.hide(layer)
            elif self._is_new or layer in sources or not isinstance(layer, Image):
                self.snapshot.hide(layer)
        self._is_new = False
        for layer in panes:
            set_visible(layer, True)
            layer.name_overlay.visible = True
        self._arrange(stage, panes)
        others = [layer for layer in stage.viewer.layers if layer.visible and not is_result(layer)]
        rows = len(stage.pairs) + -(-len(others) // 2)
        grid = stage.viewer.canvas.grid
        wanted = {
            "stride": 1 + len(self._copies),
            "shape": (max(rows, 1), 2),
            "spacing": SPACING,
        }
        for name, value in wanted.items():
            if getattr(grid, name) != value:
                setattr(grid, name, value)
        if not grid.enabled:
            grid.enabled = True

    def leave(self) -> None:
        """Take the copies away and put the view back."""
        stage = self._stage
        if stage is not None:
            self._drop(stage, list(self._copies))
        self._stage = None
        super().leave()

    def _arrange(self, stage: Stage, panes: list[Image]) -> None:
        """Have each result followed by the copies that are shown over it."""
        layers = stage.viewer.layers
        gone = [layer for layer in self._copies if layer not in layers]
        lost = any(copy not in layers for copies in self._copies.values() for copy in copies)
        if panes != self._panes or lost:
            gone = list(self._copies)
            again = [layer for layer in gone if layer in layers]
        else:
            again = []
        self._drop(stage, gone)
        self._copies.update((layer, []) for layer in again)
        self._panes = panes
        missing = [layer for layer, copies in self._copies.items() if not copies]
        if not missing or not panes:
            return
        with undisturbed(stage.viewer):
            for layer in missing:
                self._copies[layer] = [_copy(layer, pane) for pane in panes]
                for copy in self._copies[layer]:
                    stage.viewer.add_layer(copy)
                link_layers(self._copies[layer], LINKED)
            order = [
                each
                for place, pane in enumerate(panes)
                for each in (pane, *(copies[place] for copies in self._copies.values()))
            ]
            for place, each in enumerate(order):  # boxes are counted off from the first layer
                if layers.index(each) != place:
                    layers.move(layers.index(each), place)

    def _drop(self, stage: Stage, segmentations: list[Labels]) -> None:
        """Take the copies of segmentations away; results lie over the images again."""
        layers = stage.viewer.layers
        copies = [copy for layer in segmentations for copy in self._copies.pop(layer)]
        if not copies:
            return
        unlink_layers(copies)
        with undisturbed(stage.viewer):
            for copy in copies:
                if copy in layers:
                    layers.remove(copy)
            for layer in self._panes if not self._copies else ():
                if layer in layers:
                    lay_over_images(stage.viewer, layer)


def _copy(layer: Labels, pane: Image) -> Labels:
    """Return a layer with the voxels of a segmentation, to be shown over a result."""
    side = "bicubic" if pane.name.startswith("bicubic") else "super-resolved"
    return Labels(
        layer.data,
        name=f"{layer.name} over {side}",
        scale=layer.scale,
        translate=layer.translate,
        rotate=layer.rotate,
        shear=layer.shear,
        affine=layer.affine,
        units=layer.units,
        axis_labels=layer.axis_labels,
        opacity=layer.opacity,
        colormap=layer.colormap,
        metadata={ROLE: True},
    )
