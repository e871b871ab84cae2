"""Files that hold for an image: those beside it, and in BIDS those above it.

The rule is BIDS's inheritance principle,
https://bids-specification.readthedocs.io/en/stable/common-principles.html#the-inheritance-principle.
"""

from __future__ import annotations

from glob import escape
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from napari_metasr.files import read_fields
from napari_metasr.io.names import sidecar_path, stem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["fields_of", "files_for"]

DESCRIPTION, VERSION = "dataset_description.json", "BIDSVersion"
DEEPEST = 6
"""Folders that are looked through at most, from an image's own to the dataset's: those of kind,
session, subject and dataset, and two more."""


def fields_of(image: Path) -> dict[str, Any]:
    """Return what is recorded of an image, the nearest file having the last word.

    Parameters
    ----------
    image
        The file. In a BIDS dataset every JSON file counts that lies above or beside it, has its
        suffix and no entity that it has not; elsewhere the one of the same name alone.
    """
    found: dict[str, Any] = {}
    for sidecar in files_for(image, ".json"):
        found |= read_fields(sidecar)
    return found | read_fields(sidecar_path(image))


def files_for(image: Path, ending: str) -> list[Path]:
    """List the files of an ending that hold for an image of a BIDS dataset; the nearest is last."""
    return [path for folder in _folders(image) for path in _applicable(folder, stem(image), ending)]


def _folders(image: Path) -> list[Path]:
    """List the folders from a dataset down to an image; none outside of one."""
    above = list(image.absolute().parents)[:DEEPEST]
    below = list(takewhile(lambda folder: VERSION not in read_fields(folder / DESCRIPTION), above))
    return above[: len(below) + 1][::-1] if len(below) < len(above) else []


def _applicable(folder: Path, name: str, ending: str) -> Iterator[Path]:
    """Yield the files of a folder that hold for an image, the most particular one last."""
    *entities, suffix = name.split("_")
    files = {path: path.stem.split("_") for path in folder.glob(f"*{escape(suffix)}{ending}")}
    fitting = {
        path: parts
        for path, parts in files.items()
        if parts[-1] == suffix and set(parts[:-1]) <= set(entities)
    }
    yield from sorted(fitting, key=lambda path: (len(fitting[path]), path.name))
