"""Files of a data folder to slices; what cannot be read is named."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from metasr_training.datasets.image_slice import LEAST_HEAD_SHARE, Slice
from metasr_training.datasets.natural import read_natural
from metasr_training.datasets.pictures import read_gray, read_mask
from napari_metasr.acquisition import acquired_bands
from napari_metasr.geometry.display import as_displayed
from napari_metasr.io.loading import read_volume
from napari_metasr.normalisation import fill_missing, intensity_range

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from metasr_training.datasets.entry import Entry

log = logging.getLogger(__name__)

Unreadable = Literal["skip", "stop"]

_THREADS = 4


@dataclass(frozen=True)
class Decoded:
    """What became of files: slices, and a message for each file that could not be read."""

    slices: list[Slice]
    unreadable: list[str]


def _stack(path: Path) -> NDArray[Any]:
    """Read the axial slices (z, y, x) of a NIfTI file, canonical; a 2-D image is one slice."""
    data = read_volume(path).data
    if data.ndim == 4:
        raise ValueError(f"{path}: expected one volume, found a series of {data.shape[0]}")
    return data if data.ndim == 3 else data[np.newaxis]


def _check_mask(path: Path, found: tuple[int, ...], image: Path, expected: tuple[int, ...]) -> None:
    if found != expected:
        raise ValueError(
            f"{path}: expected a mask of {' x '.join(map(str, expected))} like {image.name}, "
            f"found {' x '.join(map(str, found))}"
        )


def spread(count: int, wanted: int | None) -> NDArray[np.int64]:
    """Return indices of ``wanted`` evenly spread slices out of ``count``; all of them if None."""
    take = count if wanted is None else min(wanted, count)
    return np.linspace(0, count - 1, take).astype(np.int64)


def _band(image: NDArray[Any]) -> tuple[float, float]:
    """Estimate the acquired share of the band along rows and columns, of one slice or a stack."""
    rows, columns = (1.0 if band is None else band.share for band in acquired_bands(image))
    return rows, columns


def _volume(entry: Entry, per_volume: int | None) -> list[Slice]:
    stack = _stack(entry.image)
    zero_and_one = intensity_range(stack)
    stack, _ = fill_missing(stack, zero_and_one[0])
    masks = None
    if entry.mask is not None:
        masks = _stack(entry.mask) > 0
        _check_mask(entry.mask, masks.shape, entry.image, stack.shape)
    slices = []
    for index, image in enumerate(stack):
        one = Slice(
            np.ascontiguousarray(as_displayed(image)),
            zero_and_one,
            entry.source,
            entry.patient,
            f"{entry.name}:{index}",
            None if masks is None else np.ascontiguousarray(as_displayed(masks[index])),
            contrast=entry.contrast,
        )
        if one.head_share > LEAST_HEAD_SHARE:
            slices.append(one)
    if not slices:
        return []
    band = _band(np.stack([one.image for one in slices]))
    return [replace(slices[index], band=band) for index in spread(len(slices), per_volume)]


def _picture(entry: Entry) -> list[Slice]:
    image = read_gray(entry.image)
    zero_and_one = intensity_range(image)
    image, _ = fill_missing(image, zero_and_one[0])
    mask = None
    if entry.mask is not None:
        mask = read_mask(entry.mask)
        _check_mask(entry.mask, mask.shape, entry.image, image.shape)
    names = (entry.source, entry.patient, entry.name)
    one = Slice(image, zero_and_one, *names, mask, _band(image), entry.contrast)
    return [one] if one.head_share > LEAST_HEAD_SHARE else []


def read_entry(entry: Entry, per_volume: int | None = None) -> list[Slice]:
    """Read the slices of a file, without those that are almost empty.

    Volumes are cut into axial slices that lie as the application shows them (radiological).
    NaN and infinity become the volume's lower limit.

    Parameters
    ----------
    entry
        Which file.
    per_volume
        Take this many slices of a volume, evenly spread over those with enough head.

    Raises
    ------
    FileNotFoundError
        A file is missing.
    ValueError
        A file cannot be read, or the mask's shape is not the image's; the message names it.
    """
    if entry.kind == "natural":
        return [read_natural(entry)]
    return _volume(entry, per_volume) if entry.kind == "volume" else _picture(entry)


def read_entries(
    entries: list[Entry], *, unreadable: Unreadable = "stop", per_volume: int | None = None
) -> Decoded:
    """Read files, several at a time, in their order.

    Parameters
    ----------
    entries
        Which files.
    unreadable
        ``stop`` raises at the first file that cannot be read; ``skip`` goes on without it and
        reports it.
    per_volume
        As in `read_entry`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_entry`, with ``stop``.
    """

    def attempt(entry: Entry) -> list[Slice] | str:
        try:
            return read_entry(entry, per_volume)
        except (ValueError, OSError) as error:
            if unreadable == "stop":
                raise
            return str(error) if str(entry.image) in str(error) else f"{entry.image}: {error}"

    slices: list[Slice] = []
    messages: list[str] = []
    pool = ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1))
    try:
        for outcome in pool.map(attempt, entries):
            if isinstance(outcome, str):
                messages.append(outcome)
            else:
                slices += outcome
    finally:
        pool.shutdown(cancel_futures=True)
    return Decoded(slices, messages)


def report(messages: list[str], files: int, unreadable: Unreadable) -> None:
    """Name every file that could not be read and count them; or stop at the first.

    Raises
    ------
    ValueError
        With ``stop``, if there is any.
    """
    if messages and unreadable == "stop":
        raise ValueError(messages[0])
    for message in messages:
        log.warning("skipped %s", message)
    if messages:
        log.warning("%d of %d files could not be read and were skipped", len(messages), files)
