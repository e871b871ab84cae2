"""Natural images for pre-training: any tree of pictures, DIV2K's folders among them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.entry import Entry, split_of_folders
from metasr_training.datasets.image_slice import Slice
from metasr_training.datasets.pictures import read_luminance
from napari_metasr.io.images import is_picture

if TYPE_CHECKING:
    from pathlib import Path

    from metasr_training.datasets.image_slice import Split

log = logging.getLogger(__name__)

SOURCE = "natural"
LARGEST = 512
"""Rows and columns that are kept of a natural image: those in its middle. 800 images of DIV2K
are 2.8 GB of luminance as they are, and 0.2 GB so."""

FULL_RANGE = (0.0, 255.0)


def is_natural(folder: Path) -> bool:
    """Whether a folder's name says that it holds natural images: ``natural``, ``DIV2K...``."""
    name = folder.name.lower()
    return name == "natural" or name.startswith("div2k")


def _split(parts: tuple[str, ...]) -> Split | None:
    """The split of a picture by the folders it lies in, ``DIV2K_valid_HR`` among them."""
    return split_of_folders(word for name in parts for word in name.split("_"))


def natural_entries(folder: Path) -> list[Entry]:
    """Every picture below a folder; its path there without ending stands for the patient.

    A picture is in the split that a folder is named after (``train``, ``DIV2K_valid_HR``), if
    one is. DIV2K's low-resolution folders (``DIV2K_train_LR_bicubic``) are the same images
    again and are left out.
    """
    entries = []
    for path in sorted(folder.rglob("*")):
        within = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in within.parts)
        reduced = any("_LR" in part for part in within.parts[:-1])
        if hidden or reduced or not is_picture(path):
            continue
        split = _split((folder.name, *within.parts[:-1]))
        name = within.with_suffix("").as_posix()
        entries.append(Entry(path, "natural", SOURCE, name, name, None, split))
    return entries


def read_natural(entry: Entry) -> Slice:
    """The luminance of a natural image, 0..255, at most `LARGEST` pixels along each axis.

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
    if max(image.shape) > LARGEST:
        log.debug("%s: the middle of %d x %d pixels", entry.name, *image.shape)
    middle = np.ascontiguousarray(image[rows, columns])
    return Slice(middle, FULL_RANGE, entry.source, entry.patient, entry.name)
