"""Describe errors to people: in one line, with the nearest name that exists."""

from __future__ import annotations

from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NEAREST_CUTOFF = 0.5
"""Similarity, 0 to 1, from which on a name is suggested."""

MOST_PROBLEMS = 3
"""Problems of one document that are described; the others are counted."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_NO_INPUT = ("missing", "json_invalid")
"""Kinds of problems whose input is the whole document."""


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is most like one that does not exist.

    Returns
    -------
    str
        ``; did you mean 'meta-srgan'?``, to follow a message, or nothing.
    """
    nearest = get_close_matches(name, list(known), n=1, cutoff=NEAREST_CUTOFF)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def in_words(error: BaseException) -> str:
    """Describe an error in one line."""
    message = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return f"not enough memory: {message or 'try a smaller region or scale'}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, ValidationError):
        return problems(error)
    if isinstance(error, ValueError | OSError):
        return message or type(error).__name__
    return f"{type(error).__name__}: {message}"


def problems(error: ValidationError, whole: str = "") -> str:
    """Describe what is wrong with a configuration or a file that pydantic has refused.

    Parameters
    ----------
    error
        The refusal.
    whole
        Name of the document, where a problem is not that of a single field.
    """
    found = error.errors(include_url=False)
    described = [_problem(one, whole) for one in found[:MOST_PROBLEMS]]
    rest = len(found) - len(described)
    return "; ".join(described) + (f"; and {rest} more" if rest else "")


def _problem(problem: Mapping[str, Any], whole: str) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or whole
    own = problem.get("ctx", {}).get("error")
    if isinstance(own, Exception):
        text = str(own)
    else:
        text = problem["msg"].replace("Input should be", "expected")
        if problem["type"] not in _NO_INPUT:
            text += f", found {_SHORT.repr(problem['input'])}"
    return f"{place}: {text}" if place else text
