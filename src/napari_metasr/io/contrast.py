"""Which MRI contrast a file or layer shows, as far as its name tells."""

from __future__ import annotations

import re

PATTERNS = (
    (
        "T1c",
        r"t1[-_ ]?(c|ce|gd|post|w?[-_ ]?ce)(?![a-z])|post[-_ ]?contrast|ce[-_]([a-z0-9]+[-_])?t1w?",
    ),
    ("FLAIR", r"flair|t2f(?![a-z])"),
    ("T1", r"t1(n|w)?(?![a-z0-9])"),
    ("T2", r"t2(w)?(?![a-z0-9])"),
    ("PD", r"pdw?(?![a-z0-9])"),
)

CONTRASTS = (*(name for name, _ in PATTERNS), "T2star", "SWI", "DWI")
"""The contrasts that a model card may name."""


def guess_contrast(name: str) -> str | None:
    """Guess ``T1c``, ``T1``, ``T2``, ``FLAIR`` or ``PD`` from a name; None where it says nothing.

    Examples
    --------
    >>> guess_contrast("BraTS-GLI-00000-000-t1c")
    'T1c'
    """
    for contrast, pattern in PATTERNS:
        if re.search(rf"(?<![a-z0-9])({pattern})", name.lower()):
            return contrast
    return None
