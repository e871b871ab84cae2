"""A line round the super-resolved part of a result layer, in every view box that shows it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from napari.components.overlays import SelectionBoxOverlay

from napari_metasr.widgets.viewer.napari_versions import layer_overlays

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView

COLOR = "#4ad8ff"
NAME = "metasr_border"


class BorderOverlay(SelectionBoxOverlay):
    """A box without handles. napari draws an overlay of a layer wherever the layer is drawn."""


with suppress(ImportError):  # without napari's drawing code the line has napari's own colour
    from napari._vispy.overlays.interaction_box import VispySelectionBoxOverlay
    from napari._vispy.utils.visual import overlay_to_visual
    from napari.utils.color import ColorValue

    class _VispyBorder(VispySelectionBoxOverlay):
        """Draws the box in our colour."""

        def reset(self) -> None:
            self.node._edge_color = ColorValue(COLOR)
            super().reset()

    overlay_to_visual[BorderOverlay] = _VispyBorder


def show_border(layer: Image, source: LayerSource, view: SliceView, window: Window | None) -> None:
    """Draw the line round a window of the slice that the layer shows; None takes it away.

    Parameters
    ----------
    window
        Low-resolution edges (top, left, bottom, right) of the source's slice.
    """
    if window is None:
        if NAME in layer_overlays(layer):
            layer_overlays(layer)[NAME].visible = False
        return
    top, left, bottom, right = window
    corners = [
        layer.world_to_data(source.placed(view, (1.0, 1.0), view.world(corner))[1])
        for corner in ((top, left), (bottom, right))
    ]
    first, last = (
        view.on_screen((corner[view.axes[0]], corner[view.axes[1]])) for corner in corners
    )
    _set(layer, (first, last), visible=True)


def drop_border(layer: Image) -> None:
    """Forget the line. napari clips an overlay to the view box that it was first drawn in."""
    layer_overlays(layer).pop(NAME, None)


def copy_border(layer: Image, other: Image) -> None:
    """Draw the line where another layer with the same pixels has it."""
    shown = layer_overlays(other).get(NAME)
    if shown is not None:
        _set(layer, shown.bounds, visible=shown.visible)


def _set(
    layer: Image, bounds: tuple[tuple[float, float], tuple[float, float]], *, visible: bool
) -> None:
    if NAME not in layer_overlays(layer):
        layer_overlays(layer)[NAME] = BorderOverlay(visible=False)
    overlay = layer_overlays(layer)[NAME]
    overlay.bounds, overlay.visible = bounds, visible
