"""Slices of brain MRI and natural images from a data folder, split by patient."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from metasr_training.datasets.cache import cached, fingerprint
from metasr_training.datasets.contrasts import CONTRASTS_FOLDER
from metasr_training.datasets.image_slice import (
    LEAST_HEAD_SHARE,
    SPLITS,
    Domain,
    Slice,
    Split,
    some_of_each,
)
from metasr_training.datasets.layouts import SLICE_FOLDER, description, recognise
from metasr_training.datasets.natural import LARGEST
from metasr_training.datasets.packed import packed_entries, read_packed
from metasr_training.datasets.readers import Decoded, Unreadable, read_entries, report
from metasr_training.datasets.splits import assign
from napari_metasr.normalisation import FAINT_HEAD_LEVEL

if TYPE_CHECKING:
    from pathlib import Path

    from metasr_training.datasets.entry import Entry

__all__ = [
    "LEAST_HEAD_SHARE",
    "SOURCES",
    "SPLITS",
    "Domain",
    "Slice",
    "Split",
    "Unreadable",
    "load_slices",
    "some_of_each",
]

log = logging.getLogger(__name__)

SOURCES = ("tcga-lgg", "cheng", "brats20")
"""The data sets of brain MRI that the shipped weights are trained on."""

_EXPECTED: dict[Domain, str] = {
    "mri": f"one of {', '.join(SOURCES)} in {SLICE_FOLDER}/, a BraTS tree, or NIfTI files or "
    "gray pictures",
    "natural": "natural images in natural/ or DIV2K.../",
}


def split_entries(data: Path, split_file: Path | None = None) -> list[Entry]:
    """List the images of a data folder or packed file, each with its split.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_slices`.
    """
    entries = packed_entries(data) if data.is_file() else recognise(data)
    splits = assign(entries, split_file)
    return [replace(one, split=splits[one.source, one.patient]) for one in entries]


def _check_any(
    data: Path, split: Split, domain: Domain, sources: tuple[str, ...] | None, found: list[Entry]
) -> None:
    """Raise FileNotFoundError if no entry is of the split."""
    if not found:
        there = description(data) if data.is_dir() else "none"
        expected = _EXPECTED[domain] if sources is None else f"one of {', '.join(sources)}"
        raise FileNotFoundError(f"expected {expected} in {data}, found {there}")
    if not any(one.split == split for one in found):
        patients = Counter(one for _, _, one in {(o.source, o.patient, o.split) for o in found})
        there = ", ".join(f"{patients[name]} of {name}" for name in SPLITS if patients[name])
        raise FileNotFoundError(
            f"expected {domain} images of patients to {split} in {data}, found patients: {there}"
        )


def _decode(
    data: Path,
    entries: list[Entry],
    unreadable: Unreadable,
    per_volume: int | None,
    cache: Path | None,
    request: str,
) -> Decoded:
    """Read entries, from the cache if there is one."""

    def decode() -> Decoded:
        if data.is_file():
            return read_packed(data, entries, unreadable=unreadable)
        return read_entries(entries, unreadable=unreadable, per_volume=per_volume)

    if cache is None:
        return decode()
    sources = sorted({one.source for one in entries})
    files = [path for one in entries for path in (one.image, one.mask)]
    files = [data] if data.is_file() else files
    names = [(one.source, one.patient, one.name) for one in entries]
    key = fingerprint(files, names, per_volume, LEAST_HEAD_SHARE, FAINT_HEAD_LEVEL)
    return cached(cache, f"{request} {sources} {per_volume}", key, decode)


def load_slices(
    data: Path,
    split: Split,
    sources: tuple[str, ...] | None = None,
    *,
    domain: Domain = "mri",
    unreadable: Unreadable = "stop",
    split_file: Path | None = None,
    cache: Path | None = None,
    per_volume: int | None = None,
    contrasts: bool = False,
) -> list[Slice]:
    """Read the slices of a split, without those that are almost empty.

    Of natural images the luminance is read, of large ones its middle (512 x 512 pixels at most).

    Parameters
    ----------
    data
        A data folder, as `metasr_training.datasets.layouts.recognise` describes, or a file that
        `metasr_training.datasets.pack.pack` made of one.
    split
        train, val or test.
    sources
        Which data sets to read; those that are not in the folder are named and skipped.
        All of the domain where None, but for those of ``contrasts/``.
    domain
        Brain MRI or natural images.
    unreadable
        What becomes of a file that cannot be read: ``stop`` raises, ``skip`` names it in a
        warning and goes on.
    split_file
        Where the split of the patients is kept; it is written if it does not exist.
    cache
        A folder for decoded slices, such as `metasr_training.datasets.cache.default_folder`;
        the next call with the same files reads them from there. None reads the files.
    per_volume
        Slices to take of each volume, evenly spread; all where None (and of a packed file).
    contrasts
        Whether the data sets of ``contrasts/`` are read where ``sources`` is None.

    Raises
    ------
    FileNotFoundError
        If the folder holds no images of the domain, the sources or the split, or a file that
        one of its tables lists is missing.
    ValueError
        If a table is not as expected, a patient is in two splits, a file cannot be read, a
        mask has another shape than its image, or every slice is almost empty.
    """
    entries = [one for one in split_entries(data, split_file) if one.domain == domain]
    names = {one.source for one in entries}
    for source in sources or ():
        if source not in names:
            log.warning("no %s in %s: skipped", source, data)
    wanted = names if contrasts else {one for one in names if not one.startswith(CONTRASTS_FOLDER)}
    found = [one for one in entries if one.source in (wanted if sources is None else sources)]
    _check_any(data, split, domain, sources, found)
    chosen = [one for one in found if one.split == split]
    request = f"{data.resolve()} {split} {domain}"
    decoded = _decode(data, chosen, unreadable, per_volume, cache, request)
    report(decoded.unreadable, len(chosen), unreadable)
    slices = decoded.slices
    for source, count in Counter(one.source for one in slices).items():
        log.info("%s %s: %d slices", source, split, count)
    if domain == "natural":
        largest = sum(max(one.image.shape) == LARGEST for one in slices)
        if largest:
            log.info("of %d images no more than the middle %d pixels are kept", largest, LARGEST)
    if not slices:
        raise ValueError(
            f"expected {split} slices in {data}, found none that is not almost empty in the "
            f"{len(chosen)} files, of which {len(decoded.unreadable)} cannot be read"
        )
    return slices
