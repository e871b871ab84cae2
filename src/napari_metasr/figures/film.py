"""Pictures as an MP4 film (H.264), which slides and browsers play."""

from __future__ import annotations

import errno
import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image

TICK_MS = 35
"""Time of one picture of the film; all durations are rounded to it."""


CRF = 10
"""Constant rate factor of H.264: smaller is better, 18 is hardly told from the original."""


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
    from imageio_ffmpeg import get_ffmpeg_exe

    width, height = pictures[0].size
    size = f"{width + width % 2}x{height + height % 2}"  # H.264 takes even sizes
    command = [
        *(get_ffmpeg_exe(), "-y", "-v", "error"),
        *("-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", f"1000/{TICK_MS}", "-i", "-"),
        *("-an", "-vcodec", "libx264", "-pix_fmt", "yuv420p", "-crf", str(CRF)),
        *("-metadata", f"comment={comment}", "-movflags", "+faststart", str(path)),
    ]
    pipe = subprocess.PIPE
    encoder = subprocess.Popen(command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe)
    try:
        with suppress(BrokenPipeError):  # it says below why it ended early
            for frame in _frames(pictures, durations):
                encoder.stdin.write(frame)  # type: ignore[union-attr]
    finally:
        _, told = encoder.communicate()
    if encoder.returncode:
        raise _system_error(told.decode(errors="replace"))


def _frames(pictures: Sequence[Image.Image], durations: Sequence[int]) -> Iterator[bytes]:
    """Yield the pixels of each picture, with even sides, once for each tick it is shown."""
    for picture, duration in zip(pictures, durations, strict=True):
        gray = np.asarray(picture.convert("L"))
        height, width = gray.shape
        even = np.pad(gray, ((0, height % 2), (0, width % 2)), mode="edge").tobytes()
        for _ in range(max(round(duration / TICK_MS), 1)):
            yield even


def _system_error(told: str) -> OSError:
    """Return the system's error that ffmpeg tells of, without a path."""
    known = (number for number in errno.errorcode if os.strerror(number) in told)
    number = next(known, errno.EIO)
    return OSError(number, os.strerror(number))
