"""The pages: every command on them can be given, every link and picture is there."""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import tyro
import yaml
from fakes.dicom import save, series, voxels
from fakes.nifti import affine_with, stored

from metasr_training.calibrate import calibrate
from metasr_training.datasets.describe import describe
from metasr_training.datasets.pack import pack
from metasr_training.evaluate import evaluate, measure_model, measure_scans
from metasr_training.export import export
from metasr_training.finetune import finetune
from metasr_training.listing import list_training
from metasr_training.mos import prepare_study, score
from metasr_training.report import report
from metasr_training.risk import risk_head
from metasr_training.train import train
from napari_metasr.cli import main
from napari_metasr.cli.verbs import parse
from napari_metasr.widgets.viewer.key_sheet import sheet
from napari_metasr.widgets.zoom.shortcuts import register_shortcuts

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "training/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FUNCTIONS = {
    "metasr-train": {
        "list": list_training, "pack": pack, "describe": describe, "finetune": finetune,
        "risk-head": risk_head, "": train,
    },
    "metasr-evaluate": {
        "experiment": evaluate, "model": measure_model, "native": measure_scans,
        "calibrate": calibrate,
    },
    "metasr-export": {"": export},
    "metasr-report": {"": report},
    "metasr-mos": {"prepare": prepare_study, "score": score},
}  # fmt: skip
"""What the training commands call, by their verbs."""
BLOCK = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


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
    ("page", "words"), [one for one in COMMANDS if one[1][0] in FUNCTIONS], ids=named
)
def test_a_training_command_is_understood(page, words):
    """By the parser of the function that it calls; what would be done is not."""
    command, *rest = words
    functions = FUNCTIONS[command]
    function = functions[rest.pop(0)] if rest[0] in functions else functions[""]

    @functools.wraps(function)
    def called(*positional, **options):
        return positional, options

    assert tyro.cli(called, prog=command, args=rest)


CARRIED_OUT = {
    "README.md", "cluster.md", "dicom.md", "figures.md", "lesions.md", "thick-slices.md",
    "tutorial.md", "volumes.md",
}  # fmt: skip
"""Pages whose commands are carried out, in their order, on small scans."""
SCANS = ("scan", "SCAN", "case_t1c", "BraTS-GLI-00000-000-t1c")
LABELS = ("seg", "SEG", "case_seg", "BraTS-GLI-00000-000-seg")
SMALL, LARGE = (34, 33, 3), (192, 192, 82)
"""Shapes of scans: of commands for all of a scan, and for one of its slices."""


def needs_more(words):
    """Whether a command takes what is not here.

    A tumour that is found, a segmentation on the grid of a DICOM series, a cluster, a variable.
    """
    finds = "--lesion" in words and "--mask" not in words
    draws = {"DICOM_FOLDER", "--labels"} <= set(words)
    return finds or draws or "--scheduler" in words or any("$" in word for word in words)


@pytest.fixture
def store_inputs(tmp_path, monkeypatch, rng):
    """Store what a command reads: scans, segmentations, a DICOM series, a data set."""
    monkeypatch.chdir(tmp_path)
    for folder in ("DICOM_FOLDER", "BIDS_DATASET"):
        Path(folder).mkdir()
    save(Path("DICOM_FOLDER"), series(voxels((3, 34, 33), np.uint16), SeriesNumber=401))
    stored(Path("BIDS_DATASET/sub-01_T1w.nii.gz"), np.ones(SMALL, np.int16), affine_with("LPS"))
    shapes = {}

    def store(words):
        shape = LARGE if "--slice" in words else SMALL
        for name in (word.removesuffix(".nii.gz") for word in words):
            if name in {*SCANS, *LABELS} and shapes.get(name) != shape:
                values = rng.integers(1, 900, shape)
                data = values.astype(np.int16) if name in SCANS else (values > 800).astype(np.uint8)
                stored(Path(f"{name}.nii.gz"), data, affine_with("LPS"))
                shapes[name] = shape

    return store


@pytest.mark.parametrize("name", sorted(CARRIED_OUT))
def test_the_commands_of_a_page_can_be_carried_out(name, store_inputs):
    carried_out = 0
    for words in (words for page, words in COMMANDS if page.name == name):
        if words[0] != "napari-metasr" or needs_more(words):
            continue
        store_inputs(words)
        output = words[words.index("--output") + 1] if "--output" in words else None
        assert main([*words[1:], *(["--overwrite"] if output else [])]) == 0, words
        assert output is None or Path(output).stat().st_size > 0
        carried_out += 1
    assert carried_out


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_and_pictures_are_there(page):
    for target, place in LINK.findall(page.read_text(encoding="utf-8")):
        found = page.parent / target if target else page
        assert found.exists(), target
        assert not place or place in anchors(found), f"{target}#{place}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_paths_in_the_menu_are_there(page):
    """Napari puts the docks of a plugin that has several into a menu under the plugin's name."""
    manifest = yaml.safe_load((ROOT / "src/napari_metasr/napari.yaml").read_text(encoding="utf-8"))
    docks = {one["display_name"] for one in manifest["contributions"]["widgets"]}
    text = " ".join(page.read_text(encoding="utf-8").split())
    for path in re.findall(r"Plugins > ([^*]+)\*", text):
        menu, dock = path.split(" > ")
        assert menu == manifest["display_name"]
        assert dock in docks


def test_the_page_of_keys_has_them_all():
    register_shortcuts()
    page = (ROOT / "docs/keys.md").read_text(encoding="utf-8")
    rows = {line.strip("| ").split(" | ")[-1] for line in page.splitlines() if "|" in line}
    assert {text for _, text in sheet()} <= rows


def anchors(page):
    """The places of a page that links can name: its headings, as GitHub and the site write them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_page_has_its_place_in_the_site():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w/-]+)$", index, re.MULTILINE))
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"} <= listed
