"""Pack a data folder into one small file: cropped, 8 bit, compressed."""

from __future__ import annotations

import io
import logging
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from metasr_training.datasets.eight_bits import EIGHT_BITS, FULL_RANGE
from metasr_training.datasets.image_slice import SPLITS, Domain, Slice, Split
from metasr_training.datasets.packed import PackedSlice, write_pack
from metasr_training.datasets.readers import Unreadable, spread
from metasr_training.datasets.slices import load_slices, split_entries
from metasr_training.datasets.windows import mask_box
from napari_metasr.files import check_kept, check_writable
from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import FAINT_HEAD_LEVEL, LinearMap, cast_to_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

MARGIN = 8
"""Pixels of background that are kept around a head."""

LIMIT_MIB = 60.0
_SHRINK = 0.98


@dataclass(frozen=True)
class Packing:
    """What went into a packed file.

    Attributes
    ----------
    found, kept
        Slices of each (source, split), before and after they were thinned to the limit.
    size
        Of the file, in bytes.
    """

    found: dict[tuple[str, Split], int]
    kept: dict[tuple[str, Split], int]
    size: int


def eight_bit(one: Slice) -> Slice:
    """Convert a slice to 8 bits, scaled by its intensity range; one of 8 bits is unchanged.

    All slices of a volume are scaled alike, and ``normalised`` is what it was where it lay in
    0..1, but for the rounding to 1/255.
    """
    if one.image.dtype == np.uint8:
        return one
    image = cast_to_dtype(LinearMap(*one.intensity_range).forward(one.image) * EIGHT_BITS, np.uint8)
    return replace(one, image=image, intensity_range=FULL_RANGE)


def cropped(one: Slice) -> Slice:
    """Crop the background beyond `MARGIN` pixels around head and tumour."""
    inside = one.normalised > FAINT_HEAD_LEVEL
    box = mask_box(inside if one.mask is None else inside | one.mask)
    if box is None:
        return one
    rows, columns = one.image.shape
    top, left, bottom, right = Window(*box).grown(MARGIN).pixels((rows, columns))
    window = np.s_[top:bottom, left:right]
    mask = None if one.mask is None else one.mask[window]
    return replace(one, image=one.image[window], mask=mask)


def _encoded(pixels: NDArray[Any], form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format=form, **options)
    return buffer.getvalue()


def encode(slices: list[Slice], split: Split, domain: Domain) -> list[PackedSlice]:
    """Crop slices of brain MRI to the head, bring all to 8 bits, and compress them."""

    def one_of(one: Slice) -> PackedSlice:
        small = eight_bit(cropped(one) if domain == "mri" else one)
        image = _encoded(small.image, "WEBP", lossless=True, quality=0, method=4)
        mask = None if small.mask is None else _encoded(small.mask, "PNG", optimize=True)
        return PackedSlice(small, split, domain, image, mask)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(one_of, slices))


def thinned(encoded: list[PackedSlice], limit: int) -> list[PackedSlice]:
    """Keep as many slices as fit into ``limit`` bytes: the same share per source and split.

    Raises
    ------
    ValueError
        If not even one of each does.
    """
    groups: dict[tuple[str, Split], list[PackedSlice]] = {}
    for one in encoded:
        groups.setdefault((one.slice.source, one.split), []).append(one)
    share = 1.0
    while True:
        kept = [
            group[index]
            for group in groups.values()
            for index in spread(len(group), max(int(share * len(group)), 1))
        ]
        size = sum(one.size for one in kept)
        if size <= limit:
            return kept
        if len(kept) == len(groups):
            raise ValueError(
                f"expected a limit of at least {size / 2**20:.1f} MiB for one slice of each "
                f"source and split, found {limit / 2**20:.1f}"
            )
        share = min(share * _SHRINK, share * limit / size)


def _counted(encoded: list[PackedSlice]) -> dict[tuple[str, Split], int]:
    return dict(Counter((one.slice.source, one.split) for one in encoded))


def pack(
    data: Path,
    output: Path,
    limit_mib: float = LIMIT_MIB,
    *,
    splits: tuple[Split, ...] = SPLITS,
    domains: tuple[Domain, ...] = ("mri", "natural"),
    sources: tuple[str, ...] | None = None,
    unreadable: Unreadable = "stop",
    split_file: Path | None = None,
    per_volume: int | None = None,
    overwrite: bool = False,
) -> Packing:
    """Pack a data folder into one file, which is read as the folder is.

    Slices of brain MRI lose the background beyond 8 pixels around the head, and intensities of
    more than 8 bits are clipped to the limits of their volume and rounded. Where the whole is
    larger than the limit, the same share of the slices of each source and split is left out,
    and a warning says how many.

    Parameters
    ----------
    data
        A data folder.
    output
        The file to write, such as ``data.zip``.
    limit_mib
        Its largest size, in MiB.
    splits
        Patients of which splits to pack, where the folder holds any.
    domains
        Brain MRI, natural images, or both.
    sources
        Data sets to pack; all by default.
    unreadable
        What to do with a file that cannot be read: stop, or name and skip it.
    split_file
        The file that keeps the split of the patients; it is written if it does not exist.
    per_volume
        Slices of each volume, evenly spread; all by default.
    overwrite
        Replace an older file.

    Raises
    ------
    InputReplacedError
        If the output is one of the files that are read.
    FileExistsError, IsADirectoryError
        If there is a file and it may not be replaced, or a folder.
    FileNotFoundError, ValueError
        As `load_slices`; or nothing is there to pack, or too much for the limit.
    """
    check_writable(output, overwrite=overwrite)
    entries = split_entries(data, split_file)
    images = (path for one in entries for path in (one.image, one.mask))
    read = (data if data.is_file() else None, split_file, *images)
    check_kept(output, [path for path in read if path is not None])
    there = {(one.split, one.domain) for one in entries if sources is None or one.source in sources}
    encoded: list[PackedSlice] = []
    for domain in domains:
        for split in splits:
            if (split, domain) not in there:
                log.info("no %s images of %s in %s", domain, split, data)
                continue
            slices = load_slices(
                data,
                split,
                sources,
                domain=domain,
                unreadable=unreadable,
                split_file=split_file,
                per_volume=per_volume,
            )
            encoded += encode(slices, split, domain)
    if not encoded:
        raise FileNotFoundError(
            f"expected images of {', '.join(splits)} in {data} to pack, found none"
        )
    kept = thinned(encoded, int(limit_mib * 2**20))
    write_pack(output, kept, overwrite=overwrite)
    packing = Packing(_counted(encoded), _counted(kept), output.stat().st_size)
    if len(kept) < len(encoded):
        log.warning(
            "%s: %d of %d slices, evenly spread, so that it stays below %g MiB",
            output,
            len(kept),
            len(encoded),
            limit_mib,
        )
    return packing
