"""Images side by side on one gray page, each with its name above and its figures below."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle
from PIL import Image, PngImagePlugin

from napari_metasr.figures.canvas import DPI, MUTED, Canvas
from napari_metasr.figures.caption import quality_text
from napari_metasr.files import replacing
from napari_metasr.normalisation import contrast_limits, unit_range
from napari_metasr.quality.trial import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.geometry.windows import Window

MARGIN = 16
GAP = 10
HEADING = 34
LINE = 20
FONT = 13.0
NOTE = 0.9 * FONT
NARROWEST_COLUMN = 150


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet.

    Attributes
    ----------
    image
        (rows, columns), any units.
    limits
        The intensities shown black and white.
    title, note
        Above and below.
    frame
        A window of the image that is outlined.
    """

    image: NDArray
    limits: tuple[float, float]
    title: str = ""
    note: str = ""
    frame: Window | None = None


def truth_tile(image: NDArray, title: str = "Truth", frame: Window | None = None) -> Tile:
    """Make the tile of the truth, with its own contrast limits."""
    return Tile(image, contrast_limits(image), title, "PSNR / SSIM" if frame is None else "", frame)


def compared_tile(image: NDArray, truth: NDArray, data_range: float, title: str) -> Tile:
    """Make the tile of a method's image in the truth's contrast, with PSNR and SSIM against it."""
    note = quality_text(Quality.of(image, truth, data_range))
    return Tile(image, contrast_limits(truth), title, note)


def save_sheet(
    path: Path,
    rows: Sequence[Sequence[Tile]],
    heading: str,
    *,
    width: int,
    magnify: bool = True,
) -> Path:
    """Write rows of tiles as a gray PNG.

    Parameters
    ----------
    path
        Of the PNG; an older file is replaced.
    rows
        Tiles from top to bottom, from left to right.
    heading
        The sheet's first line, and its description.
    width
        Of a tile in screen pixels; an image that has more columns is reduced to it. A column is
        wider where a note needs it: figures are not cut.
    magnify
        Show a smaller image at the largest whole number of screen pixels for each of its own that
        fits; otherwise it is shown pixel by pixel.

    Raises
    ------
    ValueError
        If there is no tile.
    """
    if not any(rows):
        raise ValueError(f"{path.name}: expected at least one picture, found none")
    sizes = [[_shown(tile.image.shape, width, magnify) for tile in row] for row in rows]
    notes = [max(map(_note_width, filter(None, column))) for column in zip_longest(*rows)]
    columns = [
        max(width if magnify else max(*(wide for wide, _ in column), NARROWEST_COLUMN), note)
        for column, note in zip(zip_longest(*sizes, fillvalue=(0, 0)), notes, strict=True)
    ]
    heights = [max(high for _, high in row) + 2 * LINE for row in sizes]
    page_width = 2 * MARGIN + sum(columns) + GAP * (len(columns) - 1)
    page_height = 2 * MARGIN + HEADING + sum(heights) + GAP * (len(rows) - 1)
    canvas = Canvas(page_width, page_height)
    inner = page_width - 2 * MARGIN
    canvas.text(heading, MARGIN, MARGIN + HEADING / 3, 1.15 * FONT, bold=True, max_width=inner)
    top = MARGIN + HEADING
    for row, row_sizes, height in zip(rows, sizes, heights, strict=True):
        left = MARGIN
        for tile, size, column in zip(row, row_sizes, columns, strict=False):
            _draw(canvas, tile, left, top, column, size)
            left += column + GAP
        top += height + GAP
    return _save_gray(canvas, path, heading)


def _shown(shape: tuple[int, ...], width: int, magnify: bool) -> tuple[int, int]:
    """Return width and height on the screen."""
    rows, columns = shape
    times = width // columns
    if times:
        times = times if magnify else 1
        return columns * times, rows * times
    return width, max(round(rows * width / columns), 1)


def _note_width(tile: Tile) -> int:
    """Return the screen pixels that the figures below a tile take."""
    return math.ceil(Canvas(1, 1).text_width(tile.note, NOTE)) if tile.note else 0


def _draw(
    canvas: Canvas, tile: Tile, left: float, top: float, width: int, size: tuple[int, int]
) -> None:
    wide, high = size
    middle = left + width / 2
    canvas.text(tile.title, middle, top + LINE / 2, FONT, align="center", max_width=width)
    picture = unit_range(tile.image, tile.limits)
    axes = canvas.picture(picture, left + (width - wide) / 2, top + LINE, wide, high)
    if tile.frame is not None:
        first_row, first_column, last_row, last_column = tile.frame
        corner, extent = (
            (first_column, first_row),
            (
                last_column - first_column,
                last_row - first_row,
            ),
        )
        axes.add_patch(Rectangle(corner, *extent, fill=False, edgecolor="white", linewidth=1.2))
    canvas.text(
        tile.note, middle, top + high + 1.6 * LINE, NOTE, color=MUTED, align="center",
        max_width=width,
    )  # fmt: skip


def _save_gray(canvas: Canvas, path: Path, description: str) -> Path:
    """Save one channel instead of four: the pages have no colour."""
    drawn = io.BytesIO()
    canvas.figure.savefig(drawn, dpi=DPI, format="png")
    about = PngImagePlugin.PngInfo()
    about.add_itxt("Description", description)
    with replacing(path, overwrite=True) as temporary:
        Image.open(drawn).convert("L").save(temporary, format="PNG", optimize=True, pnginfo=about)
    return path
