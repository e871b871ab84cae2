"""What the user has set for the plugin in napari's preferences."""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings

PLUGIN = "napari-metasr"


def preferences() -> dict[str, Any]:
    """Return the plugin's preferences; their defaults where napari does not know the plugin."""
    try:
        stored = get_plugin_settings(PLUGIN)
    except KeyError:
        return {"orientation": "radiological", "device": "auto", "cache_megabytes": 1024}
    return {
        "orientation": stored.display.orientation,
        "device": stored.engine.device,
        "cache_megabytes": stored.engine.cache_megabytes,
    }
