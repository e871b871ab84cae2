"""Pictures as an MP4 film (H.264), which slides and browsers play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL import Image

TICK_MS = 35
"""Time of one picture of the film; all durations are rounded to it."""


class FilmError(ValueError):
    """Films cannot be written here."""


def check_film() -> None:
    """Refuse to make a film where nothing is installed that writes one.

    Raises
    ------
    FilmError
        If so.
    """
    try:
        import imageio_ffmpeg  # noqa: F401
    except ImportError:
        raise FilmError("MP4 needs imageio-ffmpeg: pip install 'napari-metasr[video]'") from None


def save_film(
    path: Path, pictures: Sequence[Image.Image], durations: Sequence[int], comment: str
) -> None:
    """Write gray pictures of one size.

    Parameters
    ----------
    durations
        How long each is shown, in milliseconds.
    comment
        Metadata of the file.

    Raises
    ------
    FilmError
        See `check_film`.
    OSError
        If the file cannot be written.
    """
    check_film()
    from imageio_ffmpeg import write_frames

    width, height = pictures[0].size
    film = write_frames(
        path,
        (width + width % 2, height + height % 2),  # H.264 takes even sizes
        pix_fmt_in="gray",
        fps=1000 / TICK_MS,
        quality=8,
        macro_block_size=2,
        ffmpeg_log_level="error",
        output_params=["-metadata", f"comment={comment}", "-movflags", "+faststart"],
    )
    film.send(None)
    try:
        for picture, duration in zip(pictures, durations, strict=True):
            gray = np.asarray(picture.convert("L"))
            even = np.pad(gray, ((0, height % 2), (0, width % 2)), mode="edge").tobytes()
            for _ in range(max(round(duration / TICK_MS), 1)):
                film.send(even)
    finally:
        film.close()
