"""What a mouse does to a widget."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

THROTTLE_MS = 8
"""Longer than the 5 ms in which napari takes one move of the mouse."""


def turn_wheel(widget, place, notches, modifiers=Qt.KeyboardModifier.NoModifier, pixels=0):
    """Turn the wheel over a place of a widget, a QPoint; up by a positive number of notches.

    Touchpads turn it by fractions, and may tell the pixels to scroll by as well or instead.
    """
    event = QWheelEvent(
        QPointF(place),
        QPointF(widget.mapToGlobal(place)),
        QPoint(0, pixels),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def move_mouse(
    widget, place, button=Qt.MouseButton.NoButton, modifiers=Qt.KeyboardModifier.NoModifier
):
    """Move the mouse to a place of a widget, a QPoint, and wait until napari has taken the move.

    napari defers a move that follows another one too soon, by a timer, and drops it if the button
    is released first. A wait ends in sleep and serves no timer then, so events are processed after.
    """
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(widget.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        button,
        modifiers,
    )
    QApplication.sendEvent(widget, event)
    QTest.qWait(THROTTLE_MS)
    QApplication.processEvents()


def drag_mouse(widget, start, stop, modifiers=Qt.KeyboardModifier.NoModifier, steps=6):
    """Drag with the left button from one place of a widget, a QPoint, to another."""
    left = Qt.MouseButton.LeftButton
    move_mouse(widget, start)
    QTest.mousePress(widget, left, modifiers, start)
    for step in range(1, steps + 1):
        move_mouse(widget, start + (stop - start) * step / steps, left, modifiers)
    QTest.mouseRelease(widget, left, modifiers, stop)
