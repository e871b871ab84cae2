"""Connections to the events of a viewer and its layers, undone all at once."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Subscriptions:
    """Callbacks that are connected until `close`.

    Parameters
    ----------
    pairs
        Emitters of napari events, each with its callback.
    """

    def __init__(self, pairs: Iterable[tuple[Any, Callable[..., Any]]] = ()) -> None:
        self._pairs: list[tuple[Any, Callable[..., Any]]] = []
        for emitter, callback in pairs:
            self.add(emitter, callback)

    def add(self, emitter: Any, callback: Callable[..., Any]) -> None:
        """Connect a callback."""
        emitter.connect(callback)
        self._pairs.append((emitter, callback))

    def close(self) -> None:
        """Disconnect all callbacks; safe to call twice."""
        for emitter, callback in self._pairs:
            with suppress(ValueError):  # the emitter was cleared meanwhile
                emitter.disconnect(callback)
        self._pairs.clear()
