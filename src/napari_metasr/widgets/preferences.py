"""What the user has set for the plugin in napari's preferences."""

from __future__ import annotations

from typing import Any

from napari.settings import get_plugin_settings

PLUGIN = "napari-metasr"


def preferences() -> dict[str, Any]:
    """The plugin's preferences; their defaults where napari does not know the plugin."""
    chosen: dict[str, Any] = {
        "orientation": "radiological",
        "device": "auto",
        "cache_megabytes": 1024,
    }
    try:
        stored = get_plugin_settings(PLUGIN)
    except KeyError:
        return chosen
    for group in ("display", "engine"):
        for name in chosen:
            section = getattr(stored, group, None)
            if hasattr(section, name):
                chosen[name] = getattr(section, name)
    return chosen
