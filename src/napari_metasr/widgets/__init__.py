"""Everything that needs Qt: the docks and what they show in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_metasr.widgets.zoom.widget import MetaSRZoomWidget

__all__ = ["MetaSRZoomWidget"]


def __getattr__(name: str) -> Any:
    """Import Qt and napari when the widget is asked for, no earlier."""
    if name != "MetaSRZoomWidget":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from napari_metasr.widgets.zoom.widget import MetaSRZoomWidget

    return MetaSRZoomWidget
