"""What every rendering shares: room for the result, its limits, its gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid, PixelRange

MAX_OUTPUT_PIXELS = 1 << 28


def new_output(pixels: PixelRange) -> NDArray[np.float32]:
    """Allocate an empty image for a range of output pixels.

    Raises
    ------
    ValueError
        If it would hold more than ``MAX_OUTPUT_PIXELS``.
    """
    i0, j0, i1, j1 = pixels
    height, width = i1 - i0, j1 - j0
    if height * width > MAX_OUTPUT_PIXELS:
        raise ValueError(
            f"the output would have {height:,} x {width:,} pixels "
            f"({height * width * 4 / 2**30:.1f} GiB); render a smaller window or scale"
        )
    return np.empty((height, width), np.float32)


def clip_to(image: NDArray[np.float32], limits: tuple[float, float]) -> None:
    """Clip in place to the source's own values; nothing is rescaled."""
    np.clip(image, np.float32(limits[0]), np.float32(limits[1]), out=image)


def restore_missing(
    output: NDArray[np.float32],
    image: NDArray[Any],
    missing: NDArray[np.bool_] | None,
    grid: OutputGrid,
    pixels: PixelRange,
) -> None:
    """Put NaN and infinity back, in place, where the output pixel's cell had them."""
    if missing is None:
        return
    gaps = grid.in_cells(missing, pixels)
    if gaps.any():
        output[gaps] = grid.in_cells(image, pixels)[gaps]
