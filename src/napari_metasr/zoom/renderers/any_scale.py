"""Rendering by a network that gives every scale: Meta-SRGAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from napari_metasr.geometry.grids import cell_blocks
from napari_metasr.networks.trunk_parts import features_of
from napari_metasr.zoom.renderers.strips import STRIP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.geometry.grids import OutputGrid, PixelRange
    from napari_metasr.networks.meta_srgan import MetaSRGAN
    from napari_metasr.networks.meta_upscale import UpscaleKernel
    from napari_metasr.zoom.protocols import Tiles


class AnyScaleRenderer:
    """Codes are G, without a scale in them; an output pixel is evaluated from its cell's.

    Parameters
    ----------
    network
        Folded, in eval mode, on its device.
    kernel
        What evaluates the upscaler.

    Attributes
    ----------
    fixed_scales
        None: ``()``.
    upscale
        The network's upscaler, with its kernel.
    halo, margin
        See ``Renderer``. The corner convention may take the cell above or left of a window.
    """

    fixed_scales: tuple[int, ...] = ()

    def __init__(self, network: MetaSRGAN, kernel: UpscaleKernel) -> None:
        self._network = network
        self.upscale = network.upscale
        self.upscale.kernel = kernel
        self.halo = network.halo
        self.margin = self.upscale.convention.margin

    def encode(self, image: Tensor) -> Tensor:
        """Encode a normalised image (1, 1, h, w) to G, (1, h, w, hidden + 1)."""
        return self.upscale.associate(self._network.trunk(image))

    def render(
        self,
        encoded: Tiles,
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Evaluate a range of output pixels, tile by tile."""
        i0, j0, i1, j1 = pixels
        upscale = self.upscale
        row_terms, column_terms = upscale.terms(grid, pixels)
        row_cells = upscale.cells(grid.rows)[i0:i1]
        column_cells = upscale.cells(grid.columns)[j0:j1]
        size = encoded.tile_size
        rows = {y: slice(*part) for y, *part in cell_blocks(row_cells, size)}
        columns = {x: slice(*part) for x, *part in cell_blocks(column_cells, size)}
        cells = (
            int(row_cells[0]),
            int(column_cells[0]),
            int(row_cells[-1]) + 1,
            int(column_cells[-1]) + 1,
        )
        for block in encoded.blocks(cells):
            for (y, x), g in encoded.tiles(block).items():
                out[rows[y], columns[x]] = upscale.kernel(
                    g,
                    row_terms[rows[y]],
                    column_terms[columns[x]],
                    torch.as_tensor(row_cells[rows[y]] - y * size, device=g.device),
                    torch.as_tensor(column_cells[columns[x]] - x * size, device=g.device),
                )[0].cpu()

    def render_part(
        self,
        image: Tensor,
        origin: tuple[int, int],
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Evaluate a range of output pixels from a part of the slice, strip by strip."""
        i0, j0, i1, j1 = pixels
        upscale = self.upscale
        row_terms, column_terms = upscale.terms(grid, pixels)
        row_cells = upscale.cells(grid.rows)[i0:i1] - origin[0]
        column_cells = upscale.cells(grid.columns)[j0:j1] - origin[1]
        around = upscale.halo
        needed_rows, needed_columns = (
            (max(int(cells[0]) - around, 0), min(int(cells[-1]) + 1 + around, size))
            for cells, size in zip((row_cells, column_cells), image.shape[2:], strict=True)
        )
        features = features_of(self._network.trunk, image, needed_rows, needed_columns)
        row_cells, column_cells = row_cells - needed_rows[0], column_cells - needed_columns[0]
        columns = torch.as_tensor(column_cells, device=image.device)
        for _, first, last in cell_blocks(row_cells, STRIP):
            top = max(int(row_cells[first]) - around, 0)
            g = upscale.associate(features[:, :, top : int(row_cells[last - 1]) + 1 + around])
            rows = torch.as_tensor(row_cells[first:last] - top, device=image.device)
            strip = upscale.kernel(g.float(), row_terms[first:last], column_terms, rows, columns)
            out[first:last] = strip[0].cpu()
