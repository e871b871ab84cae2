"""A part of a rendering laid into another one on the same output grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.geometry.windows import Window


def inset(
    surroundings: NDArray[np.float32],
    part: NDArray[np.float32],
    grid: OutputGrid,
    outer: Window,
    inner: Window,
) -> NDArray[np.float32]:
    """Replace the inner window of a rendering by another rendering; the rest is unchanged.

    Parameters
    ----------
    surroundings, part
        What was rendered on ``grid`` of ``outer`` and of ``inner``.
    outer, inner
        Low-resolution edges (top, left, bottom, right), ``inner`` within ``outer``.

    Raises
    ------
    ValueError
        If the inner window reaches out of the outer one, or an image has not its window's size.
    """
    top, left, bottom, right = grid.pixel_range(outer)
    i0, j0, i1, j1 = grid.pixel_range(inner)
    if i0 < top or j0 < left or i1 > bottom or j1 > right:
        raise ValueError(f"expected a window within {outer}, found {inner}")
    sizes = (bottom - top, right - left), (i1 - i0, j1 - j0)
    if (surroundings.shape, part.shape) != sizes:
        raise ValueError(
            f"expected images of {sizes[0]} and {sizes[1]} pixels, "
            f"found {surroundings.shape} and {part.shape}"
        )
    whole = surroundings.copy()
    whole[i0 - top : i1 - top, j0 - left : j1 - left] = part
    return whole
