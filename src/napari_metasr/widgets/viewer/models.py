"""Networks that are loaded to zoom with, each once for all docks, the loupe and the planes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from napari_metasr.trust.risk import RiskModel
    from napari_metasr.zoom.engine import ZoomModel

Model = TypeVar("Model")
Loaded = TypeVar("Loaded")
Loaded_co = TypeVar("Loaded_co", covariant=True)

TILE = 32
"""Small tiles, so that little more than the region is encoded."""
JOINT = 256
"""Rows and columns of what is encoded as one image."""


class Loader(Protocol[Loaded_co]):
    """What loads a network, such as `napari_metasr.load_model`."""

    def __call__(self, model: str, *, device: str) -> Loaded_co:
        """Load a network by its name."""


def load_zoom_model(model: str, *, device: str) -> ZoomModel:
    """Load a model that encodes in small tiles; see `napari_metasr.load_model`."""
    from napari_metasr.zoom.encoded import Tiling
    from napari_metasr.zoom.loading import load_model

    return load_model(model, device=device, tiling=Tiling(tile=TILE, joint=JOINT // TILE))


def load_error_head(model: str, *, device: str) -> RiskModel:
    """Load the error head of a model, for slices of which parts are shown."""
    from napari_metasr.trust.risk import load_risk_model
    from napari_metasr.zoom.encoded import Tiling

    return load_risk_model(model, device=device, tiling=Tiling(tile=TILE, joint=JOINT // TILE))


class _Slot:
    """Room for one loaded network."""

    network: Any = None


class ModelCache(Generic[Model]):
    """Loaded networks by name and device, shared by all caches that load them alike.

    Each is loaded once, in the thread that needs it first, and freed when the last cache that has
    asked for it lets go of it.

    Parameters
    ----------
    factory
        Called as ``factory(model, device=device)``; see `napari_metasr.load_model`.
    heads
        Called alike, for the error heads of models.
    """

    _slots: ClassVar[WeakValueDictionary[tuple[Loader[Any], str, str], _Slot]] = (
        WeakValueDictionary()
    )
    _lock: ClassVar = threading.Lock()

    def __init__(self, factory: Loader[Model], heads: Loader[RiskModel] = load_error_head) -> None:
        self._factory, self._heads = factory, heads
        self._used: dict[tuple[Loader[Any], str, str], _Slot] = {}

    def get(self, model: str, device: str) -> Model:
        """Return the network, loading it if need be.

        Raises
        ------
        ValueError
            If there is no such model or device.
        """
        return self._get(self._factory, model, device)

    def loaded(self, model: str, device: str) -> Model | None:
        """Return the network if it is loaded, by this cache or another one."""
        return self._loaded(self._factory, model, device)

    def head(self, model: str, device: str) -> RiskModel:
        """Return the error head of a model, loading it if need be.

        Raises
        ------
        ValueError
            If there is no such model or device, or it has no error head.
        """
        return self._get(self._heads, model, device)

    def loaded_head(self, model: str, device: str) -> RiskModel | None:
        """Return the error head of a model if it is loaded, by this cache or another one."""
        return self._loaded(self._heads, model, device)

    def clear(self) -> None:
        """Let go of all networks."""
        self._used = {}

    def _get(self, factory: Loader[Loaded], model: str, device: str) -> Loaded:
        with self._lock:  # one at a time: threads that import the same packages confuse each other
            slot = self._slots.setdefault((factory, model, device), _Slot())
            if slot.network is None:
                slot.network = factory(model, device=device)
        self._used[factory, model, device] = slot
        return slot.network

    def _loaded(self, factory: Loader[Loaded], model: str, device: str) -> Loaded | None:
        name = (factory, model, device)
        slot = self._used.get(name) or self._slots.get(name)
        if slot is None or slot.network is None:
            return None
        self._used[name] = slot
        return slot.network
