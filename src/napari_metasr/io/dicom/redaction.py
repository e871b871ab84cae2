"""Names for series in which no patient can be read."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["IDENTIFYING", "redacted", "series_name"]

IDENTIFYING = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthName",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "InstitutionName",
)
"""What is read to be taken out of descriptions, and kept nowhere."""

LONGEST = 64
SHORTEST_WORD = 3
_WORD = re.compile(r"[^\W_]+")
_NUMBERS = re.compile(r"\d{5,}|\d+(\.\d+){3,}|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")
"""Dates, record numbers and UIDs."""


def redacted(description: str, dataset: Any) -> str:
    """A series' description without words of the patient's name and numbers, dates and UIDs.

    People type names into descriptions. What stands in the header as an identifier is taken out
    wherever it recurs; a nickname that stands nowhere else cannot be known for one.

    Parameters
    ----------
    description
        As stored.
    dataset
        The file's, with as many of the `IDENTIFYING` elements as it has.
    """
    values = [str(dataset.get(keyword) or "") for keyword in IDENTIFYING]
    text = description
    for value in values:
        if len(value) >= SHORTEST_WORD:
            text = re.sub(re.escape(value), " ", text, flags=re.IGNORECASE)
    words = (word for value in values for word in _WORD.findall(value))
    known = {word.casefold() for word in words if len(word) >= SHORTEST_WORD}
    text = _NUMBERS.sub(" ", text)
    text = _WORD.sub(lambda word: " " if word[0].casefold() in known else word[0], text)
    kept = re.sub(r"[^\w.+*-]+", " ", text, flags=re.ASCII).strip(" _.-+*")
    return kept[:LONGEST].strip()


def series_name(modality: str, description: str, number: str) -> str:
    """What a volume is called: fit for a file's name and for a layer's.

    Parameters
    ----------
    modality, description
        Of the series; the description redacted.
    number
        Of the series, by which it is called where it has no description.
    """
    told = description or f"series {number}"
    return re.sub(r"[^\w.+-]+", "-", f"{modality or 'image'}_{told}", flags=re.ASCII)
