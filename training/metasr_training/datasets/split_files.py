"""The file that keeps which patients train, validate and test."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, ValidationError

from metasr_training.datasets.image_slice import SPLITS
from metasr_training.datasets.tables import read_table
from napari_metasr.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from metasr_training.datasets.image_slice import Split

Patient = tuple[str, str]
"""Source and patient."""

_Patients = dict[str, list[str]]
_NAMED = 6


class _Stored(BaseModel, extra="forbid"):
    """A split file's contents: the patients of each source in each split."""

    train: _Patients = Field(default_factory=dict)
    val: _Patients = Field(default_factory=dict)
    test: _Patients = Field(default_factory=dict)


def names_of(patients: Iterable[Patient]) -> str:
    """Name patients for a message: the first few by name, and the number of the others."""
    found = sorted(patients)
    names = ", ".join(f"{source} {patient}" for source, patient in found[:_NAMED])
    return names + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")


def one_split_each(rows: list[tuple[Patient, Split | None]], where: str) -> dict[Patient, Split]:
    """Return the split of every patient that some row states one for.

    Raises
    ------
    ValueError
        If rows state two of a patient; it is named, after ``where`` they are from.
    """
    found: dict[Patient, set[Split]] = {}
    for patient, split in rows:
        if split is not None:
            found.setdefault(patient, set()).add(split)
    twice = {patient for patient, splits in found.items() if len(splits) > 1}
    if twice:
        raise ValueError(
            f"{where}: expected every patient in one split, found in two: {names_of(twice)}"
        )
    return {patient: next(iter(splits)) for patient, splits in found.items()}


def _rows(path: Path) -> list[tuple[Patient, Split | None]]:
    """Read the rows of a split file, CSV or JSON according to its suffix."""
    if path.suffix.lower() != ".json":
        table = read_table(path, ("source", "patient", "split"))
        named = [(row["source"], row["patient"], row["split"]) for row in table]
    else:
        try:
            stored = _Stored.model_validate_json(path.read_bytes())
        except (ValidationError, PermissionError, IsADirectoryError) as error:
            raise ValueError(
                f"{path}: expected a split file ({{split: {{source: [patients]}}}}), "
                "found another or a damaged one"
            ) from error
        named = [
            (source, patient, split)
            for split, sources in stored.model_dump().items()
            for source, patients in sources.items()
            for patient in patients
        ]
    return [
        ((source, patient), split)
        for source, patient, name in named
        for split in SPLITS
        if split == name
    ]


def read_split(path: Path) -> dict[Patient, Split]:
    """Read a split file.

    Parameters
    ----------
    path
        ``.json``: ``{split: {source: [patients]}}``. Else CSV: columns source, patient, split.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is damaged, or a patient is in two splits.
    """
    return one_split_each(_rows(path), str(path))


def _as_json(patients: dict[Patient, Split]) -> str:
    stored = _Stored()
    for (source, patient), split in sorted(patients.items()):
        getattr(stored, split).setdefault(source, []).append(patient)
    return stored.model_dump_json(indent=1) + "\n"


def _as_csv(patients: dict[Patient, Split]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("source", "patient", "split"))
    table.writerows((*patient, split) for patient, split in sorted(patients.items()))
    return text.getvalue()


def write_split(path: Path, patients: dict[Patient, Split]) -> None:
    """Write a split file as `read_split` reads it, whole or not at all, over an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _as_json(patients) if path.suffix.lower() == ".json" else _as_csv(patients)
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
