"""Keys of the plugin: shortcuts of napari, which its preferences list and change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from napari.utils.interactions import Shortcut

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "napari-metasr:"
ESCAPE_SIGN = "⎋"


@dataclass(frozen=True)
class KeyAction:
    """Something that a key does.

    Attributes
    ----------
    name
        Under which napari's preferences keep it.
    key
        The key, until the user takes another one.
    description
        In words, for lists of keys.
    run
        Called with the viewer; a generator function goes on when the key is released.
    is_repeated
        Whether holding the key does it again and again.
    """

    name: str
    key: str
    description: str
    run: Callable[[ViewerModel], Any]
    is_repeated: bool = False

    @property
    def keys(self) -> list[str]:
        """The keys that it has: the user's, else its own."""
        found = get_settings().shortcuts.shortcuts.get(PREFIX + self.name)
        return [self.key] if found is None else [str(key) for key in found]

    @property
    def line(self) -> tuple[str, str]:
        """The keys as the platform writes them, and what they do."""
        keys = " or ".join(Shortcut(key).platform for key in self.keys)
        return keys.replace(ESCAPE_SIGN, "Esc"), self.description


_known: dict[str, KeyAction] = {}


def known_actions() -> tuple[KeyAction, ...]:
    """Return what keys do, as far as that is known to napari by now."""
    return tuple(_known.values())


@cache
def register(action: KeyAction) -> None:
    """Make an action known to napari, once; keys that the user has changed stay changed."""
    _known[action.name] = action
    name, text = PREFIX + action.name, f"Meta-SR: {action.description}"
    action_manager.register_action(
        name, action.run, text, ViewerModel, repeatable=action.is_repeated
    )
    for key in action.keys:
        action_manager.bind_shortcut(name, key)
