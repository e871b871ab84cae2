"""Keys of the zoom dock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from napari_metasr.widgets.loupe.shortcuts import register_loupe
from napari_metasr.widgets.viewer.open_docks import open_docks
from napari_metasr.widgets.viewer.shortcuts import KeyAction, register

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from qtpy.QtWidgets import QPushButton

    from napari_metasr.widgets.zoom.scale_control import ScaleControl

DOCK = "metasr_zoom_dock"
STEP = 1.1


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


def _action(name: str, act: Callable[[Keyed], None], key: str, description: str) -> KeyAction:
    return KeyAction(name, key, description, _command(act, name), is_repeated=True)


ACTIONS = (
    _action("larger_scale", _finer, "]", "Larger scale"),
    _action("smaller_scale", _coarser, "[", "Smaller scale"),
    _action("next_comparison", _compare, "N", "Take the next way to compare"),
    _action("keep_result", _keep, "K", "Keep the super-resolved region as a layer"),
)


def register_shortcuts() -> None:
    """Make the keys known to napari; those that the user has changed stay changed."""
    for action in ACTIONS:
        register(action)
    register_loupe()
