"""Which MRI contrast a file, a layer or a series shows, as far as its name tells."""

from __future__ import annotations

import re

GUESSED = ("T1c", "T1", "T2", "FLAIR", "PD")
"""The contrasts that a name is taken to tell of; T1c is T1 after contrast agent."""

CONTRASTS = (*GUESSED, "T2star", "SWI", "DWI")
"""The contrasts that a model card may name."""

_FLAIR = re.compile(r"\w*flair\w*|t2f|tirm")
_T1 = re.compile(r"t1[\w+]*|3dt1|mp2?rage|\w*spgr|bravo")
_T2 = re.compile(r"t2w?|t2tse|t2fse")
_PD = re.compile(r"pdw?|proton")
_ENHANCED = re.compile(r"t1[\w]*(ce|c|gd|gad|post|\+c?)")
_AGENT = re.compile(r"ce|c?\+c?|gd\w*|gad\w*|post\w*|contrast|enhanced|km")
_OTHER = re.compile(r"t2star|t2\*|swi|dwi|adc|dti|bold|asl|perf\w*|mra|tof|seg\w*|mask|\w*map")


def _told_by(name: str) -> str | None:
    words = re.split(r"[\s_\-./:]+", name.lower())

    def any_is(pattern: re.Pattern[str]) -> bool:
        return any(pattern.fullmatch(word) for word in words)

    if any_is(_OTHER):
        return None
    if any_is(_FLAIR):
        return "FLAIR"
    if any_is(_T1):
        return "T1c" if any_is(_ENHANCED) or any_is(_AGENT) else "T1"
    return "T2" if any_is(_T2) else "PD" if any_is(_PD) else None


def guess_contrast(*names: str) -> str | None:
    """Guess a contrast from the first of several names that tells of one; None where none does.

    Parameters
    ----------
    names
        Such as ``sub-01_ce-gadolinium_T1w``, ``BraTS-GLI-00000-000-t2f``, ``t1_mprage_sag_gd``.

    Examples
    --------
    >>> guess_contrast("BraTS-GLI-00000-000-t1c")
    'T1c'
    """
    return next(filter(None, map(_told_by, names)), None)


def known_contrast(text: str) -> str:
    """Return the contrast that a person states, in any capitals.

    Raises
    ------
    ValueError
        If it is none of `GUESSED`.
    """
    for contrast in GUESSED:
        if contrast.lower() == text.lower():
            return contrast
    raise ValueError(f"expected a contrast among {', '.join(GUESSED)}, found {text!r}")
