"""Workflows, container and hooks agree with the project that they install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_the_matrix_holds_every_python_system_and_the_oldest_napari(project):
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    matrix = workflow["jobs"]["matrix"]["strategy"]["matrix"]
    pythons = {
        line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)
    }
    assert set(matrix["python"]) == pythons
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    (bound,) = (one for one in project["dependencies"] if one.startswith("napari"))
    assert bound.removeprefix("napari>=") in {one["napari"] for one in matrix["include"]}
    assert {one["qt"] for one in matrix["include"]} == {"pyqt5", "pyqt6", "pyside6"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_end_have_few_rights_and_name_the_versions_of_actions(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert all(re.fullmatch(r"[\w./-]+@(v\d+|release/v\d+)", one) for one in used)


def test_the_container_copies_what_is_there_and_runs_a_command_of_the_project(project):
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in lines:
        if line.startswith("COPY "):
            for name in line.split()[1:-1]:
                assert (ROOT / name).exists()
                assert name not in ignored
        if line.startswith("ENTRYPOINT "):
            assert line.split('"')[1] in project["scripts"]
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", "\n".join(lines))
    assert set(extras.split(",")) <= project["optional-dependencies"].keys()
    assert lines.index("USER 1000") < lines.index("FROM installed AS command-line")


def test_hooks_are_the_versions_that_are_pinned():
    pinned = dict(
        re.findall(r"^([\w.-]+)==([\w.]+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    )
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    revisions = {hook["id"]: repo["rev"] for repo in hooks for hook in repo["hooks"]}
    assert revisions["ruff-format"] == f"v{pinned['ruff']}"
    assert revisions["codespell"] == f"v{pinned['codespell']}"
