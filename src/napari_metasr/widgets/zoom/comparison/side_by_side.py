"""Bicubic left, super-resolved right, one row for each contrast; the cameras move together."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible

if TYPE_CHECKING:
    from napari_metasr.widgets.zoom.comparison.base import Stage

SPACING = 4


class SideBySide(Mode):
    """Uses napari's grid, where every visible layer has a view box: all others are hidden."""

    title: ClassVar[str] = "Side by side"
    all_contrasts: ClassVar[bool] = True

    def update(self, stage: Stage) -> None:
        """Give each result its box."""
        own = stage.own_layers
        for layer in stage.viewer.layers:
            if layer not in own and layer.visible and self.snapshot is not None:
                self.snapshot.hide(layer)
        for layer in own:
            set_visible(layer, True)
            layer.name_overlay.visible = True
        grid = stage.viewer.canvas.grid
        wanted = {"stride": 1, "shape": (max(len(stage.pairs), 1), 2), "spacing": SPACING}
        for name, value in wanted.items():
            if getattr(grid, name) != value:
                setattr(grid, name, value)
        if not grid.enabled:
            grid.enabled = True
