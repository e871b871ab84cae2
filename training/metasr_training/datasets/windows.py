"""Windows of a slice in whole pixels (top, left, bottom, right): where patches come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import PixelRange

_SAME_SUM = 1e-9


def _window_sums(image: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Sum every window of this size by the integral image; exact for integers."""
    wide = np.int64 if image.dtype.kind in "biu" else np.float64
    integral = np.zeros((image.shape[0] + 1, image.shape[1] + 1), wide)
    integral[1:, 1:] = image.astype(wide).cumsum(axis=0).cumsum(axis=1)
    return (
        integral[height:, width:]
        - integral[:-height, width:]
        - integral[height:, :-width]
        + integral[:-height, :-width]
    )


PUBLISHED_CROP = (180, 170)
"""Rows and columns of Meta-SRGAN's crop of 240 x 240 pixels: 53 %, as in its authors' later code
(margins of 30 and 35 pixels), where the paper says that about half of a slice is brain."""


def maximal_information_crop(image: NDArray[Any], shape: tuple[int, int]) -> PixelRange:
    """Find the window with the largest sum of intensity (Meta-SRGAN's crop of a slice).

    The paper does not say what it measures information by: [the sum, in a window of a fixed size].
    Of windows with the same sum (a head that is smaller than the window) the one nearest to the
    slice's centre is taken, and of those equally near the first in order of rows.

    Parameters
    ----------
    image
        (rows, columns), finite.
    shape
        Rows and columns of the window; along an axis that is shorter, the whole axis.

    Raises
    ------
    ValueError
        If the image is not two-dimensional or empty, or a size is below 1.
    """
    if image.ndim != 2 or image.size == 0 or min(shape) < 1:
        raise ValueError(
            f"expected a 2-D image and sizes of at least 1, found shape {image.shape} and {shape}"
        )
    height, width = (min(size, length) for size, length in zip(shape, image.shape, strict=True))
    sums = _window_sums(image, height, width)
    slack = 0 if sums.dtype.kind == "i" else _SAME_SUM * np.abs(sums).max()
    tied = np.argwhere(sums >= sums.max() - slack)
    away = 2 * tied + (height, width) - image.shape
    top, left = tied[(away**2).sum(axis=1).argmin()]
    return int(top), int(left), int(top) + height, int(left) + width


def mask_box(mask: NDArray[np.bool_]) -> PixelRange | None:
    """Return the smallest window that holds every true pixel; None if there is none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _placed(start: float, size: int, length: int, step: int) -> tuple[int, int]:
    """Return first and last + 1 of ``size`` pixels near ``start``, in whole steps, within."""
    size = min(size, length // step * step)
    last = (length - size) // step
    first = min(max(round(start / step), 0), last) * step
    return first, first + size


def roi_window(box: Window, size: int, shape: tuple[int, int], step: int) -> PixelRange:
    """Centre a window of ``size`` x ``size`` pixels on a box, aligned to the low-resolution grid.

    The papers train and test on the lesion's region of interest; [96 x 96 pixels, centred on the
    detected or outlined box, moved to whole low-resolution pixels and into the slice].

    Parameters
    ----------
    box
        (top, left, bottom, right) in pixels of the slice, as of `mask_box`.
    size
        Rows and columns, a multiple of ``step``. Along an axis that is shorter, as many whole
        steps as fit.
    shape
        Rows and columns of the slice.
    step
        Pixels of the slice in a low-resolution pixel: edges are multiples of it.

    Raises
    ------
    ValueError
        If the size is no positive multiple of the step, or the slice is smaller than a step.
    """
    if step < 1 or size < 1 or size % step:
        raise ValueError(f"expected a size that is a multiple of the step {step}, found {size}")
    if min(shape) < step:
        raise ValueError(f"expected a slice of at least {step} pixels, found {shape}")
    top, left, _, _ = Window.around(box.centre, size, size)
    (y0, y1), (x0, x1) = (
        _placed(start, size, length, step) for start, length in zip((top, left), shape, strict=True)
    )
    return y0, x0, y1, x1
