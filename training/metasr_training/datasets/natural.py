"""Natural images for pre-training: any tree of pictures, DIV2K's folders among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.entry import Entry, split_of_folders, visible
from metasr_training.datasets.image_slice import Slice
from metasr_training.datasets.pictures import read_luminance
from napari_metasr.io.images import is_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metasr_training.datasets.image_slice import Split

SOURCE = "natural"
LARGEST = 512
"""Rows and columns that are kept of a natural image: those in its middle. 800 images of DIV2K
are 2.8 GB of luminance as they are, and 0.2 GB so."""

FULL_RANGE = (0.0, 255.0)


def is_natural(folder: Path) -> bool:
    """Return whether a folder is named for natural images: ``natural``, ``DIV2K...``.

    DIV2K's low-resolution folders (``DIV2K_train_LR_bicubic``) hold the same images again.
    """
    name = folder.name.lower()
    return name == "natural" or (name.startswith("div2k") and not _is_reduced(folder))


def _is_reduced(folder: Path) -> bool:
    return "_LR" in folder.name


def _split(parts: tuple[str, ...]) -> Split | None:
    """Return the split of a picture by the folders that hold it, such as ``DIV2K_valid_HR``."""
    return split_of_folders(word for name in parts for word in name.split("_"))


def _pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures below a folder, except those in folders of reduced ones."""
    for path in visible(folder):
        if path.is_dir():
            if not _is_reduced(path):
                yield from _pictures(path)
        elif is_picture(path):
            yield path


def natural_entries(folder: Path) -> list[Entry]:
    """List every picture below a folder; its path there without suffix stands for the patient.

    A picture is in the split that a folder is named after (``train``, ``DIV2K_valid_HR``), if
    one is. Folders of reduced images (``DIV2K_train_LR_bicubic``) are left out.
    """
    entries = []
    for path in _pictures(folder):
        within = path.relative_to(folder)
        split = _split((folder.name, *within.parts[:-1]))
        name = within.with_suffix("").as_posix()
        entries.append(Entry(path, "natural", SOURCE, name, name, None, split))
    return entries


def read_natural(entry: Entry) -> Slice:
    """Read the luminance of a natural image, 0..255, at most `LARGEST` pixels along each axis.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_luminance`.
    """
    image = read_luminance(entry.image)
    rows, columns = (
        slice((size - min(size, LARGEST)) // 2, (size + min(size, LARGEST)) // 2)
        for size in image.shape
    )
    middle = np.ascontiguousarray(image[rows, columns])
    return Slice(middle, FULL_RANGE, entry.source, entry.patient, entry.name)
