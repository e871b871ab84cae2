"""A file of a data folder that holds images, before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari_metasr.io.images import is_picture
from napari_metasr.io.names import is_volume_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metasr_training.datasets.image_slice import Domain, Split

Kind = Literal["volume", "picture", "natural"]

_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


@dataclass(frozen=True)
class Entry:
    """An image file, with the file of its mask.

    Attributes
    ----------
    image
        A NIfTI file, a gray picture, or a natural image; it may turn out to be missing.
    kind
        Which of the three.
    source, patient, name
        Data set, patient within it, and the name its slices begin with.
    mask
        The file of the mask, if there is one.
    split
        The split that the data set itself puts the patient in; None where it has none.
    contrast
        Such as ``t1ce`` or ``flair``; empty where no name tells.
    """

    image: Path
    kind: Kind
    source: str
    patient: str
    name: str
    mask: Path | None = None
    split: Split | None = None
    contrast: str = ""

    @property
    def domain(self) -> Domain:
        """``natural`` for natural images, ``mri`` for everything else."""
        return "natural" if self.kind == "natural" else "mri"


def kind_of(path: Path) -> Kind | None:
    """Return ``volume`` or ``picture`` by a file's suffix; None for other files."""
    if is_volume_file(path):
        return "volume"
    return "picture" if is_picture(path) else None


def split_of_folders(names: Iterable[str]) -> Split | None:
    """Return the split that one of the folders on a path is named after; None if none is."""
    for name in names:
        if name.lower() in _SPLIT_FOLDERS:
            return _SPLIT_FOLDERS[name.lower()]
    return None


def visible(folder: Path) -> list[Path]:
    """List the contents of a folder, sorted by name, without hidden files.

    Raises
    ------
    ValueError
        If it cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise ValueError(
            f"{folder}: expected a folder that can be read, found none ({error.strerror})"
        ) from error
