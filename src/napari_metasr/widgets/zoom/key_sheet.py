"""The window that lists all keys."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from napari_metasr.widgets.zoom.shortcuts import sheet

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


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
