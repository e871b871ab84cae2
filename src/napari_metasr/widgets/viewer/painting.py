"""What panes are painted with: rendered pieces, outlined words, a scale bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from napari_metasr.geometry.display import bar_length
from napari_metasr.widgets.viewer.colours import coloured

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_metasr.widgets.viewer.lens import Lens, Rectangle
    from napari_metasr.widgets.viewer.magnified import Piece

LINE_COLOR = QColor("#ffd54a")
WORDS_COLOR = QColor("white")
OUTLINE = QPen(QColor(0, 0, 0, 220), 3)
MARGIN = 6
BAR_SHARE = 4
"""Scale bars are no longer than this part of a pane's width."""


@dataclass(frozen=True)
class Tile:
    """A picture in its place.

    Attributes
    ----------
    picture
        The picture, right way up.
    place
        What it covers, in device pixels of the pane.
    clip
        Left and right end of what is seen of it, in device pixels.
    """

    picture: QImage
    place: Rectangle
    clip: tuple[float, float]


def tile_of(layer: Image, lens: Lens, piece: Piece, clip: tuple[float, float]) -> Tile:
    """Return a rendered piece in a layer's colours, where a lens shows it.

    Parameters
    ----------
    clip
        See `Tile`.
    """
    colours = lens.turned(coloured(layer, piece.image))
    height, width, _ = colours.shape
    form = QImage.Format.Format_RGBA8888
    picture = QImage(colours.tobytes(), width, height, 4 * width, form).copy()
    return Tile(picture, lens.rectangle(piece.window), clip)


def paint_tile(painter: QPainter, tile: Tile, ratio: float, height: float) -> None:
    """Paint a tile; pixel for pixel where it has the screen's resolution.

    Parameters
    ----------
    ratio
        Device pixels per pixel of the painter.
    height
        The pane's height in pixels of the painter.
    """
    top, left, bottom, right = tile.place
    size = tile.picture.size()
    down, across = bottom - top, right - left
    if abs(down - size.height()) < 1 and abs(across - size.width()) < 1:
        top, left, down, across = round(top), round(left), size.height(), size.width()
    start, stop = tile.clip
    painter.save()
    painter.setClipRect(QRectF(start / ratio, 0, (stop - start) / ratio, height))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(
        QRectF(left / ratio, top / ratio, across / ratio, down / ratio),
        tile.picture,
        QRectF(0, 0, size.width(), size.height()),
    )
    painter.restore()


def paint_words(
    painter: QPainter,
    area: QRectF,
    alignment: Qt.AlignmentFlag,
    text: str,
    color: QColor = WORDS_COLOR,
) -> None:
    """Paint lines of text with a dark outline, legible on any image."""
    metrics, font = painter.fontMetrics(), painter.font()
    lines = text.splitlines()
    height = metrics.lineSpacing()
    if alignment & Qt.AlignmentFlag.AlignBottom:
        top = area.bottom() - height * len(lines)
    elif alignment & Qt.AlignmentFlag.AlignVCenter:
        top = area.center().y() - height * len(lines) / 2
    else:
        top = area.top()
    path = QPainterPath()
    for number, line in enumerate(lines):
        room = int(area.width())
        shown = metrics.elidedText(line, Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(shown)
        left = area.left()
        if alignment & Qt.AlignmentFlag.AlignRight:
            left = area.right() - width
        elif alignment & Qt.AlignmentFlag.AlignHCenter:
            left = area.center().x() - width / 2
        path.addText(QPointF(left, top + number * height + metrics.ascent()), font, shown)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.strokePath(path, OUTLINE)
    painter.fillPath(path, color)
    painter.restore()


def paint_saying(painter: QPainter, area: QRectF, text: str) -> None:
    """Paint what is said in place of a picture, in the middle of an area."""
    painter.setPen(WORDS_COLOR)
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(area, int(flags), text)


def paint_bar(painter: QPainter, area: QRectF, width: float, per_unit: float, unit: str) -> None:
    """Paint a scale bar with its length in the lower right corner of an area.

    Parameters
    ----------
    width
        The pane's width in pixels of the painter; see `BAR_SHARE`.
    per_unit
        Pixels of the painter per unit.
    """
    room = QRectF(area)
    room.setLeft(area.right() - width / BAR_SHARE)
    length = bar_length(room.width() / per_unit)
    bar = QRectF(0, 0, length * per_unit, 3)
    bar.moveBottomRight(room.bottomRight())
    painter.fillRect(bar.adjusted(-1, -1, 1, 1), OUTLINE.color())
    painter.fillRect(bar, WORDS_COLOR)
    above = QRectF(area.left(), area.top(), area.width(), area.height() - 2 * bar.height())
    alignment = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
    paint_words(painter, above, alignment, f"{length:g} {unit}")
