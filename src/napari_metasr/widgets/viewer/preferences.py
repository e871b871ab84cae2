"""What the user has set for the plugin, kept by napari from session to session."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from typing import Any

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.widgets.viewer.plugin_settings import plugin_settings

PLUGIN = "napari-metasr"
GROUPS = {
    "orientation": "display",
    "device": "engine",
    "cache_megabytes": "engine",
    "region": "session",
    "comparison": "session",
    "model": "session",
    "assumed": "session",
    "tour_offered": "session",
    "figure_dpi": "session",
    "figure_width": "session",
}
"""Names of the preferences, and the groups of the manifest that they are in."""

DEFAULTS: dict[str, Any] = {
    "orientation": DisplayConvention.RADIOLOGICAL.value,
    "device": "auto",
    "cache_megabytes": 1024,
    "region": "centre of view",
    "comparison": "Side by side",
    "model": "",
    "assumed": "auto",
    "tour_offered": False,
    "figure_dpi": 300,
    "figure_width": 0,
}


def preferences() -> dict[str, Any]:
    """Return the plugin's preferences; their defaults where napari does not know the plugin.

    A damaged file, and values that are none of those allowed, mean the defaults too.
    """
    stored = _stored()
    if stored is None:
        return dict(DEFAULTS)
    found = {name: getattr(getattr(stored, group), name) for name, group in GROUPS.items()}
    return {
        name: value.value if isinstance(value, Enum) else value for name, value in found.items()
    }


def display_convention() -> DisplayConvention:
    """Return on which side of the screen the patient's left is to be."""
    return DisplayConvention(preferences()["orientation"])


def remember(**values: str | int) -> None:
    """Keep values for later sessions, by their names; what cannot be kept is given up silently."""
    stored = _stored()
    if stored is None:
        return
    for name, value in values.items():
        with suppress(OSError, ValueError):  # a folder that is not writable, a value not allowed
            setattr(getattr(stored, GROUPS[name]), name, value)


def _stored() -> Any:
    """Return the preferences as napari keeps them; None where it cannot read them."""
    try:
        return plugin_settings(PLUGIN)
    except (KeyError, AssertionError, OSError, ValueError):  # an assertion: a file with a list
        return None
