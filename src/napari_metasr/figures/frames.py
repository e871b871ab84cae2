"""Frames of animations, gray on black, and the files that they become: GIF, WebP or MP4."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from PIL import ExifTags, Image, ImageDraw, ImageFont

from napari_metasr.figures.film import check_film, save_film
from napari_metasr.figures.panel import BAR_SHARE, edge_positions
from napari_metasr.files import check_writable, replacing
from napari_metasr.geometry.display import bar_length
from napari_metasr.purpose import RESEARCH_USE

if TYPE_CHECKING:
    from collections.abc import Sequence

FILM = ".mp4"
SUFFIXES = (".gif", ".webp", FILM)
LARGEST_BYTES = 4_000_000
BACKGROUND, TEXT, MUTED = 16, 238, 158
GREY_LEVELS = (96, 64, 40, 24, 12)


def check_animation(path: Path, *, overwrite: bool) -> None:
    """Refuse to write an animation before anything is rendered for it.

    Raises
    ------
    ValueError
        If the path ends neither in ``.gif`` nor in ``.webp`` nor in ``.mp4``, or what writes MP4
        is not installed.
    FileExistsError, FileNotFoundError, IsADirectoryError
        If the file may not be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise ValueError(f"{path}: an animation is written as {known}, found {path.suffix!r}")
    if suffix == FILM:
        check_film()
    check_writable(path, overwrite=overwrite)


def save_frames(
    path: Path,
    frames: Sequence[Image.Image],
    durations: Sequence[int],
    comment: str,
    *,
    overwrite: bool,
) -> None:
    """Write frames of one size; a GIF gets as many grey levels as fit into 4 MB.

    Parameters
    ----------
    durations
        How long each is shown, in milliseconds.
    comment
        Metadata of the file.

    Raises
    ------
    OSError, ValueError
        If the file cannot be written.
    """
    with replacing(path, overwrite=overwrite) as temporary:
        if path.suffix.lower() == FILM:
            save_film(temporary, frames, durations, comment)
        elif path.suffix.lower() == ".webp":
            frames[0].save(
                temporary, save_all=True, append_images=frames[1:], duration=list(durations),
                loop=0, quality=80, exif=_described(comment),
            )  # fmt: skip
        else:
            _save_gif(temporary, frames, durations, comment)


def draw_letters(
    draw: ImageDraw.ImageDraw,
    letters: dict[str, str],
    corner: tuple[int, int],
    size: tuple[int, int],
) -> None:
    """Draw anatomical letters at the edges of a picture.

    Parameters
    ----------
    corner, size
        Left and top of the picture, and its width and height, in pixels of the frame.
    """
    positions = edge_positions(*size, 14)
    for side, letter in letters.items():
        x, y = positions[side]
        _outlined(draw, (corner[0] + x, corner[1] + y), letter, font(16, bold=True), "mm")


def draw_scale_bar(
    draw: ImageDraw.ImageDraw,
    spacing: float,
    unit: str,
    corner: tuple[int, int],
    size: tuple[int, int],
) -> None:
    """Draw a scale bar into the lower left corner of a picture.

    Parameters
    ----------
    spacing, unit
        Units of length between pixels of the frame.
    corner, size
        As for `draw_letters`.
    """
    length = bar_length(size[0] * spacing / BAR_SHARE)
    x, y = corner[0] + 12, corner[1] + size[1] - 14
    end = x + length / spacing
    draw.rectangle((x - 1, y - 2, end + 1, y + 2), 0)
    draw.rectangle((x, y - 1, end, y + 1), TEXT)
    _outlined(draw, (x, y - 6), f"{length:g} {unit}", font(13), "ls")


def words(title: str) -> str:
    """Return what stands below every frame.

    Parameters
    ----------
    title
        The model's.
    """
    return f"Super-resolved by {title}; {RESEARCH_USE}."


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Load the font that comes with matplotlib, which every machine has."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", name), size)


def _outlined(
    draw: ImageDraw.ImageDraw,
    position: tuple[float, float],
    string: str,
    face: ImageFont.FreeTypeFont,
    anchor: str,
) -> None:
    draw.text(position, string, TEXT, face, anchor, stroke_width=2, stroke_fill=0)


def _described(comment: str) -> Image.Exif:
    """Return the metadata of a file that holds a comment and nothing else."""
    metadata = Image.Exif()
    metadata[ExifTags.Base.ImageDescription] = comment
    return metadata


def _save_gif(
    path: Path, frames: Sequence[Image.Image], durations: Sequence[int], comment: str
) -> None:
    """Write a GIF with fewer and fewer grey levels until it is small enough."""
    for levels in GREY_LEVELS:
        first, *others = (_quantised(frame, levels) for frame in frames)
        first.save(
            path, save_all=True, append_images=others, duration=list(durations), loop=0,
            comment=comment, format="GIF",
        )  # fmt: skip
        if path.stat().st_size <= LARGEST_BYTES:
            return


def _quantised(frame: Image.Image, levels: int) -> Image.Image:
    """Reduce a frame to evenly spaced grey levels: fewer compress better."""
    table = [round(round(value * (levels - 1) / 255) * 255 / (levels - 1)) for value in range(256)]
    return frame.point(table)
