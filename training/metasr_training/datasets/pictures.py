"""Pictures of slices, of masks and of natural scenes to arrays of one channel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GRAY_MODES = ("L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_COLOUR_MODES = ("RGB", "RGBA", "LA", "P", "PA")
_GRAY_TOLERANCE = 2
"""Levels between the channels of a picture that is gray: lossy WebP makes them differ by one."""

_DAMAGED = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def _open(
    path: Path | BinaryIO, wanted: dict[str, str | None], name: str | None = None
) -> NDArray[Any]:
    """Read the pixels of a picture in one of the wanted modes, converted to another where given."""
    shown = name or str(path)
    if isinstance(path, Path) and not path.is_file():
        raise FileNotFoundError(f"{shown}: no such file")
    try:
        with Image.open(path) as picture:
            mode, pages = picture.mode, getattr(picture, "n_frames", 1)
            target = wanted.get(mode)
            pixels = np.asarray(picture if target is None else picture.convert(target))
    except _DAMAGED as error:
        raise ValueError(f"{shown}: expected a picture, found a damaged or unknown one") from error
    if mode not in wanted:
        raise ValueError(f"{shown}: expected a picture of {', '.join(wanted)}, found {mode}")
    if pages != 1:
        raise ValueError(f"{shown}: expected one picture, found {pages} pages")
    return pixels


def read_gray(path: Path | BinaryIO, name: str | None = None) -> NDArray[Any]:
    """Read a gray picture, also one that is stored as colour, from its first channel.

    Parameters
    ----------
    path
        A file, by its path or open.
    name
        What messages call it; its path where None.

    Returns
    -------
    ndarray
        (rows, columns) in the file's type.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is damaged, black and white, in colour, or of several pages.
    """
    pixels = _open(path, dict.fromkeys(_GRAY_MODES) | dict.fromkeys(_COLOUR_MODES, "RGB"), name)
    if pixels.ndim == 2:
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if np.ptp(pixels, axis=2).max() > _GRAY_TOLERANCE:
        raise ValueError(f"{name or path}: expected a gray picture, found one in colour")
    return np.ascontiguousarray(pixels[..., 0])


def read_mask(path: Path | BinaryIO, name: str | None = None) -> NDArray[np.bool_]:
    """Read a picture of a mask: true where a pixel of any channel but alpha is not black.

    Parameters
    ----------
    path, name
        As in `read_gray`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_gray`; black and white pictures are welcome.
    """
    modes = dict.fromkeys(("1", *_GRAY_MODES)) | dict.fromkeys(_COLOUR_MODES, "RGB")
    pixels = _open(path, modes, name)
    brightest = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    return np.asarray(brightest > 0)


def read_luminance(path: Path) -> NDArray[np.uint8]:
    """Read the luminance of an 8-bit picture: 0.299 R + 0.587 G + 0.114 B, rounded (ITU-R 601).

    Returns
    -------
    ndarray
        (rows, columns), 0..255.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is damaged, not of 8 bits a channel, or of several pages.
    """
    return _open(path, {"L": None} | dict.fromkeys((*_COLOUR_MODES, "CMYK", "YCbCr"), "L"))
