"""Pictures of slices, of masks and of natural scenes to arrays of one channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_GRAY_MODES = ("L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_COLOUR_MODES = ("RGB", "RGBA", "LA", "P", "PA")
_DAMAGED = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def _open(path: Path, wanted: dict[str, str | None]) -> NDArray[Any]:
    """The pixels of a picture in one of the wanted modes, converted to another where given."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with Image.open(path) as picture:
            mode, pages = picture.mode, getattr(picture, "n_frames", 1)
            target = wanted.get(mode)
            pixels = np.asarray(picture if target is None else picture.convert(target))
    except _DAMAGED as error:
        raise ValueError(f"{path}: expected a picture, found a damaged or unknown one") from error
    if mode not in wanted:
        raise ValueError(f"{path}: expected a picture of {', '.join(wanted)}, found {mode}")
    if pages != 1:
        raise ValueError(f"{path}: expected one picture, found {pages} pages")
    return pixels


def read_gray(path: Path) -> NDArray[Any]:
    """Read a gray picture, also one that is stored as colour with equal channels.

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
    pixels = _open(path, dict.fromkeys(_GRAY_MODES) | dict.fromkeys(_COLOUR_MODES, "RGB"))
    if pixels.ndim == 2:
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if (pixels != pixels[..., :1]).any():
        raise ValueError(f"{path}: expected a gray picture, found one in colour")
    return np.ascontiguousarray(pixels[..., 0])


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a picture of a mask: true where a pixel of any channel but alpha is not black.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_gray`; black and white pictures are welcome.
    """
    modes = dict.fromkeys(("1", *_GRAY_MODES)) | dict.fromkeys(_COLOUR_MODES, "RGB")
    pixels = _open(path, modes)
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
