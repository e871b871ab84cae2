"""The loupe's key: shown while it is held; a tap lets it stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_metasr.widgets.loupe.loupe import loupe_of
from napari_metasr.widgets.viewer.shortcuts import KeyAction, register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel

HELD_MS = 400
PREPARING_MS = 1000


def _hold(viewer: ViewerModel) -> Iterator[None]:
    loupe = loupe_of(viewer)
    if loupe is None:
        return
    was_open, pressed = loupe.is_open, QTimer()  # a clock would count a busy window's pauses
    pressed.setSingleShot(True)
    pressed.start(HELD_MS)
    loupe.open()
    yield
    if was_open or not pressed.isActive():
        loupe.close()


LOUPE = KeyAction("loupe", "G", "Loupe at the mouse: hold it, or tap it to let it stay", _hold)


def _close(viewer: ViewerModel) -> None:
    loupe = loupe_of(viewer)
    if loupe is not None:
        loupe.close()


CLOSING = KeyAction("close_loupe", "Escape", "Close the loupe", _close)


def register_loupe() -> None:
    """Make the loupe's keys known to napari; those that the user has changed stay changed."""
    for action in (LOUPE, CLOSING):
        register(action)


def prepare_loupe(viewer: ViewerModel) -> None:
    """Have a viewer's loupe load its network soon, when what has been opened is drawn."""
    loupe = loupe_of(viewer)
    if loupe is not None:
        QTimer.singleShot(PREPARING_MS, loupe.prepare)


def toggle_loupe(viewer: ViewerModel) -> None:
    """Open or close a viewer's loupe, and make its key known: a command of menus."""
    register_loupe()
    loupe = loupe_of(viewer)
    if loupe is not None:
        loupe.toggle()
