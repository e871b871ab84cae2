"""Changes to recipes, such as ``losses.adversarial=0.005`` or ``rate.initial=2e-4``."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from metasr_training.condition import Condition
from metasr_training.recipe import OF_CONDITION, PRESETS, Preset, Recipe
from metasr_training.stage import RateRule
from metasr_training.train_config import TrainConfig, Training
from napari_metasr.errors import in_words, nearest_hint

log = logging.getLogger(__name__)

NOT_SET = ("network", "options", "pairs", "detection", "stages", "share")
"""Fields of a recipe that are not set as a whole."""


def parsed(settings: Iterable[str]) -> dict[str, Any]:
    """Parse settings of the form KEY=VALUE; a value that is not JSON is taken as text.

    Raises
    ------
    ValueError
        If one has another form.
    """
    found: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise ValueError(f"expected a setting of the form KEY=VALUE, found {setting!r}")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def decided_of(recipe: Recipe) -> dict[str, str]:
    """Map the keys that a recipe has, but that something else decides, to what that is."""
    found: dict[str, str] = {}
    if recipe.draws_by_condition:
        found |= {f"pairs.{name}": "the condition of its network" for name in OF_CONDITION}
    if recipe.has_scale:
        found["options.scale"] = "the condition of its network"
    if recipe.start is not None:
        found["shipped"] = f"its start, the network of {recipe.start}"
    return found


def keys_of(recipe: Recipe) -> tuple[str, ...]:
    """List the keys that can be set in a recipe: its own, and its stages', data's and network's.

    What something else decides is left out; see `decided_of`.
    """
    decided = decided_of(recipe)
    return tuple(key for key in _all_keys(recipe) if key not in decided)


def _all_keys(recipe: Recipe) -> tuple[str, ...]:
    losses = dict.fromkeys(name for stage in recipe.stages for name in stage.losses)
    data = {"pairs": recipe.pairs, "detection": recipe.detection}
    return (
        "updates",
        *(name for name in Training.model_fields if name not in NOT_SET),
        *(f"losses.{name}" for name in losses),
        *(f"rate.{name}" for name in RateRule.model_fields),
        *(f"{kind}.{name}" for kind, one in data.items() if one for name in type(one).model_fields),
        *(f"options.{name}" for name in recipe.options),
    )


def change_of(recipe: Recipe, settings: dict[str, Any]) -> Preset:
    """Turn the settings that apply to a recipe into a change of it."""
    known = keys_of(recipe)
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in known:
            continue
        group, dot, name = key.partition(".")
        if dot:
            group = "data" if group in {"pairs", "detection"} else group
            values.setdefault(group, {})[name] = value
        elif key == "updates":
            values["updates"] = value
        else:
            values.setdefault("training", {})[key] = value
    return Preset(**values)


def check_arrived(config: TrainConfig, settings: Mapping[str, Any]) -> None:
    """Refuse settings that a run's configuration does not have, though it has their keys.

    Parameters
    ----------
    config
        Of the run.
    settings
        Those that apply to its recipe; the schedule's ``updates`` are not looked at.

    Raises
    ------
    ValueError
        If something else has decided one; it is named.
    """
    for key, value in settings.items():
        if key != "updates" and _with(config, key, value) != config:
            raise ValueError(
                f"{key} cannot be set in {config.name}: something else decides it there"
            )


def _with(config: TrainConfig, key: str, value: Any) -> TrainConfig:
    """Return a configuration with a value put in at a setting's key."""
    values = config.model_dump()
    group, dot, name = key.partition(".")
    if not dot:
        values[group] = value
    elif group in {"pairs", "detection", "options"}:
        values[group][name] = value
    else:
        for stage in values["stages"]:
            if group == "rate" or name in stage[group]:
                stage[group][name] = value
    return TrainConfig.model_validate(values)


def _check_known(
    recipes: Sequence[Recipe], settings: Mapping[str, Any], decided: Mapping[str, str]
) -> None:
    """Refuse settings that no recipe takes; name the recipes that do not take one of others."""
    known = tuple(dict.fromkeys(key for one in recipes for key in keys_of(one)))
    for key in settings:
        reasons = {one.name: found[key] for one in recipes if key in (found := decided_of(one))}
        if key in decided or (reasons and key not in known):
            words = decided.get(key) or next(iter(reasons.values()))
            whose = ", ".join(one.name for one in recipes if key in decided or one.name in reasons)
            raise ValueError(f"{key} cannot be set in {whose}: {words} decides it")
        if key not in known:
            raise ValueError(
                f"expected a setting of the recipe, found {key!r}{nearest_hint(key, known)}"
            )
        for name, words in reasons.items():
            log.warning("%s is not set in %s: %s decides it", key, name, words)


def with_settings(
    recipes: Sequence[Recipe],
    settings: dict[str, Any],
    *,
    decided: Mapping[str, str] = MappingProxyType({}),
) -> list[Recipe]:
    """Apply settings to recipes, over their own and their presets' values.

    Parameters
    ----------
    recipes
        All recipes of a campaign.
    settings
        Each applies to the recipes that have its key.
    decided
        Keys that the command itself decides, and by what, such as ``--start``.

    Raises
    ------
    ValueError
        If no recipe takes a key (the nearest is named), something else decides it, or a value is
        none for it.
    """
    _check_known(recipes, settings, decided)
    try:
        changed = [one.changed(change_of(one, settings)) for one in recipes]
        for one in changed:
            own = {key: value for key, value in settings.items() if key in keys_of(one)}
            for preset in PRESETS:
                check_arrived(one.resolve(preset, Condition()), own)
    except ValidationError as error:
        raise ValueError(in_words(error)) from None
    return changed
