"""Networks that are loaded to zoom with, each once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

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


def load_either(
    engine_factory: Callable[..., Any],
    risk_factory: Callable[..., Any] | None,
    model: str,
    *,
    device: str,
) -> Any:
    """Load a model, or the error head that `RISK` and a model's name stand for."""
    if risk_factory is not None and model.startswith(RISK):
        return risk_factory(model.removeprefix(RISK), device=device)
    return engine_factory(model, device=device)


class ModelCache:
    """Loaded models by name and device; each is loaded once, in the thread that needs it first.

    Parameters
    ----------
    factory
        Called as ``factory(model, device=device)``; see `napari_metasr.load_model`.
    """

    def __init__(self, factory: Callable[..., Any]) -> None:
        self._factory = factory
        self._loaded: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def get(self, model: str, device: str) -> Any:
        """Return the model, loading it if need be.

        Raises
        ------
        ValueError
            If there is no such model or device.
        """
        with self._lock:
            if (model, device) not in self._loaded:
                self._loaded[model, device] = self._factory(model, device=device)
            return self._loaded[model, device]

    def loaded(self, model: str, device: str) -> Any | None:
        """Return the model if it is loaded."""
        return self._loaded.get((model, device))

    def clear(self) -> None:
        """Let go of all models."""
        self._loaded = {}
