"""The slice that is being worked on, before and after, side by side at the same contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_metasr.geometry.display import as_displayed
from napari_metasr.normalisation import unit_range

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qtpy.QtGui import QMouseEvent, QPaintEvent

HINT = "The slice being worked on will be shown here, before and after."
TITLES = ("before", "after")
LETTER_COLOR = QColor("#ffd54a")
BACKGROUND = QColor("black")
GAP = 4
LINE = 16
LETTER_PIXELS = 11
DETAIL = 1 / 3


@dataclass(frozen=True)
class Pair:
    """Two pictures of one slice.

    Attributes
    ----------
    before, after
        (rows, columns) in array order; they cover the same field of view.
    proportion
        Width over height, as they are to be drawn.
    contrast_limits
        Shown black, shown white.
    orientation2d
        Where rows and columns point on the screen.
    letters
        At the edges ``top``, ``bottom``, ``left``, ``right``, where they are known.
    text
        What it is.
    """

    before: NDArray[Any]
    after: NDArray[Any]
    proportion: float
    contrast_limits: tuple[float, float]
    orientation2d: tuple[str, str]
    letters: dict[str, str]
    text: str


class BeforeAfter(QWidget):
    """Draws a pair; its size does not depend on what it shows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metasr_upscale_preview")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumHeight(110)
        self.setToolTip(
            "The slice being worked on, before and after, at the layer's contrast.\n"
            "Click on a place to see it three times larger, and again to see the whole slice."
        )
        self.pair: Pair | None = None
        self._pictures: tuple[QImage, QImage] | None = None
        self._detail: QPointF | None = None

    def sizeHint(self) -> QSize:
        """Ask for two squares and two lines."""
        return QSize(310, 155 + 2 * LINE)

    def show_pair(self, pair: Pair | None) -> None:
        """Show a pair, or nothing yet."""
        self.pair = pair
        self._pictures = (
            None if pair is None else (_picture(pair.before, pair), _picture(pair.after, pair))
        )
        self.update()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Look closer at a place of either picture, or at the whole again."""
        if event is None or self.pair is None:
            return
        if self._detail is not None:
            self._detail = None
        else:
            for frame in self.frames:
                if frame.contains(event.position()):
                    offset = event.position() - frame.topLeft()
                    self._detail = QPointF(offset.x() / frame.width(), offset.y() / frame.height())
        self.update()

    @property
    def frames(self) -> tuple[QRectF, QRectF]:
        """Where the two pictures are drawn."""
        proportion = self.pair.proportion if self.pair is not None else 1.0
        first, second = self._rooms
        width = min(first.width(), first.height() * proportion)
        frame = QRectF(0, 0, width, width / proportion)
        frame.moveCenter(first.center())
        return frame, frame.translated(second.topLeft() - first.topLeft())

    @property
    def _rooms(self) -> tuple[QRectF, QRectF]:
        """The room that each of the two pictures has."""
        room = QRectF(0, LINE, (self.width() - GAP) / 2, max(self.height() - 2 * LINE, 1))
        return room, room.translated(room.width() + GAP, 0)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw both pictures, their titles and letters, and what they are of."""
        painter = QPainter(self)
        painter.fillRect(0, LINE, self.width(), max(self.height() - 2 * LINE, 1), BACKGROUND)
        middle = Qt.AlignmentFlag.AlignCenter
        if self.pair is None or self._pictures is None:
            painter.setPen(QColor("gray"))
            wrapped = middle | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(20, 0, -20, 0), int(wrapped), HINT)
            return
        painter.setPen(self.palette().windowText().color())
        foot = QRectF(0, self.height() - LINE, self.width(), LINE)
        painter.drawText(foot, int(middle), self.pair.text)
        for title, room, frame, picture in zip(
            TITLES, self._rooms, self.frames, self._pictures, strict=True
        ):
            painter.setPen(self.palette().windowText().color())
            painter.drawText(QRectF(room.left(), 0, room.width(), LINE), int(middle), title)
            self._draw(painter, frame, picture)
            self._draw_letters(painter, room)

    def _draw(self, painter: QPainter, frame: QRectF, picture: QImage) -> None:
        """Draw a picture, in its own pixels where there are fewer than on the screen."""
        width, height = picture.width(), picture.height()
        part = QRectF(0, 0, width, height)
        if self._detail is not None:
            x = min(max(self._detail.x() - DETAIL / 2, 0.0), 1 - DETAIL)
            y = min(max(self._detail.y() - DETAIL / 2, 0.0), 1 - DETAIL)
            part = QRectF(x * width, y * height, DETAIL * width, DETAIL * height)
        shrinks = part.width() > frame.width() or part.height() > frame.height()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
        painter.drawImage(frame, picture, part)

    def _draw_letters(self, painter: QPainter, room: QRectF) -> None:
        if self.pair is None:
            return
        font = painter.font()
        font.setPixelSize(LETTER_PIXELS)
        font.setBold(True)
        painter.save()
        painter.setFont(font)
        painter.setPen(LETTER_COLOR)
        sides = {
            "top": Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter,
            "bottom": Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter,
            "left": Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            "right": Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
        }
        for side, letter in self.pair.letters.items():
            painter.drawText(room.adjusted(3, 1, -3, -1), int(sides[side]), letter)
        painter.restore()


def gray(image: NDArray[Any], pair: Pair) -> NDArray[np.uint8]:
    """Return a slice as it is drawn: gray values, first row on top."""
    known = np.nan_to_num(image, nan=pair.contrast_limits[0])
    shown = as_displayed(unit_range(known, pair.contrast_limits), pair.orientation2d)
    return np.ascontiguousarray(np.rint(shown * 255).astype(np.uint8))


def _picture(image: NDArray[Any], pair: Pair) -> QImage:
    pixels = gray(image, pair)
    rows, columns = pixels.shape
    return QImage(pixels.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
