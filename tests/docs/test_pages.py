"""The pages: every command on them can be given, every link and picture is there."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from napari_metasr.cli.verbs import parse

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "training/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
MODULES = {
    f"metasr-{name}": f"metasr_training.{name}"
    for name in ("train", "evaluate", "export", "report", "mos")
}
BLOCK = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def commands(page):
    """The commands in a page's code blocks, with lines joined and comments dropped."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith(("napari-metasr ", "metasr-")):
                yield shlex.split(line, comments=True)


COMMANDS = [(page, words) for page in PAGES for words in commands(page)]


def named(case):
    return case.name if isinstance(case, Path) else " ".join(case)[:60]


def test_there_are_commands_to_try():
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(
    ("page", "words"), [one for one in COMMANDS if one[1][0] == "napari-metasr"], ids=named
)
def test_a_command_is_understood(page, words):
    parse(words[1:], "napari-metasr")


@pytest.mark.parametrize(
    ("page", "words"), [one for one in COMMANDS if one[1][0] in MODULES], ids=named
)
def test_a_training_command_has_the_options_that_it_is_given(page, words, capsys, monkeypatch):
    main = importlib.import_module(MODULES[words[0]]).main
    helped = ""
    for leading in ([], words[1:2]):
        monkeypatch.setattr(sys, "argv", [words[0], *leading, "--help"])
        with pytest.raises(SystemExit):
            main()
        helped += capsys.readouterr().out
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    unknown = {option for option in options if option not in helped}
    assert not unknown


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_and_pictures_are_there(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_has_its_place_in_the_site():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w/]+)$", index, re.MULTILINE))
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"} <= listed
