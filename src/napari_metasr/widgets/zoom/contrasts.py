"""Which MRI contrast a layer shows, as far as its name tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PATTERNS = (
    (
        "T1c",
        r"t1[-_ ]?(c|ce|gd|post|w?[-_ ]?ce)(?![a-z])|post[-_ ]?contrast|ce[-_]([a-z0-9]+[-_])?t1w?",
    ),
    ("FLAIR", r"flair|t2f(?![a-z])"),
    ("T1", r"t1(n|w)?(?![a-z0-9])"),
    ("T2", r"t2(w)?(?![a-z0-9])"),
)


def guess_contrast(name: str) -> str | None:
    """Guess ``T1c``, ``T1``, ``T2`` or ``FLAIR`` from a name; None where it says nothing.

    Examples
    --------
    >>> guess_contrast("BraTS-GLI-00000-000-t1c")
    'T1c'
    """
    for contrast, pattern in PATTERNS:
        if re.search(rf"(?<![a-z0-9])({pattern})", name.lower()):
            return contrast
    return None


def contrast_notice(names: Sequence[str], trained: Sequence[str], model: str) -> str:
    """What to warn of when layers of these names are magnified; empty where nothing is.

    Parameters
    ----------
    names
        Of the layers.
    trained
        The contrasts the model was trained on.
    model
        The model's title.
    """
    known = {contrast.lower() for contrast in trained}
    guesses = {name: guess_contrast(name) for name in names}
    foreign = dict.fromkeys(g for g in guesses.values() if g is not None and g.lower() not in known)
    unknown = [name for name, guess in guesses.items() if guess is None]
    trained_text = ", ".join(trained)
    texts = []
    if foreign:
        texts.append(f"{model} was not trained on {', '.join(foreign)} (only on {trained_text}).")
    if unknown:
        listed = ", ".join(f"“{name}”" for name in unknown)
        texts.append(f"Contrast of {listed} unknown; {model} was trained on {trained_text}.")
    return " ".join(texts)
