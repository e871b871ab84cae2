"""A number of things, in words."""

from __future__ import annotations


def in_number(count: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural: ``1 slice``, ``1,200 slices``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
