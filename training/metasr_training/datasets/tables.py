"""Folders of slices with a table that lists their patients and splits, and plain folders."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from metasr_training.datasets.brats import patient_of
from metasr_training.datasets.entry import Entry, kind_of, split_of_folders, visible
from metasr_training.datasets.image_slice import SPLITS
from napari_metasr.io.contrast import guess_contrast
from napari_metasr.io.names import stem

if TYPE_CHECKING:
    from pathlib import Path

    from metasr_training.datasets.image_slice import Split

VOLUME_TABLE = "patients.csv"
PICTURE_TABLE = "slices.csv"

MASK = re.compile(r"[_-](mask|seg|segmentation)$", re.IGNORECASE)
_ENHANCED = re.compile(r"[_-](t1ce|t1c|t1gd)$", re.IGNORECASE)
_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+(?=_|$)")
_OTHER = re.compile(r"[_-](t1|t1n|t1w|t2|t2w|t2f|flair)$", re.IGNORECASE)


def read_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read the rows of a CSV file whose ``split`` is one of train, val and test.

    Raises
    ------
    ValueError
        If a column is missing, or a split has another name.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows = list(table)
            names = table.fieldnames or []
    except (csv.Error, UnicodeDecodeError, PermissionError, IsADirectoryError) as error:
        raise ValueError(f"{path}: expected a CSV file, found none or a damaged one") from error
    missing = [column for column in columns if column not in names]
    if missing:
        raise ValueError(
            f"{path}: expected the columns {', '.join(columns)}, found {', '.join(names) or 'none'}"
        )
    for number, row in enumerate(rows, start=2):
        if row["split"] not in SPLITS:
            raise ValueError(
                f"{path}, line {number}: expected a split among {', '.join(SPLITS)}, "
                f"found {row['split']!r}"
            )
        if not all(row[column] for column in columns):
            raise ValueError(f"{path}, line {number}: expected a value in {', '.join(columns)}")
    return rows


def _split(row: dict[str, str]) -> Split:
    return next(split for split in SPLITS if split == row["split"])


def _by_stem(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in visible(folder)} if folder.is_dir() else {}


def _pictures(folder: Path) -> list[Entry]:
    """List the images of ``slices.csv`` (id, patient, split): ``images/ID.*``, ``masks/ID.*``."""
    images, masks = _by_stem(folder / "images"), _by_stem(folder / "masks")
    return [
        Entry(
            images.get(row["id"], folder / "images" / row["id"]),
            "picture",
            folder.name,
            row["patient"],
            row["id"],
            masks.get(row["id"]),
            _split(row),
        )
        for row in read_table(folder / PICTURE_TABLE, ("id", "patient", "split"))
    ]


def _volumes(folder: Path) -> list[Entry]:
    """List the volumes of ``patients.csv`` (patient, split): ``SPLIT/PATIENT_t1ce.nii.gz``."""
    entries = []
    for row in read_table(folder / VOLUME_TABLE, ("patient", "split")):
        patient = row["patient"]
        image = folder / row["split"] / f"{patient}_t1ce.nii.gz"
        mask = image.with_name(f"{patient}_mask.nii.gz")
        found = mask if mask.is_file() else None
        names = (folder.name, patient, patient)
        entries.append(Entry(image, "volume", *names, found, _split(row), "T1c"))
    return entries


def _loose(folder: Path, source: str, split: Split | None) -> list[Entry]:
    """List the images that lie in a folder, each with its mask ``NAME_mask`` or ``NAME-seg``.

    Of a patient with several contrasts (``NAME_t1ce``, ``NAME_flair``) the post-contrast T1 is
    taken, if there is one; a mask belongs to the patient.
    """
    files = [path for path in visible(folder) if path.is_file() and kind_of(path)]
    masks = {MASK.sub("", stem(path)): path for path in files if MASK.search(stem(path))}
    images = [path for path in files if not MASK.search(stem(path))]
    enhanced = {_ENHANCED.sub("", stem(path)) for path in images if _ENHANCED.search(stem(path))}
    entries = []
    for path in images:
        name = stem(path)
        visit = _OTHER.sub("", _ENHANCED.sub("", name))
        kind = kind_of(path)
        if kind is None or (visit in enhanced and not _ENHANCED.search(name)):
            continue
        mask = masks.get(name) or masks.get(visit)
        told = guess_contrast(name) or ""
        entries.append(Entry(path, kind, source, _person(visit), name, mask, split, told))
    return entries


def _person(visit: str) -> str:
    """Return the patient of a file, given its name without the contrast.

    BIDS names a person first, then sessions, acquisitions and runs: ``sub-01_ses-2_run-1``.
    """
    subject = _SUBJECT.match(visit)
    return subject[0] if subject else patient_of(visit)


def folder_entries(folder: Path) -> list[Entry]:
    """List the images of one folder: by its table, by its split folders, or as they lie in it.

    Without a table every file (without its contrast's name) stands for a patient of its own, but
    for the sessions of a person in BIDS and the visits of one in BraTS.

    Raises
    ------
    ValueError
        As `read_table`.
    """
    if (folder / PICTURE_TABLE).is_file():
        return _pictures(folder)
    if (folder / VOLUME_TABLE).is_file():
        return _volumes(folder)
    entries = _loose(folder, folder.name, None)
    for path in visible(folder):
        split = split_of_folders([path.name]) if path.is_dir() else None
        if split is not None:
            entries += _loose(path, folder.name, split)
    return entries
