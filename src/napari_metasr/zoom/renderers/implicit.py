"""Rendering by an implicit function, which gives every scale: LIIF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.geometry.grids import cell_blocks
from napari_metasr.zoom.renderers.strips import STRIP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.geometry.grids import OutputGrid, PixelRange
    from napari_metasr.networks.liif import LIIF
    from napari_metasr.zoom.protocols import CellRange, Tiles


class ImplicitRenderer:
    """Codes are what the function's first layer makes of features, without a scale in them.

    Parameters
    ----------
    network
        Folded, in eval mode, on its device.

    Attributes
    ----------
    fixed_scales
        None: ``()``.
    halo, margin
        See ``Renderer``. An output pixel reads the cell beside its own as well.
    """

    fixed_scales: tuple[int, ...] = ()
    margin = 1

    def __init__(self, network: LIIF) -> None:
        self._network = network
        self.halo = network.halo

    def encode(self, image: Tensor) -> Tensor:
        """Encode a normalised image (1, 1, h, w) to codes, (1, h, w, hidden)."""
        return self._network.function.associate(self._network.trunk(image))

    def render(
        self,
        encoded: Tiles,
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Evaluate a range of output pixels, strip by strip."""
        i0, j0, i1, j1 = pixels
        rows, columns = grid.rows.cells()[i0:i1], grid.columns.cells()[j0:j1]
        left, right = max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 2, grid.columns.input)
        for _, first, last in cell_blocks(rows, STRIP):
            top = max(int(rows[first]) - 1, 0)
            bottom = min(int(rows[last - 1]) + 2, grid.rows.input)
            codes = self._codes(encoded, (top, left, bottom, right))
            strip = i0 + first, j0, i0 + last, j1
            evaluated = self._network.function.evaluate(codes, grid, strip, (top, left))
            out[first:last] = evaluated[0].cpu()

    def render_part(
        self,
        image: Tensor,
        origin: tuple[int, int],
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Evaluate a range of output pixels from a part of the slice."""
        codes = self.encode(image).float()
        out[:] = self._network.function.evaluate(codes, grid, pixels, origin)[0].cpu()

    def _codes(self, encoded: Tiles, cells: CellRange) -> Tensor:
        """Join the tiles' codes of some cells; 0 where there is nothing but background."""
        top, left, bottom, right = cells
        weight = self._network.function.first.weight
        codes = weight.new_zeros((1, bottom - top, right - left, len(weight)))
        size = encoded.tile_size
        for block in encoded.blocks(cells):
            for (y, x), tile in encoded.tiles(block).items():
                y0, x0 = max(y * size, top), max(x * size, left)
                part = tile[:, y0 - y * size : bottom - y * size, x0 - x * size : right - x * size]
                rows, columns = part.shape[1:3]
                codes[:, y0 - top : y0 - top + rows, x0 - left : x0 - left + columns] = part
        return codes
