"""The experiments and recipes that come with the package: small TOML files, found by name."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from metasr_training.condition import Condition
from metasr_training.recipe import PRESETS, Recipe
from napari_metasr.errors import nearest_hint, problems

EXPERIMENTS = Path(__file__).parent / "experiments"
RECIPES = Path(__file__).parent / "recipes"

Kind = Literal[
    "table", "samples", "scales", "detection", "opinion", "time", "through-plane", "zoom"
]


Region = Literal["slice", "crop", "roi"]
"""What of a slice is compared: all, the crop of most information, or the region of interest."""


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
    region: Region = "slice"
    sources: tuple[str, ...] = ()
    images: dict[str, int] = {"paper": 0, "workstation": 0, "laptop": 24, "smoke": 2}
    options: dict[str, Any] = Field(default_factory=dict)

    def networks(self) -> list[tuple[Recipe, Condition]]:
        """List the networks to train, with those that others start from first."""
        found: dict[str, tuple[Recipe, Condition]] = {}
        for method in self.methods:
            for condition in self.conditions:
                if method.recipe is not None:
                    for one in lineage(recipe(method.recipe)):
                        found.setdefault(one.network_name(condition), (one, condition))
        return list(found.values())


def lineage(last: Recipe) -> list[Recipe]:
    """List a recipe after those that its weights start from."""
    return [*(lineage(recipe(last.start)) if last.start else []), last]


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def experiment_ids() -> tuple[str, ...]:
    """List the names of the experiments."""
    return _names(EXPERIMENTS)


def recipe_names() -> tuple[str, ...]:
    """List the names of the recipes."""
    return _names(RECIPES)


def _read(folder: Path, name: str, what: str) -> dict[str, Any]:
    names = _names(folder)
    if name not in names:
        hint = nearest_hint(name, names)
        raise ValueError(f"expected {what} among {', '.join(names)}, found {name!r}{hint}")
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model that an annotation refers to, such as ``Stage`` in ``tuple[Stage, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((one for one in map(_model_in, get_args(annotation)) if one), None)


def _hint(model: type[BaseModel], where: tuple[int | str, ...]) -> str:
    """Suggest the known key most similar to an unknown one, in the model at its place."""
    *above, unknown = where
    for part in above:
        inner = model.model_fields.get(str(part))
        model = (_model_in(inner.annotation) if inner else None) or model
    return nearest_hint(str(unknown), model.model_fields)


def _words(error: ValidationError, model: type[BaseModel]) -> str:
    """Describe what is wrong with a file, with a suggestion for the first unknown key."""
    unknown = (one["loc"] for one in error.errors() if one["type"] == "extra_forbidden")
    first = next(unknown, None)
    return problems(error, "the file") + (_hint(model, first) if first else "")


def experiment(name: str) -> Experiment:
    """Read an experiment by its id.

    Raises
    ------
    ValueError
        If there is none of this name (the nearest is suggested), or its file is wrong.
    """
    try:
        return Experiment(id=name, **_read(EXPERIMENTS, name, "an experiment"))
    except ValidationError as error:
        raise ValueError(f"experiment {name}: {_words(error, Experiment)}") from None


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Merge ``change`` over ``base``, recursing into nested tables."""
    found = base | change
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            found[key] = _merged(base[key], value)
    return found


def _extended(values: dict[str, Any]) -> dict[str, Any]:
    """Merge the values of a recipe's file over those of the recipe that it ``extends``, if any."""
    base = values.pop("extends", None)
    if base is None:
        return values
    if not isinstance(base, str):
        raise ValueError(f"expected the name of a recipe to extend, found {base!r}")
    return _merged(_extended(_read(RECIPES, base, "a recipe")), values)


def recipe(name: str) -> Recipe:
    """Read a recipe by its name.

    A recipe's file may name another that it ``extends``: what it does not say is as there.

    Raises
    ------
    ValueError
        If there is none of this name (the nearest is suggested), or its file is wrong.
    """
    try:
        return Recipe(name=name, **_extended(_read(RECIPES, name, "a recipe")))
    except ValidationError as error:
        raise ValueError(f"recipe {name}: {_words(error, Recipe)}") from None


def read_recipe(path: Path) -> Recipe:
    """Read a user's recipe: a TOML file, named after the recipe.

    It may name a recipe of the package that it ``extends``, as those do; see `recipe`.

    Raises
    ------
    ValueError
        If it is no TOML or no recipe, as it is or under one of its presets; the nearest key is
        suggested for an unknown one.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected a recipe as TOML: {error}") from None
    try:
        found = Recipe.model_validate({"name": path.stem, **_extended(values)})
        for preset in PRESETS:
            found.resolve(preset, Condition())
    except ValidationError as error:
        raise ValueError(f"{path}: {_words(error, Recipe)}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return found


def check_starts(networks: Iterable[tuple[Recipe, Condition]], there: Collection[str]) -> None:
    """Refuse networks that start from one which is not trained before them.

    Parameters
    ----------
    networks
        What is to be trained, in this order.
    there
        Names of the networks that the run has already.

    Raises
    ------
    ValueError
        If a start is missing, or is no recipe.
    """
    known = set(there)
    for one, condition in networks:
        if one.start is not None:
            start = recipe(one.start).network_name(condition)
            if start not in known:
                raise ValueError(
                    f"the recipe {one.name} starts from {start}, which the run has not trained: "
                    "train an experiment that has it in the same run folder first"
                )
        known.add(one.network_name(condition))


def recipe_or_file(text: str) -> Recipe:
    """Read a recipe of the package by its name, or a user's by its path (ending in .toml).

    Raises
    ------
    FileNotFoundError, ValueError
        As `recipe` and `read_recipe`.
    """
    return read_recipe(Path(text)) if text.endswith(".toml") else recipe(text)
