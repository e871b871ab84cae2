"""The viewer itself: each plugin widget is handed a stand-in of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.components import ViewerModel


def real_viewer(viewer: ViewerModel) -> ViewerModel:
    """What all stand-ins of a viewer stand for, so that docks can share what belongs to it."""
    real: ViewerModel = getattr(viewer, "__wrapped__", viewer)
    return real
