"""Networks that are loaded to zoom with, each once for all docks, the loupe and the planes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

TILE = 32
"""Small tiles, so that little more than the region is encoded."""
JOINT = 256
"""Rows and columns of what is encoded as one image."""
RISK = "risk of "
"""Before a model's name: its error head."""


def load_zoom_model(model: str, *, device: str) -> Any:
    """Load a model that encodes in small tiles; see `napari_metasr.load_model`."""
    from napari_metasr.zoom.encoded import Tiling
    from napari_metasr.zoom.loading import load_model

    return load_model(model, device=device, tiling=Tiling(tile=TILE, joint=JOINT // TILE))


def load_error_head(model: str, *, device: str) -> Any:
    """Load the error head of a model, for slices of which parts are shown."""
    from napari_metasr.trust.risk import load_risk_model
    from napari_metasr.zoom.encoded import Tiling

    return load_risk_model(model, device=device, tiling=Tiling(tile=TILE, joint=JOINT // TILE))


class _Slot:
    """Room for one loaded network."""

    network: Any = None


class ModelCache:
    """Loaded networks by name and device, shared by all caches that load them alike.

    Each is loaded once, in the thread that needs it first, and freed when the last cache that has
    asked for it lets go of it.

    Parameters
    ----------
    factory
        Called as ``factory(model, device=device)``; see `napari_metasr.load_model`.
    heads
        Called alike, for names that begin with `RISK`, with the name of the head's model.
    """

    _slots: ClassVar[WeakValueDictionary[tuple[Any, ...], _Slot]] = WeakValueDictionary()
    _lock: ClassVar = threading.Lock()

    def __init__(
        self, factory: Callable[..., Any], heads: Callable[..., Any] | None = None
    ) -> None:
        self._factory, self._heads = factory, heads
        self._used: dict[tuple[str, str], _Slot] = {}

    def get(self, model: str, device: str) -> Any:
        """Return the network, loading it if need be.

        Raises
        ------
        ValueError
            If there is no such model or device.
        """
        factory, name = self._loader(model)
        with self._lock:  # one at a time: threads that import the same packages confuse each other
            slot = self._slots.setdefault((factory, name, device), _Slot())
            if slot.network is None:
                slot.network = factory(name, device=device)
        self._used[model, device] = slot
        return slot.network

    def loaded(self, model: str, device: str) -> Any | None:
        """Return the network if it is loaded, by this cache or another one."""
        slot = self._used.get((model, device)) or self._slots.get((*self._loader(model), device))
        if slot is None or slot.network is None:
            return None
        self._used[model, device] = slot
        return slot.network

    def _loader(self, model: str) -> tuple[Callable[..., Any], str]:
        """Return what loads a network, and the name that it is given."""
        if self._heads is not None and model.startswith(RISK):
            return self._heads, model.removeprefix(RISK)
        return self._factory, model

    def clear(self) -> None:
        """Let go of all networks."""
        self._used = {}
