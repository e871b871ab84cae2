"""What belongs to a viewer and is shared by its docks, as long as the viewer lives."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

T = TypeVar("T")

_shared: weakref.WeakKeyDictionary[ViewerModel, dict[type, Any]] = weakref.WeakKeyDictionary()
"""The plugin's one registry; what it holds refers to its viewer weakly."""


def real_viewer(viewer: ViewerModel) -> ViewerModel:
    """Return the viewer itself: each plugin widget is handed a stand-in of its own."""
    real: ViewerModel = getattr(viewer, "__wrapped__", viewer)
    return real


def shared(viewer: ViewerModel, kind: type[T], make: Callable[[], T]) -> T:
    """Return the viewer's one object of a kind, making it if there is none."""
    held = _shared.setdefault(real_viewer(viewer), {})
    if kind not in held:
        held[kind] = make()
    found: T = held[kind]
    return found


def drop(viewer: ViewerModel, kind: type) -> bool:
    """Forget the viewer's object of a kind; whether there was one."""
    return _shared.get(real_viewer(viewer), {}).pop(kind, None) is not None
