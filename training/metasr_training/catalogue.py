"""The experiments and recipes that come with the package: small TOML files, found by name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from metasr_training.condition import Condition
from metasr_training.recipe import Recipe
from napari_metasr.errors import nearest_hint, problems

EXPERIMENTS = Path(__file__).parent / "experiments"
RECIPES = Path(__file__).parent / "recipes"

Kind = Literal[
    "table", "samples", "scales", "detection", "opinion", "time", "through-plane", "zoom"
]


class Method(BaseModel, extra="forbid", frozen=True):
    """One row of a table: interpolation, or a network trained by a recipe.

    Attributes
    ----------
    label
        As the paper prints it.
    baseline
        Name of an interpolation, or ``b+nld``.
    recipe
        Name of a recipe.
    """

    label: str
    baseline: str | None = None
    recipe: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Method:
        if (self.baseline is None) == (self.recipe is None):
            raise ValueError(f"{self.label} needs either a baseline or a recipe")
        return self


class Experiment(BaseModel, extra="forbid", frozen=True):
    """What a table or figure compares: methods under conditions.

    Attributes
    ----------
    id
        The name of its file.
    title, source
        What it shows, and the paper's table or figure.
    kind
        How it is evaluated.
    conditions
        What the low-resolution images went through.
    methods
        The rows.
    region
        Where images are compared: the whole slice, the maximal-information crop, or the region
        of interest.
    sources
        The data sets that are evaluated; all that are there where empty.
    images
        For each preset, how many validation images of each source are evaluated.
    options
        What this kind of evaluation takes besides.
    """

    id: str
    title: str
    source: str
    kind: Kind
    conditions: tuple[Condition, ...] = (Condition(),)
    methods: tuple[Method, ...]
    region: Literal["slice", "crop", "roi"] = "slice"
    sources: tuple[str, ...] = ()
    images: dict[str, int] = {"paper": 0, "workstation": 0, "laptop": 24, "smoke": 2}
    options: dict[str, Any] = Field(default_factory=dict)

    def networks(self) -> list[tuple[Recipe, Condition]]:
        """The networks that are trained for it, those that others start from first."""
        found: dict[str, tuple[Recipe, Condition]] = {}
        for method in self.methods:
            for condition in self.conditions:
                if method.recipe is not None:
                    for one in lineage(recipe(method.recipe)):
                        found.setdefault(one.network_name(condition), (one, condition))
        return list(found.values())


def lineage(last: Recipe) -> list[Recipe]:
    """A recipe after those that its weights start from."""
    return [*(lineage(recipe(last.start)) if last.start else []), last]


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def experiment_ids() -> tuple[str, ...]:
    """The experiments there are."""
    return _names(EXPERIMENTS)


def recipe_names() -> tuple[str, ...]:
    """The recipes there are."""
    return _names(RECIPES)


def _read(folder: Path, name: str, what: str) -> dict[str, Any]:
    names = _names(folder)
    if name not in names:
        hint = nearest_hint(name, names)
        raise ValueError(f"expected {what} among {', '.join(names)}, found {name!r}{hint}")
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


def experiment(name: str) -> Experiment:
    """An experiment by its id.

    Raises
    ------
    ValueError
        If there is none of this name (the nearest is suggested), or its file is wrong.
    """
    try:
        return Experiment(id=name, **_read(EXPERIMENTS, name, "an experiment"))
    except ValidationError as error:
        raise ValueError(f"experiment {name}: {problems(error, 'the file')}") from None


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A table with the values of another in place of its own, tables within tables alike."""
    found = base | change
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            found[key] = _merged(base[key], value)
    return found


def _recipe_values(name: str) -> dict[str, Any]:
    """The values of a recipe's file, over those of the recipe that it ``extends``, if any."""
    values = _read(RECIPES, name, "a recipe")
    base = values.pop("extends", None)
    return values if base is None else _merged(_recipe_values(base), values)


def recipe(name: str) -> Recipe:
    """A recipe by its name.

    A recipe's file may name another that it ``extends``: what it does not say is as there.

    Raises
    ------
    ValueError
        If there is none of this name (the nearest is suggested), or its file is wrong.
    """
    try:
        return Recipe(name=name, **_recipe_values(name))
    except ValidationError as error:
        raise ValueError(f"recipe {name}: {problems(error, 'the file')}") from None
