"""The plugin's preferences: napari keeps them from 0.9 on, for an older one they are kept here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import napari.settings
from napari.settings._base import EventedConfigFileSettings
from napari.settings._napari_settings import _CFG_PATH
from napari.utils.events import EventedModel
from npe2 import PluginManager
from pydantic import Field, create_model
from pydantic_settings import SettingsConfigDict

if TYPE_CHECKING:
    from npe2.manifest.contributions import ConfigurationContribution, ConfigurationProperty

_KEPT: dict[str, EventedConfigFileSettings] = {}


class _Settings(EventedConfigFileSettings):
    """Preferences of a plugin, written to a file whenever one changes."""

    model_config = SettingsConfigDict(env_prefix="napari_metasr_")
    config_path: Path | None = Field(None, exclude=True)


def plugin_settings(plugin: str) -> Any:
    """Return the preferences of a plugin, one attribute for each group of its manifest.

    napari older than 0.9 does not show them; they are read and written all the same, in the file
    and the form of napari 0.9.

    Raises
    ------
    KeyError
        If napari does not know the plugin.
    """
    if hasattr(napari.settings, "get_plugin_settings"):
        return napari.settings.get_plugin_settings(plugin)
    if plugin not in _KEPT:
        plugins = PluginManager.instance()
        plugins.discover()
        groups = plugins.get_manifest(plugin).contributions.configurations
        folder = Path(_CFG_PATH).parent if _CFG_PATH else None
        path = None if folder is None else folder / f"{plugin}.yaml"
        fields: Any = {name: _group(name, group) for name, group in groups.items()}
        _KEPT[plugin] = create_model("PluginSettings", __base__=_Settings, **fields)(
            config_path=path
        )
    return _KEPT[plugin]


def _group(name: str, group: ConfigurationContribution) -> tuple[type[EventedModel], Any]:
    fields: Any = {key: _field(each) for key, each in group.properties.items()}
    model = create_model(name, __base__=EventedModel, **fields)
    return model, Field(default_factory=model)


def _field(declared: ConfigurationProperty) -> tuple[Any, Any]:
    if declared.enum:
        return Literal[tuple(declared.enum)], Field(declared.default)
    bounds = {"ge": declared.minimum, "le": declared.maximum}
    given: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    return declared.python_type, Field(declared.default, **given)
