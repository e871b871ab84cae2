"""Changes to recipes, such as ``losses.adversarial=0.005`` or ``rate.initial=2e-4``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from metasr_training.condition import Condition
from metasr_training.recipe import PRESETS, Preset, Recipe
from metasr_training.stage import RateRule
from metasr_training.train_config import Training
from napari_metasr.errors import in_words, nearest_hint

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


def keys_of(recipe: Recipe) -> tuple[str, ...]:
    """List the keys that can be set in a recipe: its own, and its stages', data's and network's."""
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


def with_settings(recipes: Sequence[Recipe], settings: dict[str, Any]) -> list[Recipe]:
    """Apply settings to recipes, over their own and their presets' values.

    Parameters
    ----------
    recipes
        All recipes of a campaign.
    settings
        Each applies to the recipes that have its key.

    Raises
    ------
    ValueError
        If no recipe has a key (the nearest is named), or a value is none for it.
    """
    known = tuple(dict.fromkeys(key for one in recipes for key in keys_of(one)))
    for key in settings:
        if key not in known:
            raise ValueError(
                f"expected a setting of the recipe, found {key!r}{nearest_hint(key, known)}"
            )
    try:
        changed = [one.changed(change_of(one, settings)) for one in recipes]
        for one in changed:
            for preset in PRESETS:
                one.resolve(preset, Condition())
    except ValidationError as error:
        raise ValueError(in_words(error)) from None
    return changed
