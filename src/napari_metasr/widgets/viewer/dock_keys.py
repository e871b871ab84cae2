"""The plugin's keys work wherever the focus is in its docks, though lists take letters."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QTextEdit, QWidget

from napari_metasr.widgets.viewer.key_sheet import SHEET_KEY, show_keys
from napari_metasr.widgets.viewer.shortcuts import known_actions

if TYPE_CHECKING:
    from qtpy.QtWidgets import QMainWindow

KEY_EVENTS = {QEvent.Type.KeyPress, QEvent.Type.KeyRelease}
COMMANDS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
"""A key with one of these is a command of the window's or the system's, and none of a dock's."""
TYPED_INTO = (QLineEdit, QAbstractSpinBox, QTextEdit)
ESCAPE = "ESCAPE"


class DockKeys(QObject):
    """Hands the plugin's keys from a dock's controls to napari's window, which acts on them.

    A list would look for an entry with that letter, and a dock that floats is no part of the
    window. What text is typed into keeps its keys.

    Parameters
    ----------
    dock
        The dock, whose child this is.
    window
        napari's window.
    """

    def __init__(self, dock: QWidget, window: QMainWindow) -> None:
        super().__init__(dock)
        self._window = weakref.ref(window)
        for control in (dock, *dock.findChildren(QWidget)):
            if not isinstance(control, TYPED_INTO):
                control.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hand a key on."""
        if event is None or event.type() not in KEY_EVENTS or not isinstance(event, QKeyEvent):
            return False
        if isinstance(QApplication.focusWidget(), TYPED_INTO) or event.modifiers() & COMMANDS:
            return False
        key = ESCAPE if event.key() == Qt.Key.Key_Escape else event.text().upper()
        if not any(key in map(str.upper, action.keys) for action in known_actions()):
            return False
        window = self._window()
        return window is not None and QApplication.sendEvent(window, event)


class SheetShortcut(QShortcut):
    """The key of the list of keys, everywhere in a window.

    Parameters
    ----------
    window
        The window, whose child this is.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(QKeySequence(SHEET_KEY), window)
        self.activated.connect(self._show)

    def _show(self) -> None:
        window = self.parent()
        if isinstance(window, QWidget):
            show_keys(window)


def listen_for_sheet(window: QMainWindow) -> None:
    """Have the key of the list of keys work everywhere in a window, from now on."""
    if not window.findChildren(SheetShortcut):
        SheetShortcut(window)
