"""Numbers in words: of things, and as shares."""

from __future__ import annotations


def in_number(count: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural: ``1 slice``, ``1,200 slices``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(share: float) -> str:
    """Write a share as it was set, never rounded to whole percents: ``10%``, ``2.5%``."""
    return f"{100 * share:.3g}%"
