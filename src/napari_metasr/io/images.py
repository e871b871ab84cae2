"""Plain gray pictures (PNG, TIFF, JPEG, WebP) as flat volumes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_metasr.io.names import legible
from napari_metasr.io.orientation import axis_codes, to_canonical
from napari_metasr.volume import Source, Volume

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["PICTURE_SUFFIXES", "is_picture", "read_picture"]

PICTURE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".bmp")

_GRAY_MODES = ("L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N")

PICTURE_AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
"""A picture is taken as it hangs on the wall in radiological convention: columns run to the
patient's left and rows to the back (LPS), one unit a pixel."""


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Tell by its ending whether a file should be read as a picture."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES


def read_picture(path: str | os.PathLike[str]) -> Volume:
    """Read a gray picture as a flat volume with a spacing of one pixel.

    Like every volume it is canonical, so its rows and columns run against those of the file; in
    radiological display it looks as the file does.

    Parameters
    ----------
    path : path
        PNG, TIFF, JPEG, WebP or BMP; integers or floats of one channel.

    Returns
    -------
    Volume
        Shape (y, x), in the file's type, spacing (1, 1).

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no picture, is damaged, in colour, boolean, of several pages or without
        a finite pixel.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    pixels = _pixels(path)
    data, affine = to_canonical(pixels.T[:, :, np.newaxis], PICTURE_AFFINE)
    return Volume(
        data=np.ascontiguousarray(data[0]),
        affine=affine,
        spacing=(1.0, 1.0),
        source=Source(
            name=legible(path.stem),
            path=path,
            affine=PICTURE_AFFINE,
            orientation=axis_codes(PICTURE_AFFINE),
            dtype=pixels.dtype,
            unit="pixels",
            is_oriented=False,
        ),
    )


def _pixels(path: Path) -> NDArray[Any]:
    try:
        with warnings.catch_warnings(), Image.open(path) as picture:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            mode, pages = picture.mode, getattr(picture, "n_frames", 1)
            pixels = np.asarray(picture)
    except Image.DecompressionBombError:
        raise ValueError(
            f"{path}: expected a picture of at most {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, "
            "found a larger one"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: expected a picture, found a damaged or unknown one") from error
    if mode == "1":
        raise ValueError(f"{path}: expected gray levels, found boolean (black or white) pixels")
    if mode not in _GRAY_MODES:
        raise ValueError(f"{path}: expected one gray channel, found a {mode} picture")
    if pages != 1:
        raise ValueError(f"{path}: expected one picture, found {pages} pages")
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).any():
        raise ValueError(f"{path}: expected a picture, found no finite pixel")
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
