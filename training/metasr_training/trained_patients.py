"""Which patients trained a model, and whether those that it is measured on are others."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from metasr_training.datasets.contrasts import person
from metasr_training.datasets.slices import load_slices
from metasr_training.datasets.split_files import names_of, read_split

if TYPE_CHECKING:
    from metasr_training.datasets.slices import Slice, Split

log = logging.getLogger(__name__)

DIGITS = 12


def patient_hash(source: str, patient: str) -> str:
    """Return the first digits of a hash of a patient, the same for all contrasts of a data set.

    It is of the names of the data set's folder and of the patient: whoever can guess both can tell
    that a card holds it. Patients of one name in folders of one name are taken for one.
    """
    return hashlib.sha256("/".join(person(source, patient)).encode()).hexdigest()[:DIGITS]


def patient_hashes(slices: Iterable[Slice]) -> tuple[str, ...]:
    """Return the hashes of the patients of slices, as a card keeps them."""
    return tuple(sorted({patient_hash(one.source, one.patient) for one in slices}))


def slices_of_split(
    data: Path, split: Split, sources: tuple[str, ...], given: Path | None
) -> list[Slice]:
    """Load the slices of a split, of a given split file or as it is drawn without one.

    Parameters
    ----------
    sources
        Which data sets; all that are there where none is named.
    given
        The split file; it is never written.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``read_split`` and ``load_slices``.
    """
    if given is not None:
        read_split(given)
    return load_slices(data, split, sources or None, split_file=given)


def warn_of_trained(name: str, trained: Iterable[str], measured: Iterable[Slice]) -> None:
    """Warn if a model is measured on patients that trained it.

    Parameters
    ----------
    name
        Of the model.
    trained
        The hashes of its card; none where it is not known who trained it.
    measured
        The slices that it is to be measured on.
    """
    known = set(trained)
    both = {
        (one.source, one.patient)
        for one in measured
        if patient_hash(one.source, one.patient) in known
    }
    if both:
        log.warning(
            "%s was trained on %d of the patients that it is measured on (%s): the figures say "
            "nothing of others; the split of its training would leave them out",
            name,
            len(both),
            names_of(both),
        )
