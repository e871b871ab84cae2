"""Which patients train, validate and test; drawn once and kept in a file."""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING

from metasr_training.datasets.image_slice import SPLITS
from metasr_training.datasets.tables import read_table
from napari_metasr.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from metasr_training.datasets.entry import Entry
    from metasr_training.datasets.image_slice import Split

Patient = tuple[str, str]
"""Source and patient."""

SHARES = (0.8, 0.1, 0.1)
_NAMED = 6


def _names(patients: Iterable[Patient]) -> str:
    found = sorted(patients)
    names = ", ".join(f"{source} {patient}" for source, patient in found[:_NAMED])
    return names + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")


def counts(patients: int, shares: tuple[float, float, float] = SHARES) -> tuple[int, int, int]:
    """How many patients of ``patients`` go to train, val and test.

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
    """The splits that the data sets themselves state.

    Raises
    ------
    ValueError
        If a patient is in two of them; it is named.
    """
    return _merged([((one.source, one.patient), one.split) for one in entries], "the data")


def _merged(rows: list[tuple[Patient, Split | None]], where: str) -> dict[Patient, Split]:
    found: dict[Patient, set[Split]] = {}
    for patient, split in rows:
        if split is not None:
            found.setdefault(patient, set()).add(split)
    twice = {patient for patient, splits in found.items() if len(splits) > 1}
    if twice:
        raise ValueError(
            f"{where}: expected every patient in one split, found in two: {_names(twice)}"
        )
    return {patient: next(iter(splits)) for patient, splits in found.items()}


def read_split(path: Path) -> dict[Patient, Split]:
    """Read a split file: columns source, patient, split.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is damaged, or a patient is in two splits.
    """
    rows = read_table(path, ("source", "patient", "split"))
    return _merged(
        [
            ((row["source"], row["patient"]), split)
            for row in rows
            for split in SPLITS
            if split == row["split"]
        ],
        str(path),
    )


def write_split(path: Path, patients: dict[Patient, Split]) -> None:
    """Write a split file, whole or not at all; an older one is replaced."""
    with (
        replacing(path, overwrite=True) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("source", "patient", "split"))
        table.writerows((*patient, split) for patient, split in sorted(patients.items()))


def assign(
    entries: list[Entry],
    split_file: Path | None = None,
    *,
    seed: int = 0,
    shares: tuple[float, float, float] = SHARES,
) -> dict[Patient, Split]:
    """The split of every patient.

    A split file that exists decides. Otherwise patients are where their data set puts them,
    the others are drawn, and the file is written, if one is named.

    Parameters
    ----------
    entries
        All images of a data folder.
    split_file
        A CSV file; without one the draw is repeated each time.
    seed, shares
        Of the draw.

    Raises
    ------
    ValueError
        If a patient is in two splits, of the data set, of the file or of both, or is missing
        from the file; the message names them.
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
    missing = patients - stored.keys()
    if missing:
        raise ValueError(
            f"{split_file}: expected the split of every patient, found none of {_names(missing)}"
        )
    moved = {patient for patient, split in own.items() if stored[patient] != split}
    if moved:
        raise ValueError(
            f"{split_file}: expected every patient where its data set puts it, "
            f"found in two splits: {_names(moved)}"
        )
    return {patient: stored[patient] for patient in patients}
