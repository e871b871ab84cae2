"""Names for series in which no patient can be read."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
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
"""What is read to be taken out of descriptions, and written nowhere."""

KEPT = 256
"""So many descriptions stay in memory, since all images of a series have the same ones."""

LONGEST = 64
SHORTEST_WORD, SHORTEST_NAME, SHORTEST_NUMBER = 3, 2, 4
"""Letters of a word that is taken out; of one of the patient's names; digits within a word."""

_WORD = re.compile(r"[^\W_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_NUMBERS = re.compile(r"\d{5,}|\d+(\.\d+){3,}|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")
"""Dates, record numbers and UIDs."""

_MONTH = r"(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[^\W\d_]*[\W_]*"
_DATES = re.compile(
    rf"(?<![^\W_])\d{{1,2}}[\W_]*{_MONTH}(\d{{4}}|\d{{2}})(?!\d)"
    rf"|(?<![^\W\d_]){_MONTH}(\d{{1,2}}[\W_]+)?(19|20)\d{{2}}(?!\d)",
    re.IGNORECASE,
)
"""Dates with the name of the month."""


def redacted(description: str, dataset: Any) -> str:
    """Remove the patient's name and numbers, dates and UIDs from a series' description.

    People type names into descriptions. What stands in the header as an identifier is taken out
    wherever it recurs, with the whole word that it is a part of, with or without accents and
    punctuation; a nickname that stands nowhere else cannot be known for one.

    Parameters
    ----------
    description
        As stored.
    dataset
        The file's, with as many of the `IDENTIFYING` elements as it has.
    """
    if not description:
        return ""
    return _redacted(description, tuple(str(dataset.get(one) or "") for one in IDENTIFYING))


@lru_cache(maxsize=KEPT)
def _redacted(text: str, values: tuple[str, ...]) -> str:
    for value in values:
        if len(value) >= SHORTEST_WORD:
            text = re.sub(re.escape(value), " ", text, flags=re.IGNORECASE)
    names = set().union(*(_spellings(word) for word in _WORD.findall(values[0])))
    whole = {name for name in names if len(name) >= SHORTEST_NAME}
    parts = set().union(*map(_parts, values))
    text = _NUMBERS.sub(" ", _DATES.sub(" ", text))
    text = _WORD.sub(lambda word: " " if _tells(word[0], whole, parts) else word[0], text)
    kept = re.sub(r"[^\w.+*-]+", " ", unicodedata.normalize("NFC", text)).strip(" _.-+*")
    return kept[:LONGEST].strip()


def _spellings(text: str) -> set[str]:
    """Return a word in lower case, once with accents removed and once with them written out."""
    small = unicodedata.normalize("NFC", text).casefold()
    return {_bare(small), _bare(small.translate(_UMLAUTS))}


def _bare(text: str) -> str:
    found = unicodedata.normalize("NFKD", text.translate(_STROKES))
    return "".join(letter for letter in found if not unicodedata.combining(letter))


def _parts(value: str) -> set[str]:
    """List what no word may contain of an identifier: its words, and all of them run together."""
    words = _WORD.findall(unicodedata.normalize("NFC", value))
    found = set().union(*map(_spellings, (*words, "".join(words), "".join(reversed(words)))))
    return {
        part
        for part in found
        if len(part) >= (SHORTEST_NUMBER if part.isdigit() else SHORTEST_WORD)
    }


def _tells(word: str, whole: set[str], parts: set[str]) -> bool:
    """Return whether a word of a description is, or contains, an identifier."""
    return any(
        spelling.strip("0123456789") in whole or any(part in spelling for part in parts)
        for spelling in _spellings(word)
    )


def series_name(modality: str, description: str, number: str) -> str:
    """Compose the name of a volume, suitable for a file and for a layer.

    Parameters
    ----------
    modality, description
        Of the series; the description redacted.
    number
        Of the series, by which it is called where it has no description.
    """
    told = description or f"series {number}"
    return re.sub(r"[^\w.+-]+", "-", f"{modality or 'image'}_{told}")
