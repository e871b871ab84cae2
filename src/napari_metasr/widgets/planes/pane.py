"""One plane's pane: the picture, the cross-hair, letters, words; mouse events become signals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_metasr.widgets.viewer import wheel
from napari_metasr.widgets.viewer.painting import (
    LINE_COLOR,
    MARGIN,
    Tile,
    paint_bar,
    paint_saying,
    paint_tile,
    paint_words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtpy.QtGui import QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent

    from napari_metasr.volume import Plane

SMALLEST = 90
GAP = 14
"""Pixels around the point that the cross-hair leaves free."""
CROSS_COLOR = QColor(255, 213, 74, 170)
ALIGNMENTS = {
    "top": Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop,
    "bottom": Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom,
    "left": Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
    "right": Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
}


@dataclass(frozen=True)
class PlaneLook:
    """All that a pane shows.

    Attributes
    ----------
    tile
        The picture.
    cross
        Where the cross-hair is, down and right, in pixels of the pane.
    letters
        The anatomical letters by side; none where they are not known.
    words
        What the picture is.
    per_unit, unit
        Pixels of the pane per unit of length of the world.
    """

    tile: Tile | None
    cross: tuple[float, float]
    letters: Mapping[str, str]
    words: str
    per_unit: float
    unit: str


class PlanePane(QWidget):
    """Shows one plane.

    Signals
    -------
    pointed(Plane, float, float)
        The left button is down at a place, down and right.
    dragged(Plane, float, float)
        The right button moved by so much, down and right.
    scrolled(float)
        The wheel was turned by so many notches.
    stepped(Plane, int)
        The wheel was turned with Ctrl: so many slices.
    resized()
        It has another size.
    """

    pointed = Signal(object, float, float)
    dragged = Signal(object, float, float)
    scrolled = Signal(float)
    stepped = Signal(object, int)
    resized = Signal()

    def __init__(self, plane: Plane, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"metasr_{plane}")
        self.plane = plane
        self.look: PlaneLook | None = None
        self.saying = ""
        self._held: QPointF | None = None
        self._steps = wheel.WholeNotches()
        self.setMinimumSize(SMALLEST, SMALLEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setToolTip(
            "Click or drag moves the cross-hair, the wheel zooms all planes, Ctrl and wheel goes\n"
            "through the slices, the right button moves the view"
        )

    def sizeHint(self) -> QSize:
        """Return a square."""
        return QSize(2 * SMALLEST, 2 * SMALLEST)

    def show_look(self, look: PlaneLook) -> None:
        """Show a slice."""
        self.look, self.saying = look, ""
        self.update()

    def say(self, text: str) -> None:
        """Say in words why there is nothing to show."""
        self.look, self.saying = None, text
        self.update()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Move the cross-hair there, or begin to move the view."""
        if event is None:
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self._point(event)
        elif event.button() == Qt.MouseButton.RightButton:
            self._held = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Take the cross-hair or the view along."""
        if event is None:
            return
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._point(event)
        elif self._held is not None:
            by = event.position() - self._held
            self._held = event.position()
            self.dragged.emit(self.plane, by.y(), by.x())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let the view go."""
        self._held = None

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom, or go through the slices."""
        if event is None:
            return
        notches = wheel.notches(event)
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            steps = self._steps.turned(notches)
            if steps:
                self.stepped.emit(self.plane, steps)
        else:
            self.scrolled.emit(notches)
        event.accept()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Tell that there is another size to fill."""
        super().resizeEvent(event)
        self.resized.emit()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint what is shown."""
        painter = QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor("black"))
        inner = area.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        if self.look is None:
            paint_saying(painter, inner, self.saying)
        else:
            self._paint_look(painter, self.look, inner)
        painter.end()

    def _paint_look(self, painter: QPainter, look: PlaneLook, inner: QRectF) -> None:
        if look.tile is not None:
            paint_tile(painter, look.tile, self.devicePixelRatioF(), self.height())
        down, right = look.cross
        painter.setPen(QPen(CROSS_COLOR, 1))
        for start, stop in ((0.0, right - GAP), (right + GAP, float(self.width()))):
            painter.drawLine(QPointF(start, down), QPointF(stop, down))
        for start, stop in ((0.0, down - GAP), (down + GAP, float(self.height()))):
            painter.drawLine(QPointF(right, start), QPointF(right, stop))
        corner = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        paint_words(painter, inner, corner, f"{self.plane.capitalize()}\n{look.words}")
        paint_bar(painter, inner, inner.width(), look.per_unit, look.unit)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        for side, letter in look.letters.items():
            paint_words(painter, inner, ALIGNMENTS[side], letter, LINE_COLOR)

    def _point(self, event: QMouseEvent) -> None:
        self.pointed.emit(self.plane, event.position().y(), event.position().x())
