"""BraTS directory trees of 2018 to 2023: one folder a patient or a visit.

======== ==================================================== ==========================
year     folder                                               post-contrast T1, mask
======== ==================================================== ==========================
2018, 19 ``HGG/Brats18_TCIA01_131_1`` (and ``LGG/``)          ``_t1ce.nii.gz``, ``_seg``
2020     ``BraTS20_Training_001``                             ``_t1ce.nii``, ``_seg``
2021     ``BraTS2021_00000``                                  ``_t1ce.nii.gz``, ``_seg``
2023     ``BraTS-GLI-00000-000``                              ``-t1c.nii.gz``, ``-seg``
======== ==================================================== ==========================

Every year's set holds most patients of the years before and some of TCGA-LGG under another name;
nothing in the files tells, so two of them must not be split apart from each other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metasr_training.datasets.entry import Entry, split_of_folders, visible
from napari_metasr.io.names import is_volume_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEEPEST = 5
"""Folders between a data folder and a patient's that are searched."""

_ENHANCED = ("_t1ce", "-t1ce", "_t1c", "-t1c")
_VISIT = re.compile(r"(?P<patient>brats-[a-z]+-\d+)-\d+", re.IGNORECASE)
_YEAR = re.compile(r"brats(?P<year>\d{4}|\d{2})_", re.IGNORECASE)
_CHALLENGE = re.compile(r"(?P<set>brats-[a-z]+)-\d+", re.IGNORECASE)
_PATIENT = re.compile(r"brats(\d{4}|\d{2})_.*\d|brats-[a-z]+-\d+-\d+", re.IGNORECASE)


def patient_of(name: str) -> str:
    """Return the patient of a folder: ``BraTS-GLI-00001-000`` and ``-001`` are visits of one."""
    visit = _VISIT.fullmatch(name)
    return visit["patient"] if visit else name


def source_of(name: str) -> str:
    """Return the data set of a patient's folder: ``brats2020``, ``brats-gli``."""
    if year := _YEAR.match(name):
        return f"brats20{year['year'][-2:]}"
    challenge = _CHALLENGE.match(name)
    return challenge["set"].lower() if challenge else "brats"


def _mask(files: list[Path], name: str) -> Path | None:
    """Find the segmentation; that of patient 355 of 2020 is called ``W39_..._Segm.nii``."""
    for ending in ("_seg", "-seg"):
        for path in files:
            if path.name.startswith(f"{name}{ending}."):
                return path
    return next((path for path in files if "segm" in path.name.lower()), None)


def _patient(folder: Path, names: tuple[str, ...]) -> Entry | None:
    """Return the entry of a patient's folder; None if the folder is something else."""
    name = folder.name
    files = [path for path in visible(folder) if is_volume_file(path)]
    if not files:
        return None
    beginnings = tuple(f"{name}{ending}." for ending in _ENHANCED)
    image = next((path for path in files if path.name.startswith(beginnings)), None)
    if image is None:
        if not _PATIENT.fullmatch(name):
            return None
        image = folder / f"{name}_t1ce.nii.gz"  # not there: reading it says so
    return Entry(
        image,
        "volume",
        source_of(name),
        patient_of(name),
        name,
        _mask(files, name),
        split_of_folders(names),
        "T1c",
    )


def brats_entries(
    folder: Path, *, skip: frozenset[str] = frozenset(), above: tuple[str, ...] = ()
) -> Iterator[Entry]:
    """Yield every patient below and including a folder, recognised by its file names.

    Parameters
    ----------
    folder
        Where to look.
    skip
        Folders, by their names, that are not looked into.
    above
        Names of the folders that lead here from the data folder, the nearest last.
    """
    found = _patient(folder, above)
    if found is not None:
        yield found
    elif len(above) < DEEPEST:
        for path in visible(folder):
            if path.is_dir() and path.name not in skip:
                yield from brats_entries(path, skip=skip, above=(*above, path.name))
