"""Pixels rendered once: what they need is encoded block by block, and nothing of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.geometry.grids import cell_blocks
from napari_metasr.zoom.borders import mirrored
from napari_metasr.zoom.output import clip_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.geometry.grids import AxisGrid, OutputGrid, PixelRange
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.protocols import Renderer

BLOCK = 256
"""Low-resolution rows and columns that are encoded at a time, beside their surroundings."""


def render_once(
    renderer: Renderer,
    to_tensor: Callable[[NDArray[np.float32]], Tensor],
    encoded: EncodedSlice,
    grid: OutputGrid,
    pixels: PixelRange,
    out: NDArray[np.float32],
) -> None:
    """Fill ``out`` with a range of output pixels, in the source's units.

    Parameters
    ----------
    renderer
        Of the network.
    to_tensor
        Takes a part of the slice to the network's device, as (1, 1, h, w).
    encoded
        The slice; its tiles are neither used nor added to. One that is constant is shown to the
        network like any other.
    grid
        Over the slice.
    pixels
        The output pixels (i0, j0, i1, j1).
    out
        (i1 - i0, j1 - j0).
    """
    i0, j0, i1, j1 = pixels
    reach = renderer.halo + renderer.margin
    for first_row, last_row, top, bottom in _blocks(grid.rows, i0, i1, reach):
        for first_column, last_column, left, right in _blocks(grid.columns, j0, j1, reach):
            image, (above, before) = mirrored(
                encoded.shown.image[top:bottom, left:right], encoded.shape
            )
            part = out[first_row - i0 : last_row - i0, first_column - j0 : last_column - j0]
            block = first_row, first_column, last_row, last_column
            renderer.render_part(to_tensor(image), (top - above, left - before), grid, block, part)
            part[...] = encoded.mapping.inverse(part)
            encoded.shown.put_back(part, grid, block)
            clip_to(part, encoded.value_range)


def _blocks(axis: AxisGrid, start: int, stop: int, reach: int) -> Iterator[tuple[int, ...]]:
    """Yield output pixels (first, last + 1), and the input (first, last + 1) they depend on."""
    cells = axis.cells()[start:stop]
    for _, first, last in cell_blocks(cells, BLOCK):
        top = max(int(cells[first]) - reach, 0)
        bottom = min(int(cells[last - 1]) + 1 + reach, axis.input)
        yield start + first, start + last, top, bottom
