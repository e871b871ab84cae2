"""The mouse wheel: how far it was turned, and what a notch magnifies by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtGui import QWheelEvent

UNITS = 120
"""Qt's units of one notch."""
STEP = 1.2


def notches(event: QWheelEvent) -> float:
    """Return by how many notches the wheel was turned; above 0 away from the hand."""
    return event.angleDelta().y() / UNITS


def magnified(factor: float, count: float) -> float:
    """Return a magnification after so many notches."""
    return factor * STEP**count
