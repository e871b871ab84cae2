"""The conda recipe asks for what the package asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"pytorch": "torch", "napari-base": "napari", "matplotlib-base": "matplotlib"}
"""Packages that conda-forge calls otherwise."""


def names(requirements):
    return {re.split(r"[ <>=\[;]", text)[0] for text in requirements}


def test_the_recipe_and_the_project_name_the_same_packages_and_commands():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    recipe = yaml.safe_load((ROOT / "packaging/conda/recipe.yaml").read_text())
    wanted = {NAMES.get(name, name) for name in names(recipe["requirements"]["run"])}
    assert wanted - {"python"} == names(project["dependencies"])
    scripts = {f"{name} = {entry}" for name, entry in project["scripts"].items()}
    assert set(recipe["build"]["python"]["entry_points"]) == scripts
