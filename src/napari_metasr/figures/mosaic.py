"""Slices of a lesion one after the other: bicubic above super-resolved, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.figures.canvas import DPI, FONT, MARGIN, MUTED, Canvas
from napari_metasr.figures.caption import scale_text
from napari_metasr.figures.panel import TILE, TILE_GAP, draw_panel, panel_size
from napari_metasr.figures.record import recorded
from napari_metasr.figures.rendition import caption_of
from napari_metasr.files import check_writable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Rendition
    from napari_metasr.lesions.lesion import Lesion

COLUMNS = 6


def spread_slices(lesion: Lesion, count: int) -> list[int]:
    """Choose slices evenly from the first to the last one of a lesion: ``count``, or all it has.

    Raises
    ------
    ValueError
        If the count is below 1.
    """
    if count < 1:
        raise ValueError(f"expected at least 1 slice, found {count}")
    first, last = min(lesion.detections), max(lesion.detections)
    if count == 1:
        return [lesion.middle]
    return sorted({round(place) for place in np.linspace(first, last, count).tolist()})


def save_mosaic(
    path: Path,
    renditions: Sequence[Rendition],
    *,
    view: View,
    heading: str,
    dpi: int = DPI,
    overwrite: bool = False,
) -> Path:
    """Write renditions of one window in several slices as PNG or PDF, six in a row, and the record.

    Parameters
    ----------
    renditions
        At least one, in the order of the slices, of one window, scale and model.
    dpi
        Dots an inch of a PNG.

    Raises
    ------
    OSError, ValueError
        As `save_comparison`.
    """
    check_writable(path, overwrite=overwrite)
    first = renditions[0]
    shape, spacing, title = first.super_resolved.shape, first.spacing, first.card.title
    width, height = panel_size(shape, spacing, longest=TILE)
    bands = -(-len(renditions) // COLUMNS)
    columns = -(-len(renditions) // bands)
    label = round(2.2 * FONT)
    band_height = 2 * (height + TILE_GAP) + 2 * FONT
    page_width = max(2 * MARGIN + label + columns * (width + TILE_GAP) - TILE_GAP, 3 * TILE)
    inner = page_width - 2 * MARGIN
    head = round(MARGIN + 2.2 * FONT)
    caption = caption_of(renditions)
    lines = Canvas(page_width, 100).lines(caption, 0.9 * FONT, inner)
    page_height = round(head + bands * band_height + 1.5 * FONT * len(lines) + MARGIN)
    canvas = Canvas(page_width, page_height)
    canvas.text(heading, MARGIN, MARGIN + 0.6 * FONT, 1.25 * FONT, bold=True, max_width=inner)
    names = "Bicubic", f"{title} {scale_text(first.grid.true_scale)}"
    for number, rendition in enumerate(renditions):
        band, column = divmod(number, columns)
        top = head + band * band_height + 2 * FONT
        left = MARGIN + label + column * (width + TILE_GAP)
        place = f"{rendition.slice.plane} {rendition.slice.index}"
        canvas.text(place, left + width / 2, top - 0.9 * FONT, 0.9 * FONT, align="center")
        marked = None if rendition.marks is None else rendition.marks.marked
        images = (rendition.interpolated, None), (rendition.super_resolved, marked)
        for line, (name, (image, marks)) in enumerate(zip(names, images, strict=True)):
            y = top + line * (height + TILE_GAP)
            draw_panel(
                canvas, image, spacing, view, left=left, top=y, width=width, height=height,
                size=0.8 * FONT, marked=marks,
            )  # fmt: skip
            if column == 0:
                canvas.text(
                    name, MARGIN + label / 2, y + height / 2, 0.85 * FONT, align="center",
                    rotation=90,
                )  # fmt: skip
    for number, text in enumerate(lines):
        base = head + bands * band_height + (0.6 + 1.5 * number) * FONT
        canvas.text(text, MARGIN, base, 0.9 * FONT, color=MUTED)
    with recorded(path, renditions, overwrite=overwrite):
        return canvas.save(path, caption, dpi=dpi, overwrite=overwrite)
