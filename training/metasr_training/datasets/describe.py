"""What a data folder holds, as training will see it: printed before a run is begun."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.cache import default_folder
from metasr_training.datasets.image_slice import SPLITS, Split
from metasr_training.datasets.masked import stripped_mask
from metasr_training.datasets.readers import Unreadable
from metasr_training.datasets.slices import load_slices, some_of_each, split_entries
from metasr_training.tables import markdown_table
from napari_metasr.acquisition.noise import noise_of

if TYPE_CHECKING:
    from metasr_training.datasets.image_slice import Slice

LOOKED_AT = 12
"""Slices of each source and split that noise and masks are told from."""


@dataclass(frozen=True)
class SourceDescription:
    """One data set in one split.

    Attributes
    ----------
    source, split
        Which.
    patients, slices, outlined
        How many there are, and how many slices have a tumour outlined.
    contrasts
        Slices of each; under an empty name those whose contrast is not told.
    limited
        Share of the slices whose band is not filled along rows or columns.
    bands
        Median share of the band that rows and columns hold, of those where it is not filled; None
        where all are.
    noise
        Median noise as a share of the intensity range, of the slices that tell; None where none
        does.
    stripped
        Share of the slices without a skull.
    """

    source: str
    split: Split
    patients: int
    slices: int
    outlined: int
    contrasts: dict[str, int]
    limited: float
    bands: tuple[float | None, float | None]
    noise: float | None
    stripped: float


def described(slices: list[Slice], source: str, split: Split) -> SourceDescription:
    """Summarise the slices of a source: counts, contrasts, acquired resolution and noise."""
    contrasts: dict[str, int] = defaultdict(int)
    for one in slices:
        contrasts[one.contrast] += 1
    shares = np.array([one.band for one in slices])
    some = some_of_each(slices, LOOKED_AT)
    noises = [noise_of(one.normalised[None], one.band) for one in some]
    told = [noise.share for noise in noises if noise is not None]
    rows, columns = (_median(along[along < 1]) for along in shares.T)
    return SourceDescription(
        source=source,
        split=split,
        patients=len({one.patient for one in slices}),
        slices=len(slices),
        outlined=sum(one.tumour for one in slices),
        contrasts=dict(contrasts),
        limited=float((shares < 1).any(axis=1).mean()),
        bands=(rows, columns),
        noise=float(np.median(told)) if told else None,
        stripped=float(np.mean([stripped_mask(one.normalised) is not None for one in some])),
    )


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None


def describe_data(
    data: Path,
    *,
    sources: tuple[str, ...] | None = None,
    unreadable: Unreadable = "stop",
    split_file: Path | None = None,
    cache: Path | None = None,
) -> list[SourceDescription]:
    """Read a data folder's brain MRI as training does, and describe each source and split.

    Parameters
    ----------
    data
        A data folder or a packed file.
    sources
        Which data sets; all, those of ``contrasts/`` among them, where None.
    unreadable, split_file, cache
        As in `load_slices`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_slices`.
    """
    entries = [one for one in split_entries(data, split_file) if one.domain == "mri"]
    there = {one.split for one in entries if sources is None or one.source in sources}
    found = []
    for split in SPLITS:
        if there and split not in there:
            continue
        slices = load_slices(
            data,
            split,
            sources,
            unreadable=unreadable,
            split_file=split_file,
            cache=cache,
            contrasts=True,
        )
        found += [
            described([one for one in slices if one.source == source], source, split)
            for source in dict.fromkeys(one.source for one in slices)
        ]
    return found


def description_table(found: list[SourceDescription]) -> str:
    """Write a line for each source and split."""

    def share(value: float | None) -> str:
        return "-" if value is None else f"{value:.0%}"

    def band(value: float | None) -> str:
        return "full" if value is None else f"{value:.2f}"

    return markdown_table(
        {
            "source": lambda one: one.source,
            "split": lambda one: one.split,
            "patients": lambda one: str(one.patients),
            "slices": lambda one: str(one.slices),
            "outlined": lambda one: str(one.outlined),
            "contrasts": lambda one: ", ".join(
                f"{name or 'not told'} {count}" for name, count in one.contrasts.items()
            ),
            "interpolated": lambda one: share(one.limited),
            "band of rows, columns": lambda one: ", ".join(map(band, one.bands)),
            "noise": lambda one: "-" if one.noise is None else f"{one.noise:.1%}",
            "skull-stripped": lambda one: share(one.stripped),
        },
        found,
    )


def describe(
    data: Path,
    *,
    sources: tuple[str, ...] | None = None,
    unreadable: Unreadable = "stop",
    split_file: Path | None = None,
) -> None:
    """Print what a data folder holds: sources, contrasts, acquired bands, noise and masks.

    A band of 0.75 means that a quarter of the pixels along that axis is interpolation; a recipe
    whose pairs have ``truths = "acquired"`` trains on the rest.

    Parameters
    ----------
    data
        A data folder, or what ``metasr-train pack`` wrote.
    sources
        Data sets to describe; all by default.
    unreadable
        What to do with a file that cannot be read: stop, or name and skip it.
    split_file
        The file that keeps the split of the patients; it is written if it does not exist.
    """
    found = describe_data(
        data,
        sources=sources,
        unreadable=unreadable,
        split_file=split_file,
        cache=default_folder(),
    )
    print(description_table(found))
