"""The loupe's pane over the canvas: two halves with their names, a scale bar, the factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QWidget

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
    from qtpy.QtGui import QPaintEvent

SIDE = 340
SAYING_HEIGHT = 76
MARK = 5


@dataclass(frozen=True)
class Look:
    """All that the pane shows.

    Attributes
    ----------
    tiles
        The pictures of both halves.
    left, right
        What the halves are called.
    foot
        The factor, in words.
    per_unit, unit
        Pixels of the pane per unit of length of the world.
    """

    tiles: tuple[Tile, ...]
    left: str
    right: str
    foot: str
    per_unit: float
    unit: str


class LoupePane(QWidget):
    """A square over the canvas that the mouse goes through."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("metasr_loupe")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.look: Look | None = None
        self.saying = ""
        self.hide()

    def show_look(self, look: Look, place: QPoint) -> None:
        """Show halves, around a place of the canvas as far as they fit in."""
        self.look, self.saying = look, ""
        self._put(place, SIDE)

    def say(self, text: str, place: QPoint) -> None:
        """Say in words why nothing is magnified."""
        self.look, self.saying = None, text
        self._put(place, SAYING_HEIGHT)

    @property
    def side(self) -> int:
        """Width and height with halves, in pixels: less on a small canvas."""
        room = self.parentWidget()
        return SIDE if room is None else max(min(SIDE, room.width(), room.height()), 1)

    def _put(self, place: QPoint, height: int) -> None:
        room = self.parentWidget()
        if room is None:
            return
        width, height = self.side, min(height, self.side)
        left = min(max(place.x() - width // 2, 0), room.width() - width)
        top = min(max(place.y() - height // 2, 0), room.height() - height)
        self.setGeometry(left, top, width, height)
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint what is shown."""
        painter = QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor("black"))
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        inner = area.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        if self.look is None:
            paint_saying(painter, inner, self.saying)
        else:
            self._paint_look(painter, self.look, inner)
        painter.setPen(QPen(LINE_COLOR, 2))
        painter.drawRect(area.adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_look(self, painter: QPainter, look: Look, inner: QRectF) -> None:
        ratio = self.devicePixelRatioF()
        for tile in look.tiles:
            paint_tile(painter, tile, ratio, self.height())
        middle = inner.center()
        painter.setPen(QPen(LINE_COLOR, 1))
        painter.drawLine(int(middle.x()), 0, int(middle.x()), self.height())
        painter.drawLine(
            int(middle.x()) - MARK, int(middle.y()), int(middle.x()) + MARK, int(middle.y())
        )
        half = inner.width() / 2 - MARGIN
        left = QRectF(inner.left(), inner.top(), half, inner.height())
        right = QRectF(inner.right() - half, inner.top(), half, inner.height())
        start, end = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        paint_words(painter, left, start | Qt.AlignmentFlag.AlignTop, look.left)
        paint_words(painter, right, end | Qt.AlignmentFlag.AlignTop, look.right)
        paint_words(painter, left, start | Qt.AlignmentFlag.AlignBottom, look.foot)
        paint_bar(painter, right, self.width(), look.per_unit, look.unit)
