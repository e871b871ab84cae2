"""Keys of the zoom dock, and the sheet of all keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_metasr.widgets.loupe.shortcuts import LOUPE
from napari_metasr.widgets.viewer.open_docks import open_docks
from napari_metasr.widgets.viewer.shortcuts import KeyAction, register

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from qtpy.QtWidgets import QPushButton

    from napari_metasr.widgets.zoom.scale_control import ScaleControl

DOCK = "metasr_zoom_dock"
STEP = 1.1
SHEET_KEY = "?"
"""napari's shortcuts know no question mark: the dock listens for it itself."""


class Keyed(Protocol):
    """What the keys act on: the zoom dock."""

    scale: ScaleControl
    keep: QPushButton

    def next_comparison(self) -> None:
        """Take the next comparison mode."""


def _finer(dock: Keyed) -> None:
    dock.scale.multiply(STEP)


def _coarser(dock: Keyed) -> None:
    dock.scale.multiply(1 / STEP)


def _compare(dock: Keyed) -> None:
    dock.next_comparison()


def _keep(dock: Keyed) -> None:
    dock.keep.click()


def _command(act: Callable[[Keyed], None], name: str) -> Callable[[ViewerModel], None]:
    def command(viewer: ViewerModel) -> None:
        dock = open_docks(viewer).get(DOCK)
        if dock is not None:
            act(dock)  # type: ignore[arg-type]

    command.__name__ = f"metasr_{name}"
    return command


def _action(
    name: str, act: Callable[[Keyed], None], key: str, description: str
) -> tuple[KeyAction, Callable[[Keyed], None]]:
    return KeyAction(name, key, description, _command(act, name), is_repeated=True), act


ACTIONS = (
    _action("larger_scale", _finer, "]", "Larger scale"),
    _action("smaller_scale", _coarser, "[", "Smaller scale"),
    _action("next_comparison", _compare, "N", "Take the next way to compare"),
    _action("keep_result", _keep, "K", "Keep the super-resolved region as a layer"),
)
OTHERS = {
    SHEET_KEY: "Show these keys",
    "Wheel (loupe)": "Magnify more or less under the loupe",
    "Shift + drag": "Contrast: right widens the intensity window, up raises its level",
    "Drag the yellow line": "Move the swipe line",
    "Ctrl + Z": "Undo the last change of a box or rectangle (its layer selected)",
    "0 1 2 3 4, S A U N, ← →": "Grades, flags, images (dock “Rate images”)",
}


def register_shortcuts() -> None:
    """Make the keys known to napari; those that the user has changed stay changed."""
    for action in (*(action for action, _ in ACTIONS), LOUPE):
        register(action)


def sheet() -> list[tuple[str, str]]:
    """Return what there is to press and what it does, in order."""
    actions = [*(action for action, _ in ACTIONS), LOUPE]
    return [*(action.line for action in actions), *OTHERS.items()]


def action_of(key: str) -> Callable[[Keyed], None] | None:
    """Return what a typed character does to the dock, if anything."""
    for action, act in ACTIONS:
        if key.upper() in map(str.upper, action.keys):
            return act
    return None
