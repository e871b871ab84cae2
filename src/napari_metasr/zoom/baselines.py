"""Interpolation on the same output grid, for comparison and while a network still works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr import normalisation
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.normalisation import fill_missing
from napari_metasr.zoom.output import clip_to, new_output, restore_missing
from napari_metasr.zoom.resampled import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import PixelRange, Scale
    from napari_metasr.geometry.windows import Window

BASELINES = ("nearest", "bilinear", "bicubic", "lanczos")


def interpolate(
    image: NDArray[Any],
    scale: Scale,
    window: Window | None = None,
    method: str = "bicubic",
    value_range: tuple[float, float] | None = None,
) -> NDArray[np.float32]:
    """Upscale a slice by interpolation, as ``ZoomModel.render`` does by a network.

    Parameters
    ----------
    image
        (rows, columns), real-valued.
    scale, window
        A number or a pair (y, x), at least 1; low-resolution edges (top, left, bottom, right).
    method
        ``nearest``, ``bilinear``, ``bicubic`` (Keys, a = -1/2) or ``lanczos`` (three lobes).
    value_range
        What the output is clipped to; the image's own smallest and largest finite value by
        default.

    Returns
    -------
    ndarray
        float32, in the image's intensity units. NaN and infinity stay where they were, also in an
        image that holds nothing else.

    Raises
    ------
    ValueError
        If the image, the scale, the window or the method is not as described.
    """
    image = np.asarray(image)
    grid = OutputGrid.at_scale(image.shape, scale)
    return interpolate_pixels(image, grid, grid.pixel_range(window), method, value_range)


def interpolate_pixels(
    image: NDArray[Any],
    grid: OutputGrid,
    pixels: PixelRange,
    method: str = "bicubic",
    value_range: tuple[float, float] | None = None,
) -> NDArray[np.float32]:
    """Interpolate a range of output pixels (i0, j0, i1, j1) of any grid; see ``interpolate``.

    Raises
    ------
    ValueError
        If the image or the method is not as described, or the output would be too large.
    """
    if method not in BASELINES:
        raise ValueError(f"expected one of {', '.join(BASELINES)}, found {method!r}")
    if value_range is None:
        has_values = image.dtype.kind != "f" or np.isfinite(image).any()
        value_range = normalisation.value_range(image) if has_values else (0.0, 0.0)
    filled, missing = fill_missing(image, value_range[0])
    out = new_output(pixels)
    resample(lambda rows, columns: filled[rows, columns], grid, pixels, method, out)
    clip_to(out, value_range)
    restore_missing(out, image, missing, grid, pixels)
    return out
