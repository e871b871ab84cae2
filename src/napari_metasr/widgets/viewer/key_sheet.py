"""All keys, and the window that lists them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from napari_metasr.widgets.viewer.shortcuts import known_actions

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

SHEET_KEY = "?"
"""napari's shortcuts know no question mark: the window listens for it itself."""

OTHERS = {
    SHEET_KEY: "Show these keys",
    "Wheel (loupe)": "Magnify more or less",
    "Drag (planes)": "Move the cross-hair; with the right button, the view",
    "Wheel (planes)": "Magnify all planes; with Ctrl, go through the slices of one",
    "Shift + drag": "Contrast: right widens the intensity window, up raises its level",
    "Drag the yellow line": "Move the swipe line",
    "Ctrl + Z": "Undo the last change of a box or rectangle (its layer selected)",
    "0 1 2 3 4, S A U N": "Grades and flags (dock “Rate images (MOS)”)",
    "← → Enter": "The image before, the next one (dock “Rate images (MOS)”)",
}


def sheet() -> list[tuple[str, str]]:
    """Return what there is to press and what it does, in order."""
    return [*(action.line for action in known_actions()), *OTHERS.items()]


def show_keys(parent: QWidget) -> None:
    """List all keys in a window of their own, which any key closes."""
    lines = "".join(
        f"<tr><td><b>{escape(key)}</b>&nbsp;&nbsp;</td><td>{escape(text)}</td></tr>"
        for key, text in sheet()
    )
    box = QMessageBox(parent)
    box.setObjectName("metasr_keys")
    box.setWindowTitle("Keys of Meta-SR")
    box.setText(f"<table>{lines}</table>")
    box.setInformativeText("Change them in Preferences > Shortcuts.")
    box.setModal(False)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.show()
