"""What a network's weights have been through: its own training, and that of what it began with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Past:
    """One training in a line of them, each of which began with the weights of the one before.

    Attributes
    ----------
    name
        Of the trained network; of a shipped model with ``shipped`` before it.
    updates, seconds
        How long it took; None where that is not known, as of shipped weights.
    begins
        What the first of a line begins with: ``interpolation`` or ``random weights``; empty for
        shipped weights and for those that went on.
    """

    name: str
    updates: int | None
    seconds: float | None
    begins: str = ""


def updates_text(line: Iterable[Past]) -> str:
    """Format updates as ``303 + 780``, the oldest first; shipped or lost weights are named."""
    return " + ".join(one.name if one.updates is None else f"{one.updates:,}" for one in line)


def all_updates(line: Iterable[Past]) -> int:
    """Sum the known updates of a line."""
    return sum(one.updates or 0 for one in line)


def all_seconds(line: Iterable[Past]) -> float:
    """Sum the known seconds of a line."""
    return sum(one.seconds or 0.0 for one in line)
