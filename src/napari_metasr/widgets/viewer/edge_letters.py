"""The letters L R A P S I at the edges of every view box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.components.overlays import TextOverlay

from napari_metasr.geometry.display import edge_letters
from napari_metasr.widgets.viewer.napari_versions import (
    LINES_ABOVE_TOP,
    MIDDLE_LEFT,
    MIDDLE_RIGHT,
    canvas_overlays,
)
from napari_metasr.widgets.viewer.result_layers import LABEL_SIZE

if TYPE_CHECKING:
    from napari.components import ViewerModel

POSITIONS = {
    "top": "top_center",
    "bottom": "bottom_center",
    "left": MIDDLE_LEFT,
    "right": MIDDLE_RIGHT,
}
COLOR = "#ffd54a"
FONT_SIZE = 14
SHADE = "#00000080"
"""Behind a letter, so that it is read on a white canvas and on bright tissue too."""


def _lines(count: int) -> str:
    return "\n".join("x" * count)


ROOM = {"bottom": ("x", FONT_SIZE)}
"""Unseen text, and its size, between the edge and a letter: for names, and the scale bar."""
if LINES_ABOVE_TOP:
    ROOM["top"] = (_lines(LINES_ABOVE_TOP), LABEL_SIZE)


def overlay_name(side: str) -> str:
    """Under which name the viewer's canvas holds the letter of a side."""
    return f"metasr_letter_{side}"


def room_name(side: str) -> str:
    """Under which name the viewer's canvas holds what keeps a letter off its edge."""
    return f"metasr_room_{side}"


class EdgeLetters:
    """Four text overlays on a viewer's canvas, repeated in every box of a grid.

    Those of top and bottom keep off the edge, for the names of layers and the scale bar; where
    letters of the sides take the top line themselves, the top's stands between them.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._letters = canvas_overlays(viewer)
        for side, position in POSITIONS.items():
            if side in ROOM:
                text, size = ROOM[side]
                self._letters[room_name(side)] = TextOverlay(
                    text=text,
                    position=position,
                    gridded=True,
                    font_size=size,
                    opacity=0,
                    box=False,
                    visible=False,
                )
            self._letters[overlay_name(side)] = TextOverlay(
                position=position,
                gridded=True,
                font_size=FONT_SIZE,
                color=COLOR,
                box_color=SHADE,
                visible=False,
            )

    def show(self, row_axis: int, column_axis: int, orientation2d: tuple[str, str]) -> None:
        """Show the letters of a plane.

        Parameters
        ----------
        row_axis, column_axis
            The canonical (z, y, x) axes that run vertically and horizontally.
        orientation2d
            Where they point to on the screen.
        """
        letters = edge_letters(row_axis, column_axis, orientation2d)
        for side, letter in letters.items():
            self._letters[overlay_name(side)].text = letter
        self._set_visible(True)

    def keep_below(self, lines: int) -> None:
        """Have the letter of the top edge keep below a name of so many lines."""
        if "top" in ROOM:
            self._letters[room_name("top")].text = _lines(lines)

    def hide(self) -> None:
        """Show no letters."""
        self._set_visible(False)

    def close(self) -> None:
        """Take the overlays off the canvas."""
        for name in self._names():
            del self._letters[name]

    def _set_visible(self, visible: bool) -> None:
        for name in self._names():
            self._letters[name].visible = visible

    def _names(self) -> list[str]:
        """Name all overlays; napari tiles them in the order in which they are first shown."""
        return [*map(room_name, ROOM), *map(overlay_name, POSITIONS)]
