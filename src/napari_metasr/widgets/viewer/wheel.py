"""The mouse wheel: how far it was turned, and what a notch magnifies by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtGui import QWheelEvent

UNITS = 120
"""Qt's units of one notch."""
PIXELS = 60
"""Pixels that a touchpad scrolls for one notch where it tells nothing else."""
STEP = 1.2


def notches(event: QWheelEvent) -> float:
    """Return by how many notches the wheel was turned; above 0 away from the hand."""
    return event.angleDelta().y() / UNITS or event.pixelDelta().y() / PIXELS


def magnified(factor: float, count: float) -> float:
    """Return a magnification after so many notches."""
    return factor * STEP**count


class WholeNotches:
    """Counts whole notches of touchpads and fine wheels, which turn by fractions of one."""

    def __init__(self) -> None:
        self._rest = 0.0

    def turned(self, count: float) -> int:
        """Return the whole notches that are full now; the rest counts with the next turn.

        A turn the other way begins anew.
        """
        if self._rest * count < 0:
            self._rest = 0.0
        self._rest += count
        whole = int(self._rest)
        self._rest -= whole
        return whole
