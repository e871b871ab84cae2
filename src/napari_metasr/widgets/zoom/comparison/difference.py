"""Signed images over the anatomy, in colours: first of all what the network adds to bicubic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from napari.utils.colormaps import Colormap, ensure_colormap

from napari_metasr.normalisation import difference_limit
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.edge_letters import MOST_LINES
from napari_metasr.widgets.viewer.result_layers import (
    PURPOSE,
    ROLE,
    ResultImage,
    lay_over_images,
    place_like,
    undisturbed,
)
from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible
from napari_metasr.widgets.zoom.region_border import copy_border
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_metasr.widgets.viewer.result_layers import ResultPair
    from napari_metasr.widgets.zoom.comparison.base import Stage

FAINT, CLEAR = 0.1, 0.5
"""Shares of the limit up to which a difference is transparent, and from which it is opaque."""
COLOUR_BAR = 100.0
"""Pixels at the right of the view that the colour bar takes."""


def overlay_colormap() -> Colormap:
    """Return pink below zero, green above, and transparent at zero."""
    base = ensure_colormap("PiYG")
    places = np.linspace(0, 1, 255)
    colors = base.map(places)
    size = np.abs(2 * places - 1)
    colors[:, 3] = np.clip((size - FAINT) / (CLEAR - FAINT), 0, 1)
    return Colormap(colors, name="signed, over anatomy")


class SignedOverlay(Mode):
    """Lays a signed image of the results over bicubic, in colours, with its limits in the name."""

    def __init__(self) -> None:
        super().__init__()
        self._layer: ResultImage | None = None
        self._stage: Stage | None = None

    def signed(self, pair: ResultPair) -> tuple[NDArray[Any], float, str] | None:
        """Return the image, as large as the results, its limit, and its name; None without one."""
        raise NotImplementedError

    def update(self, stage: Stage) -> None:
        """Show the signed image of what the two results show."""
        self._stage = stage
        self.single_box(stage)
        for number, pair in enumerate(stage.pairs):
            set_visible(pair.bicubic, number == 0)
            set_visible(pair.enhanced, False)
            pair.bicubic.name_overlay.visible = False
        if stage.pairs:
            self._show(stage, stage.pairs[0])

    def _show(self, stage: Stage, pair: ResultPair) -> None:
        enhanced = pair.enhanced
        found = self.signed(pair)
        if found is None:
            if self._layer is not None:
                set_visible(self._layer, False)
            stage.box_names.hide()
            return
        data, limit, name = found
        if self._layer is None or self._layer not in stage.viewer.layers:
            self._layer = ResultImage(
                data,
                steps=pair.source.placement[0],
                name=name,
                colormap=overlay_colormap(),
                blending="translucent_no_depth",
                contrast_limits=(-limit, limit),
                units=enhanced.units,
                axis_labels=enhanced.axis_labels,
                interpolation2d="nearest",
                metadata={ROLE: pair.source.token},
                scale=enhanced.scale,
                translate=enhanced.translate,
            )
            self._layer.colorbar.visible = True
            with undisturbed(stage.viewer):
                stage.viewer.add_layer(self._layer)
                lay_over_images(stage.viewer, self._layer)
        layer = self._layer
        place_like(stage.viewer, layer, enhanced, data)
        set_visible(layer, True)
        copy_border(layer, enhanced)
        layer.contrast_limits = (-limit, limit)
        if layer.name != name:
            layer.name = name
        anatomical_view(stage.viewer).keep_below(stage.box_names.show(free=COLOUR_BAR))

    def leave(self) -> None:
        """Hide the layer, to be taken away later, and put the view back."""
        stage, layer = self._stage, self._layer
        self._stage = self._layer = None
        if stage is not None:
            stage.box_names.hide()
            anatomical_view(stage.viewer).keep_below(MOST_LINES)
        if stage is not None and layer is not None:
            set_visible(layer, False)
            stage.spent.append(layer)
        super().leave()


class Difference(SignedOverlay):
    """What the network adds to bicubic; its limits are a tenth of the source's window each way."""

    compare: ClassVar[Compare] = Compare.DIFFERENCE

    def signed(self, pair: ResultPair) -> tuple[NDArray[Any], float, str] | None:
        """Return super-resolved minus bicubic, in intensity units."""
        bicubic, enhanced = pair.layers
        if bicubic.data.shape != enhanced.data.shape:
            return None
        limit = limit_of(enhanced)
        unit = f"±{limit:.3g} intensity units"
        name = f"{PURPOSE} · super-resolved minus bicubic, {unit} · {pair.source.name}"
        return enhanced.data - bicubic.data, limit, name


def limit_of(layer: Image) -> float:
    """Return a tenth of a layer's intensity window."""
    return difference_limit(layer.contrast_limits)
