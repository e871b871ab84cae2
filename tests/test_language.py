"""What the source says to people: no option of a command outside the commands."""

from __future__ import annotations

import ast
import re
from importlib.metadata import entry_points
from pathlib import Path

import metasr_training
import napari_metasr

VERBS = ("calibrate", "finetune", "listing", "risk")
"""Verbs of metasr-train with a module of their own."""

OPTION = re.compile(r"(?<![\w-])--[a-z]")


UNCLEAR = (
    "% of pixels",
    "mask head",
    "profiles equal the slices",
    "32-bit real",
    "overwrite is needed",
    "{None}",
    "expected a scale or a spacing, found neither",
)
"""Words that users did not understand."""


def literals(path):
    """All texts of a module but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node not in docstrings:
            yield node.lineno, node.value


def test_no_option_of_a_command_is_named_outside_the_commands():
    commands = {Path(napari_metasr.__file__).parent / "cli"}
    for script in entry_points(group="console_scripts"):
        if script.value.startswith("metasr_training."):
            module = script.module.removeprefix("metasr_training.")
            commands.add(Path(metasr_training.__file__).parent / f"{module}.py")
    commands |= {Path(metasr_training.__file__).parent / f"{verb}.py" for verb in VERBS}
    found = [
        f"{path}:{line}: {text}"
        for package in (napari_metasr, metasr_training)
        for path in Path(package.__file__).parent.rglob("*.py")
        if not commands & {path, *path.parents}
        for line, text in literals(path)
        if OPTION.search(text)
    ]
    assert not found


APART = re.compile(r"(^|\d) %(?![a-z(\d])")
"""A percent sign after a space: elsewhere the window writes 12%."""


def test_a_share_is_written_in_one_way():
    found = [
        f"{path}:{line}: {text}"
        for path in Path(napari_metasr.__file__).parent.rglob("*.py")
        for line, text in literals(path)
        if APART.search(text)
    ]
    assert not found


NOUN = re.compile(
    r"(Whether|What|Where|Which|Who|How|The|An?|One|Two|Both|Several|Those|Everything|Nothing|"
    r"Something|As|In|Of|Along|Without|If|When|No|Every|All|Any)\b"
)
"""How the summary of a function does not begin: it is an imperative."""


def test_summaries_of_functions_are_imperatives():
    found = [
        f"{path}:{node.lineno}: {summary}"
        for package in (napari_metasr, metasr_training)
        for path in Path(package.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and not any("property" in ast.unparse(each) for each in node.decorator_list)
        and NOUN.match(summary := (ast.get_docstring(node) or "").partition("\n")[0])
    ]
    assert not found


def test_what_users_did_not_understand_is_not_said_again():
    packages = [Path(package.__file__).parent for package in (napari_metasr, metasr_training)]
    texts = [
        (path, text)
        for package in packages
        for path in package.rglob("*.py")
        for _, text in literals(path)
    ]
    written = (".yaml", ".json", ".toml")
    for package in packages:
        paths = [path for path in package.rglob("*") if path.suffix in written]
        texts += [(path, path.read_text(encoding="utf-8")) for path in paths]
    assert len(texts) > 1000
    found = [f"{path}: {words}" for path, text in texts for words in UNCLEAR if words in text]
    assert not found
