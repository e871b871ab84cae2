"""Slices and masks laid on square fields of zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.degradations import degrade
from napari_metasr.geometry.grids import fitted_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST_SHARE = 1e-6
"""Share of a reduced pixel that is tumour: more than rounding."""


def on_canvas(image: NDArray[np.float32], size: int, method: str = "bicubic") -> NDArray:
    """Centre an image on a square field of zeros, reduced to fit if it is larger.

    Parameters
    ----------
    image
        (rows, columns); both are reduced alike, so that the longer one has ``size`` pixels.
    size
        Rows and columns of the field.
    method
        How it is reduced, see ``napari_metasr.degradations.degrade``.
    """
    field = np.zeros((size, size), np.float32)
    shape = (image.shape[0], image.shape[1])
    fitting = image if max(shape) <= size else degrade(image, fitted_shape(shape, size), method)
    rows, columns = fitting.shape
    top, left = (size - rows) // 2, (size - columns) // 2
    field[top : top + rows, left : left + columns] = fitting
    return field


def mask_on_canvas(mask: NDArray[np.bool_], size: int) -> NDArray[np.float32]:
    """Lay a mask like its image: 1 in every pixel that contains any tumour."""
    share = on_canvas(mask.astype(np.float32), size, "box")
    return (share > SMALLEST_SHARE).astype(np.float32)
