"""Super-resolve brain MRI at any scale: a napari plugin, a command and an engine."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_metasr.zoom.loading import load_model

__version__ = "0.1.0"
__all__ = ["__version__", "load_model"]

_HOMES = {"load_model": "napari_metasr.zoom.loading"}


def __getattr__(name: str) -> Any:
    """Import what is public when it is first asked for: this package alone imports in no time."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
