"""The letters L R A P S I at the edges of every view box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.components.overlays import TextOverlay

from napari_metasr.geometry.display import edge_letters
from napari_metasr.widgets.viewer.napari_versions import (
    ABOVE_TOP,
    MIDDLE_LEFT,
    MIDDLE_RIGHT,
    canvas_overlays,
)

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


def overlay_name(side: str) -> str:
    """Under which name the viewer's canvas holds the letter of a side."""
    return f"metasr_letter_{side}"


class EdgeLetters:
    """Four text overlays on a viewer's canvas, repeated in every box of a grid.

    Top and bottom keep a line free at the very edge, for the names of layers; where letters of the
    sides take the top line themselves, the top's stands between them.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._letters = canvas_overlays(viewer)
        for side, position in POSITIONS.items():
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
            overlay = self._letters[overlay_name(side)]
            overlay.text = {"top": f"{ABOVE_TOP}{letter}", "bottom": f"{letter}\n "}.get(
                side, letter
            )
            overlay.visible = True

    def hide(self) -> None:
        """Show no letters."""
        for side in POSITIONS:
            self._letters[overlay_name(side)].visible = False

    def close(self) -> None:
        """Take the overlays off the canvas."""
        for side in POSITIONS:
            del self._letters[overlay_name(side)]
