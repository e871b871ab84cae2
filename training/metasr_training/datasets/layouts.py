"""What a data folder holds, recognised by its tables and its layout."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from metasr_training.datasets.brats import brats_entries
from metasr_training.datasets.contrasts import CONTRASTS_FOLDER, contrast_entries
from metasr_training.datasets.entry import Entry, visible
from metasr_training.datasets.natural import is_natural, natural_entries
from metasr_training.datasets.tables import folder_entries

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

SLICE_FOLDER = "tumour-slices"
TCGA = "tcga-lgg"
LEFT_ALONE = frozenset({"volumes", "dicom"})
POST_CONTRAST = ("tcga-lgg", "cheng", "brats20")
"""The data sets whose names tell their contrast, if their files' do not."""


def _without_repeats(entries: list[Entry]) -> list[Entry]:
    """Drop repeated files: a patient's folder given as data is also recognised as a plain one."""
    return list({entry.image: entry for entry in entries}.values())


def _warn_of_overlap(sources: set[str]) -> None:
    """Say which data sets share patients whom no name tells: the years of BraTS, and TCGA-LGG.

    BraTS took scans of TCGA-GBM and TCGA-LGG in, and its years take over each other's.
    """
    brats = {source for source in sources if source.startswith("brats")}
    overlapping = sorted(brats | (sources & {TCGA} if brats else set()))
    if len(overlapping) > 1:
        log.warning(
            "%s share patients under other names, which no split can tell apart: some may be in "
            "training and validation both",
            " and ".join(overlapping),
        )


def recognise(data: Path) -> list[Entry]:
    """List the images of a data folder without reading them.

    Recognised are, together or alone: ``tumour-slices/`` with a folder a source (with its
    ``slices.csv`` or ``patients.csv``, or with ``train/``, ``val/`` and ``test/``), or one of
    these folders itself; other contrasts in ``contrasts/``; natural images in ``natural/`` or
    ``DIV2K...``; BraTS trees at any place; NIfTI files and pictures that lie in the folder.
    ``volumes/``, ``dicom/`` and whatever else there is are left alone.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If a table is not as expected.
    """
    if not data.is_dir():
        raise FileNotFoundError(f"{data}: expected a data folder or a packed file, found neither")
    data = data.resolve()
    if is_natural(data):
        return natural_entries(data)
    below = [path for path in visible(data) if path.is_dir()]
    sources = data if data.name == SLICE_FOLDER else data / SLICE_FOLDER
    entries = folder_entries(data)
    if sources.is_dir():
        for path in visible(sources):
            entries += folder_entries(path) if path.is_dir() else []
    natural = [path for path in below if is_natural(path)]
    for path in natural:
        entries += natural_entries(path)
    for path in below:
        entries += contrast_entries(path) if path.name == CONTRASTS_FOLDER else []
    skip = LEFT_ALONE | {SLICE_FOLDER, CONTRASTS_FOLDER} | {path.name for path in natural}
    entries += brats_entries(data, skip=skip)
    _warn_of_overlap({entry.source for entry in entries})
    return [_with_contrast(entry) for entry in _without_repeats(entries)]


def _with_contrast(entry: Entry) -> Entry:
    told = entry.contrast or ("T1c" if entry.source in POST_CONTRAST else "")
    return replace(entry, contrast=told)


def description(data: Path) -> str:
    """Describe the contents of a folder, for messages."""
    names = [f"{path.name}/" if path.is_dir() else path.name for path in visible(data)]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{', '.join(names[:8])}{more}" if names else "nothing"
