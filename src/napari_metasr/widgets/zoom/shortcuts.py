"""Keys of the zoom dock: shortcuts of napari, which its preferences list and change."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from napari.utils.interactions import Shortcut

from napari_metasr.widgets.viewer.open_docks import open_docks

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_metasr.widgets.zoom.dock import ZoomDock

DOCK = "metasr_zoom_dock"
PREFIX = "napari-metasr:"
STEP = 1.1
SHEET_KEY = "?"
"""napari's shortcuts know no question mark: the dock listens for it itself."""


def _finer(dock: ZoomDock) -> None:
    dock.scale.multiply(STEP)


def _coarser(dock: ZoomDock) -> None:
    dock.scale.multiply(1 / STEP)


def _compare(dock: ZoomDock) -> None:
    dock.next_comparison()


def _keep(dock: ZoomDock) -> None:
    dock.keep.click()


ACTIONS: dict[str, tuple[Callable[[ZoomDock], None], str, str]] = {
    "larger_scale": (_finer, "]", "Larger scale"),
    "smaller_scale": (_coarser, "[", "Smaller scale"),
    "next_comparison": (_compare, "N", "Take the next way to compare"),
    "keep_result": (_keep, "K", "Keep the super-resolved region as a layer"),
}
OTHERS = {
    SHEET_KEY: "Show these keys",
    "Shift + drag": "Contrast: right widens the intensity window, up raises its level",
    "Drag the yellow line": "Move the swipe line",
    "Ctrl + Z": "Undo the last change of a box (boxes selected)",
    "0 1 2 3 4, S A U N, ← →": "Grades, flags, images (dock “Rate images”)",
}


@cache
def register_shortcuts() -> None:
    """Make the keys known to napari; those that the user has changed stay changed."""
    for name, (act, _, description) in ACTIONS.items():
        action = PREFIX + name
        action_manager.register_action(
            action, _command(act, name), f"Meta-SR: {description}", ViewerModel, repeatable=True
        )
        for key in _bound(name):
            action_manager.bind_shortcut(action, key)


def _command(act: Callable[[ZoomDock], None], name: str) -> Callable[[ViewerModel], None]:
    def command(viewer: ViewerModel) -> None:
        dock = open_docks(viewer).get(DOCK)
        if dock is not None:
            act(dock)  # type: ignore[arg-type]

    command.__name__ = f"metasr_{name}"
    return command


def _bound(name: str) -> list[str]:
    """Return the keys of an action: the user's, else its own."""
    found = get_settings().shortcuts.shortcuts.get(PREFIX + name)
    return [ACTIONS[name][1]] if found is None else [str(key) for key in found]


def sheet() -> list[tuple[str, str]]:
    """Return what there is to press and what it does, in order."""
    keys = [
        (" or ".join(Shortcut(key).platform for key in _bound(name)), text)
        for name, (_, _, text) in ACTIONS.items()
    ]
    return [*keys, *OTHERS.items()]


def action_of(key: str) -> Callable[[ZoomDock], None] | None:
    """Return what a typed character does, if anything."""
    for name, (act, _, _) in ACTIONS.items():
        if key.upper() in map(str.upper, _bound(name)):
            return act
    return None
