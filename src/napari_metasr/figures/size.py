"""How large figures are printed."""

from __future__ import annotations

from dataclasses import dataclass

PRINT_DPI = 300
DPI_RANGE = (50, 1200)
WIDTH_RANGE = (40, 1000)
"""Width of a page in mm."""


@dataclass(frozen=True)
class PrintSize:
    """How large a figure is printed.

    Attributes
    ----------
    dpi
        Dots an inch of a PNG, in ``DPI_RANGE``.
    width_mm
        Width of the page, in ``WIDTH_RANGE``; None for as large as its pictures.
    """

    dpi: int = PRINT_DPI
    width_mm: float | None = None


PRINT_SIZE = PrintSize()
"""The size that is usual."""
