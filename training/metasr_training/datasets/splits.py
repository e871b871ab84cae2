"""Which patients train, validate and test; drawn once and kept in a file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from metasr_training.datasets.image_slice import SPLITS
from metasr_training.datasets.split_files import (
    Patient,
    names_of,
    one_split_each,
    read_split,
    write_split,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from metasr_training.datasets.entry import Entry
    from metasr_training.datasets.image_slice import Split

SHARES = (0.8, 0.1, 0.1)


def counts(patients: int, shares: tuple[float, float, float] = SHARES) -> tuple[int, int, int]:
    """Return how many of ``patients`` go to train, val and test.

    The last two get their shares, rounded, and at least one each where the share is above zero
    and there are that many besides one to train on.

    Raises
    ------
    ValueError
        If a share is negative, or they do not sum to 1.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"expected shares of at least 0 that sum to 1, found {shares}")
    rest = max(patients - (shares[0] > 0), 0)
    held = []
    for share in shares[1:]:
        held.append(min(max(round(share * patients), int(share > 0)), rest))
        rest -= held[-1]
    return patients - sum(held), held[0], held[1]


def draw(
    patients: Iterable[Patient],
    *,
    seed: int = 0,
    shares: tuple[float, float, float] = SHARES,
) -> dict[Patient, Split]:
    """Draw a split of patients, each source by itself.

    Patients are ranked by a hash of seed, source and name, so that the same draw comes out on
    every machine, in whatever order they are given.

    Raises
    ------
    ValueError
        As `counts`.
    """
    drawn: dict[Patient, Split] = {}
    pool = set(patients)
    for source in sorted({source for source, _ in pool}):
        ranked = sorted(
            (patient for patient in pool if patient[0] == source),
            key=lambda patient: hashlib.sha256(f"{seed}/{source}/{patient[1]}".encode()).digest(),
        )
        train, val, _ = counts(len(ranked), shares)
        for rank, patient in enumerate(ranked):
            drawn[patient] = SPLITS[(rank >= train) + (rank >= train + val)]
    return drawn


def own_split(entries: Iterable[Entry]) -> dict[Patient, Split]:
    """Return the splits that the data sets themselves state.

    Raises
    ------
    ValueError
        If a patient is in two of them; it is named.
    """
    return one_split_each([((one.source, one.patient), one.split) for one in entries], "the data")


def assign(
    entries: list[Entry],
    split_file: Path | None = None,
    *,
    seed: int = 0,
    shares: tuple[float, float, float] = SHARES,
) -> dict[Patient, Split]:
    """Assign a split to every patient.

    Patients are where their data set puts them. The others are where a split file that exists
    has them; without one they are drawn, and the file is written with all of them, if one is named.

    Parameters
    ----------
    entries
        All images of a data folder.
    split_file
        A file as `read_split` describes; without one the draw is repeated each time.
    seed, shares
        Of the draw.

    Raises
    ------
    ValueError
        If a patient is in two splits, of the data set, of the file or of both, or is in neither;
        the message names them.
    """
    own = own_split(entries)
    patients = {(one.source, one.patient) for one in entries}
    if split_file is None or not split_file.exists():
        undecided = patients - own.keys()
        split = own | draw(undecided, seed=seed, shares=shares)
        if split_file is not None:
            write_split(split_file, split)
        return split
    stored = read_split(split_file)
    missing = patients - stored.keys() - own.keys()
    if missing:
        raise ValueError(
            f"{split_file}: expected the split of every patient, found none of {names_of(missing)}"
        )
    moved = {patient for patient, split in own.items() if stored.get(patient, split) != split}
    if moved:
        raise ValueError(
            f"{split_file}: expected every patient where its data set puts it, "
            f"found in two splits: {names_of(moved)}"
        )
    return {patient: (own | stored)[patient] for patient in patients}
