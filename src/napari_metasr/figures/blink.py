"""Before and after in one place, alternating: a region as GIF, WebP or MP4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from napari_metasr.figures.caption import scale_text
from napari_metasr.figures.frames import (
    BACKGROUND,
    FILM,
    MUTED,
    TEXT,
    check_animation,
    draw_letters,
    draw_scale_bar,
    font,
    save_frames,
)
from napari_metasr.figures.panel import panel_size
from napari_metasr.figures.record import recorded
from napari_metasr.geometry.display import as_displayed
from napari_metasr.normalisation import cast_to_dtype, unit_range
from napari_metasr.purpose import RESEARCH_USE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Rendition

LONGEST = 640
"""Pixels of the longer side of the picture."""
NARROWEST = 420
GAP, HEADER, FOOTER = 12, 52, 40
SHOWN_MS = 900
FILM_TURNS = 6
"""How often a film, which does not begin again by itself, shows both."""


def save_blink(path: Path, rendition: Rendition, *, view: View, overwrite: bool = False) -> Path:
    """Write a region by bicubic interpolation and super-resolved in turn, and the record of it.

    Both are drawn in the same place, intensity window and orientation; each says what it is.

    Raises
    ------
    ValueError
        If the path ends neither in ``.gif`` nor in ``.webp`` nor in ``.mp4``, or what writes MP4
        is not installed.
    FileExistsError, FileNotFoundError, IsADirectoryError
        If the file may not be written; nothing is drawn then.
    """
    check_animation(path, overwrite=overwrite)
    title = rendition.card.title
    frames = [
        _frame(image, name, rendition, view)
        for image, name in ((rendition.interpolated, "Bicubic"), (rendition.super_resolved, title))
    ]
    turns = FILM_TURNS if path.suffix.lower() == FILM else 1
    durations = [SHOWN_MS] * (turns * len(frames))
    with recorded(path, [rendition], overwrite=overwrite):
        save_frames(path, turns * frames, durations, _words(title), overwrite=overwrite)
    return path


def _words(title: str) -> str:
    """Return what stands below both pictures, each of which may be shown alone."""
    return f"Bicubic and {title} in turn; {RESEARCH_USE}."


def _frame(image: NDArray[np.float32], name: str, rendition: Rendition, view: View) -> Image.Image:
    """Draw one picture with its name, letters, a scale bar and the words below."""
    width, height = panel_size(image.shape, rendition.spacing, longest=LONGEST)
    shown = Image.fromarray(unit_range(image, view.contrast_limits).astype(np.float32))
    shown = shown.resize((width, height), Image.Resampling.BICUBIC)
    grey = as_displayed(np.asarray(shown).clip(0, 1), view.orientation2d)
    picture = Image.fromarray(np.ascontiguousarray(cast_to_dtype(255 * grey, np.uint8)))
    page = max(width, NARROWEST) + 2 * GAP
    frame = Image.new("L", (page, HEADER + height + FOOTER), BACKGROUND)
    corner, size = ((page - width) // 2, HEADER), (width, height)
    frame.paste(picture, corner)
    draw = ImageDraw.Draw(frame)
    draw.text((GAP, HEADER / 2), name, TEXT, font(20, bold=True), "lm")
    scale = scale_text(rendition.grid.true_scale, short=True)
    draw.text((page - GAP, HEADER / 2), scale, TEXT, font(18), "rm")
    draw_letters(draw, view.letters, corner, size)
    across = rendition.spacing[1] * image.shape[1] / width
    draw_scale_bar(draw, across, view.unit, corner, size)
    footer = HEADER + height + FOOTER / 2
    draw.text((GAP, footer), _words(rendition.card.title), MUTED, font(13), "lm")
    return frame
