"""Marks over a result layer, where it may be wrong, in every view box that shows it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components.overlays import SceneOverlay

from napari_metasr.normalisation import cast_to_dtype
from napari_metasr.trust.marks import COLOURS, drawn
from napari_metasr.widgets.viewer.napari_versions import layer_overlays

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import PixelRange
    from napari_metasr.widgets.viewer.layer_source import SliceView

NAME = "metasr_marks"


class MarksOverlay(SceneOverlay):
    """An image in colours over a layer, as large as the layer's own.

    napari draws an overlay of a layer wherever the layer is drawn: side by side, swiped, blinking.
    """

    picture: Any = None


with suppress(ImportError):  # without napari's drawing code there is nothing to draw on
    from napari._vispy.overlays.base import LayerOverlayMixin, VispySceneOverlay
    from napari._vispy.utils.visual import overlay_to_visual
    from vispy.scene import Image as VispyImage
    from vispy.scene import Node
    from vispy.visuals.transforms import STTransform

    class _Picture(Node):
        """An image that begins half a pixel before the centre of its first pixel."""

        def __init__(self) -> None:
            super().__init__()
            self.image = VispyImage(np.zeros((1, 1, 4), np.uint8), parent=self)
            self.image.transform = STTransform(translate=(-0.5, -0.5))

        def _set_clipper(self, node: Any, clipper: Any) -> None:
            """Clip the image to the view box; vispy clips only what is a visual itself."""
            self.image._set_clipper(node, clipper)
            self._clippers.pop(node, None)
            if clipper is not None:
                self._clippers[node] = clipper

        def set_gl_state(self, *arguments: Any, **options: Any) -> None:
            self.image.set_gl_state(*arguments, **options)

    class _VispyMarks(LayerOverlayMixin, VispySceneOverlay):
        """Draws the picture."""

        def __init__(self, **options: Any) -> None:
            super().__init__(node=_Picture(), **options)
            self.overlay.events.picture.connect(self._on_picture_change)
            self.reset()

        def _on_picture_change(self) -> None:
            if self.overlay.picture is not None:
                self.node.image.set_data(self.overlay.picture)
                self.node.image.update()

        def reset(self) -> None:
            super().reset()
            self._on_picture_change()

    overlay_to_visual[MarksOverlay] = _VispyMarks


def show_marks(
    layer: Image, view: SliceView, marked: NDArray[np.bool_] | None, pixels: PixelRange
) -> None:
    """Draw marks over a layer that shows a range of output pixels; None takes them away."""
    if marked is None:
        if NAME in layer_overlays(layer):
            layer_overlays(layer)[NAME].visible = False
        return
    if NAME not in layer_overlays(layer):
        layer_overlays(layer)[NAME] = MarksOverlay(visible=False)
    kinds = drawn(marked, pixels[:2])
    palette = cast_to_dtype(255 * np.array(COLOURS), np.uint8)
    overlay = layer_overlays(layer)[NAME]
    overlay.picture = palette[kinds.T if view.transposed else kinds]
    overlay.visible = True


def drop_marks(layer: Image) -> None:
    """Forget the marks. napari clips an overlay to the view box that it was first drawn in."""
    layer_overlays(layer).pop(NAME, None)
