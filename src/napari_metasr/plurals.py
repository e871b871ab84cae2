"""Numbers in words: of things, as shares, and of bytes."""

from __future__ import annotations


def in_number(count: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural: ``1 slice``, ``1,200 slices``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(share: float) -> str:
    """Write a share as it was set, never rounded to whole percents: ``10%``, ``2.5%``."""
    return f"{100 * share:.3g}%"


def in_bytes(count: float) -> str:
    """Write a number of bytes to three digits: ``46.9 KiB``, ``512 MiB``, ``1.2 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"
