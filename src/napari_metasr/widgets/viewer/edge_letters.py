"""The letters L R A P S I at the edges of every view box."""

from __future__ import annotations

import string
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_metasr.geometry.display import edge_letters
from napari_metasr.widgets.viewer.box_texts import BoxTexts
from napari_metasr.widgets.viewer.napari_versions import boxes_on_canvas, canvas_overlays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel

NAME = "metasr_letters"
"""Under which key the viewer's canvas holds the letters."""
COLOR = "#ffd54a"
FONT_SIZE = 14
INSET = 20.0
"""Pixels from an edge to the middle of a letter."""
ROOM_BELOW = 55.0
"""The same at the bottom edge, above the scale bar."""
BESIDE = 0.75
"""Share of a low view box's width at which the top letter stands, right of the name."""
LINE = 16.5
"""Pixels that a line of a layer's name takes."""
MOST_LINES = 3
"""Lines that a layer's name has at most, and that the top letter stands below by default."""
OWN_GLYPHS = frozenset("LRAPSIÅÉÑŐjgpqy ")
"""Those of the letters, and those that vispy measures every text's height by."""
NAME_GLYPHS = OWN_GLYPHS.union(
    "bicubic research use super-resolved (Meta-SRGAN) lesion 0123456789×.·…"
)
"""What the names of results are written in."""
OTHER_GLYPHS = frozenset(string.ascii_letters + "±,:[]−“”")
GLYPHS_SECONDS = 0.008
"""How long glyphs are drawn at a time: each takes about as long, a text many times that."""


class LettersOverlay(BoxTexts):
    """Letters at the four edges of each view box of a canvas.

    Attributes
    ----------
    letters
        One for each of ``top``, ``bottom``, ``left`` and ``right``.
    lines
        How many lines of a name the letters keep clear of.
    is_preparing
        Whether the glyphs of names are still being drawn, a few in each turn of the event loop.
    """

    letters: dict[str, str] = {}  # noqa: RUF012
    lines: int = MOST_LINES
    is_preparing: bool = False

    def texts(self, viewer: ViewerModel) -> Iterator[tuple[str, float, float]]:
        """Yield each letter and x and y of its middle, in pixels."""
        for top, left, height, width in boxes_on_canvas(viewer):
            for letter, x, y in self.places(height, width):
                yield letter, left + x, top + y

    def places(self, height: float, width: float) -> Iterator[tuple[str, float, float]]:
        """Yield each letter and x and y of its middle in a view box, in pixels.

        That of the top edge stands below the name, or beside it in a box too low for that; those
        at the sides stand half way down, and never on the name.
        """
        under_name = INSET + self.lines * LINE
        middle = max(height / 2, under_name)
        if under_name < height / 2 - INSET:
            top = width / 2, under_name
        else:
            top = BESIDE * width, INSET
        edges = {
            "top": top,
            "bottom": (width / 2, height - ROOM_BELOW),
            "left": (INSET, middle),
            "right": (width - INSET, middle),
        }
        for side, letter in self.letters.items():
            yield letter, *edges[side]


with suppress(ImportError):  # without napari's drawing code there is nothing to draw on
    from napari._vispy.utils.visual import overlay_to_visual

    from napari_metasr.widgets.viewer.box_texts import VispyBoxTexts

    class _VispyLetters(VispyBoxTexts):
        """Draws the letters once their glyphs are there, and has those of names made, too."""

        anchors = ("center", "center")

        def __init__(self, **options: Any) -> None:
            self._due = list(dict.fromkeys((*OWN_GLYPHS, *NAME_GLYPHS, *OTHER_GLYPHS)))
            super().__init__(**options)
            self._timer = QTimer()
            self._timer.timeout.connect(self._prepare)
            self._timer.start(0)
            self.overlay.is_preparing = True

        @property
        def is_ready(self) -> bool:
            return OWN_GLYPHS.isdisjoint(self._due)

        def _prepare(self) -> None:
            """Have the font draw glyphs, which every text on the canvas shares."""
            end = time.perf_counter() + GLYPHS_SECONDS
            while self._due and time.perf_counter() < end:
                self.node._font[self._due.pop(0)]
            if self.is_ready:
                self.node.update()
            if NAME_GLYPHS.isdisjoint(self._due):
                self.overlay.is_preparing = False
            if not self._due:
                self._timer.stop()

        def close(self) -> None:
            self._timer.stop()
            super().close()

    overlay_to_visual[LettersOverlay] = _VispyLetters


class EdgeLetters:
    """The letters of a viewer's canvas."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._overlays = canvas_overlays(viewer)
        self._overlay = LettersOverlay(
            position=None, box=False, font_size=FONT_SIZE, text_color=COLOR
        )
        self._overlays[NAME] = self._overlay

    @property
    def is_preparing(self) -> bool:
        """Whether glyphs are still being drawn."""
        return self._overlay.is_preparing

    def show(self, row_axis: int, column_axis: int, orientation2d: tuple[str, str]) -> None:
        """Show the letters of a plane.

        Parameters
        ----------
        row_axis, column_axis
            The canonical (z, y, x) axes that run vertically and horizontally.
        orientation2d
            Where they point to on the screen.
        """
        self._overlay.letters = edge_letters(row_axis, column_axis, orientation2d)
        self._overlay.visible = True

    def keep_below(self, lines: int) -> None:
        """Have the letter of the top edge keep below a name of so many lines."""
        self._overlay.lines = lines

    def hide(self) -> None:
        """Show no letters."""
        self._overlay.visible = False

    def close(self) -> None:
        """Take the letters off the canvas."""
        del self._overlays[NAME]
