"""Texts in every view box of a canvas, drawn at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from napari.components.overlays import TextOverlay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel

OUTLINE = "#000000"
"""Round each text, so that it is read on a white canvas and on bright tissue too."""


class BoxTexts(TextOverlay):
    """Texts that lie in the view boxes of a canvas.

    napari would draw a text for each of them, and compile shaders for each, again whenever the
    boxes change: these are drawn at once, whatever boxes there are.

    Attributes
    ----------
    text_color
        Of all texts.
    outline
        Pixels that the outline is wide.
    """

    text_color: str = "#ffffff"
    outline: float = 1.5

    def texts(self, viewer: ViewerModel) -> Iterator[tuple[str, float, float]]:
        """Yield each text and x and y of its anchor on the canvas, in pixels."""
        raise NotImplementedError


with suppress(ImportError):  # without napari's drawing code there is nothing to draw on
    from napari._vispy.overlays.text import VispyTextOverlay

    class VispyBoxTexts(VispyTextOverlay):
        """Draws all texts and their outlines by one visual, placed before each drawing."""

        anchors: ClassVar[tuple[str, str]] = ("left", "bottom")

        def __init__(self, **options: Any) -> None:
            self._placed: list[tuple[str, float, float]] | None = None
            super().__init__(**options)
            self._drawing = self.node.canvas.events.draw
            self._drawing.connect(self._place, position="first")

        @property
        def is_ready(self) -> bool:
            """Whether the texts can be drawn."""
            return True

        def _connect_events(self) -> None:
            pass  # placed anew before each drawing, whatever has changed

        def _on_text_change(self) -> None:
            self.node.anchors = self.anchors
            self.node.font_size = self.overlay.font_size
            self._placed = None
            self.node.update()

        def _on_position_change(self, event: Any = None) -> None:
            pass  # not one of the texts that napari tiles

        def _on_box_change(self) -> None:
            pass

        def _on_color_change(self) -> None:
            pass

        def _place(self, event: Any = None) -> None:
            if not self.node.visible or not self.is_ready:
                return
            placed = list(self.overlay.texts(self.viewer))
            if placed == self._placed:
                return
            self._placed = placed
            color, width = self.overlay.text_color, self.overlay.outline
            rings = sorted({min(1.0, width), width})
            around = [
                (dx, dy)
                for ring in rings
                for dx in (-ring, 0, ring)
                for dy in (-ring, 0, ring)
                if dx or dy
            ]
            drawn = [
                (text, (x + dx, y + dy), OUTLINE) for text, x, y in placed for dx, dy in around
            ]
            drawn += [(text, (x, y), color) for text, x, y in placed]
            texts, places, colors = zip(*drawn, strict=True) if drawn else ([], [(0, 0)], color)
            self.node.text = list(texts)
            self.node.pos = list(places)
            self.node.color = list(colors) if drawn else color

        def close(self) -> None:
            """Draw nothing more."""
            self._drawing.disconnect(self._place)
            super().close()
