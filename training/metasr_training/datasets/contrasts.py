"""Other contrasts beside T1 post-contrast: ``contrasts/`` with one folder a data set."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from metasr_training.datasets.brats import patient_of
from metasr_training.datasets.entry import Entry, kind_of, split_of_folders, visible
from metasr_training.datasets.tables import MASK
from napari_metasr.io.contrast import guess_contrast
from napari_metasr.io.names import stem

if TYPE_CHECKING:
    from pathlib import Path

    from metasr_training.datasets.image_slice import Split

CONTRASTS_FOLDER = "contrasts"

_ENDING = re.compile(r"[_-](s\d+[_-])?[a-z0-9+]+$", re.IGNORECASE)
"""The visit and the contrast that end a file's name."""


def person(source: str, patient: str) -> tuple[str, str]:
    """Name a patient of a data set, alike in the other contrasts of that data set."""
    return source.removeprefix(f"{CONTRASTS_FOLDER}/"), patient


def _images(folder: Path, source: str, split: Split) -> list[Entry]:
    found = []
    for path in visible(folder):
        kind, name = kind_of(path) if path.is_file() else None, stem(path)
        if kind is not None and not MASK.search(name):
            patient = patient_of(_ENDING.sub("", name))
            entry = Entry(path, kind, source, patient, name, None, split)
            found.append(replace(entry, contrast=guess_contrast(name) or ""))
    return found


def contrast_entries(folder: Path) -> list[Entry]:
    """List the images below ``contrasts/``: ``SET/FILE``, or ``SET/SPLIT/FILE``.

    Files end in their contrast (``PATIENT_flair.nii.gz``). A set that is named after a split or
    has a folder for each keeps to it; all patients of another are trained on.
    """
    entries: list[Entry] = []
    for data_set in visible(folder):
        if not data_set.is_dir():
            continue
        source = f"{CONTRASTS_FOLDER}/{data_set.name}"
        entries += _images(data_set, source, split_of_folders([data_set.name]) or "train")
        for path in visible(data_set):
            split = split_of_folders([path.name]) if path.is_dir() else None
            if split is not None:
                entries += _images(path, source, split)
    return entries
