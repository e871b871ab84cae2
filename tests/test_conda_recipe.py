"""The conda recipe asks for what the package asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"pytorch": "torch", "napari-base": "napari", "matplotlib-base": "matplotlib"}
"""Packages that conda-forge calls otherwise."""


def bounds(requirements):
    """The package and the version that it needs at least, of each requirement."""
    found = [re.fullmatch(r"([\w-]+) ?>=([\d.]+)", text).groups() for text in requirements]
    return {NAMES.get(name, name): version for name, version in found}


def test_the_recipe_and_the_project_name_the_same_packages_and_commands():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    recipe = yaml.safe_load((ROOT / "packaging/conda/recipe.yaml").read_text())
    wanted = bounds(recipe["requirements"]["run"])
    assert wanted.pop("python") == project["requires-python"].removeprefix(">=")
    assert wanted == bounds(project["dependencies"])
    scripts = {f"{name} = {entry}" for name, entry in project["scripts"].items()}
    assert set(recipe["build"]["python"]["entry_points"]) == scripts
