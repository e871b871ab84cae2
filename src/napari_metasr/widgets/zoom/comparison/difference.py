"""What the network adds: super-resolved minus bicubic, in the source's intensity units."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari.layers import Image

from napari_metasr.widgets.viewer.result_layers import LABEL_SIZE, ROLE, place_like, undisturbed
from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible
from napari_metasr.widgets.zoom.region_border import copy_border

if TYPE_CHECKING:
    from napari_metasr.widgets.viewer.result_layers import ResultPair
    from napari_metasr.widgets.zoom.comparison.base import Stage

COLORMAP = "PiYG"
SHARE_OF_WINDOW = 10


class Difference(Mode):
    """Adds a layer with the difference; its limits are a tenth of the source's window each way."""

    title: ClassVar[str] = "Difference map"

    def __init__(self) -> None:
        super().__init__()
        self._layer: Image | None = None
        self._stage: Stage | None = None

    def update(self, stage: Stage) -> None:
        """Show the difference of what the two results show."""
        self._stage = stage
        self.single_box(stage)
        for pair in stage.pairs:
            for layer in pair.layers:
                set_visible(layer, False)
        if stage.pairs:
            self._show(stage, stage.pairs[0])

    def _show(self, stage: Stage, pair: ResultPair) -> None:
        bicubic, enhanced = pair.layers
        if bicubic.data.shape != enhanced.data.shape:
            return
        data = enhanced.data - bicubic.data
        low, high = enhanced.contrast_limits
        limit = (high - low) / SHARE_OF_WINDOW
        name = f"difference to bicubic · {enhanced.name}"
        if self._layer is None or self._layer not in stage.viewer.layers:
            self._layer = Image(
                data,
                name=name,
                colormap=COLORMAP,
                contrast_limits=(-limit, limit),
                units=enhanced.units,
                axis_labels=enhanced.axis_labels,
                interpolation2d="nearest",
                metadata={ROLE: True},
                scale=enhanced.scale,
                translate=enhanced.translate,
            )
            self._layer.name_overlay.visible = True
            self._layer.name_overlay.font_size = LABEL_SIZE
            self._layer.colorbar.visible = True
            with undisturbed(stage.viewer):
                stage.viewer.add_layer(self._layer)
        layer = self._layer
        place_like(stage.viewer, layer, enhanced, data)
        copy_border(layer, enhanced)
        layer.contrast_limits = (-limit, limit)
        if layer.name != name:
            layer.name = name

    def leave(self) -> None:
        """Take the layer away and put the view back."""
        stage, layer = self._stage, self._layer
        self._stage = self._layer = None
        if stage is not None and layer is not None and layer in stage.viewer.layers:
            with undisturbed(stage.viewer):
                stage.viewer.layers.remove(layer)
        super().leave()
