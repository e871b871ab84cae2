"""Rendering by a network of one fixed scale, or a few: SRGAN, EDSR, SRResNet, MS-GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.zoom.resampled import resample
from napari_metasr.zoom.scales import nearest_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.geometry.grids import PixelRange
    from napari_metasr.networks.ms_gan import MultiScaleGenerator
    from napari_metasr.networks.sub_pixel import SubPixelGenerator
    from napari_metasr.zoom.protocols import Tiles

METHOD = "bicubic"
REACH = 3


class FixedScaleRenderer:
    """Codes are the super-resolved pixels of a low-resolution pixel, of every fixed scale.

    An image of the nearest fixed scale (see ``nearest_scale``) is resampled to the output grid:
    Keys' cubic convolution, antialiased where that reduces it. At a fixed scale itself the
    resampling leaves every pixel as it is.

    Parameters
    ----------
    network
        Folded, in eval mode, on its device.

    Attributes
    ----------
    fixed_scales, halo, margin
        See ``Renderer``. Resampling reads two input pixels around a place, of the finer of both
        grids, and their neighbours: never more than ``REACH`` low-resolution pixels.
    """

    def __init__(self, network: SubPixelGenerator | MultiScaleGenerator) -> None:
        self._network = network
        self.fixed_scales = network.scales
        self.halo = network.halo
        self.margin = REACH

    def encode(self, image: Tensor) -> Tensor:
        """Encode a normalised image (1, 1, h, w) to output pixels, (1, h, w, sum of s^2)."""
        outputs = self._network(image)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        codes = [
            functional.pixel_unshuffle(output, scale)
            for output, scale in zip(outputs, self.fixed_scales, strict=True)
        ]
        return torch.cat(codes, dim=1).permute(0, 2, 3, 1)

    def render(
        self,
        encoded: Tiles,
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Resample a range of output pixels from the nearest fixed scale."""
        scale = nearest_scale(self.fixed_scales, grid)
        super_resolved = OutputGrid(grid.rows.refined(scale), grid.columns.refined(scale))

        def read(rows: slice, columns: slice) -> NDArray[np.float32]:
            return self._read(encoded, scale, rows, columns)

        resample(read, super_resolved, pixels, METHOD, out)

    def render_part(
        self,
        image: Tensor,
        origin: tuple[int, int],
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Resample a range of output pixels from the nearest fixed scale of a part."""
        scale = nearest_scale(self.fixed_scales, grid)
        super_resolved = OutputGrid(grid.rows.refined(scale), grid.columns.refined(scale))
        part = self._shuffled(self.encode(image).float(), scale)
        top, left = origin[0] * scale, origin[1] * scale

        def read(rows: slice, columns: slice) -> NDArray[np.float32]:
            return part[
                rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ]

        resample(read, super_resolved, pixels, METHOD, out)

    def _read(self, encoded: Tiles, scale: int, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Assemble a part of the super-resolved image from tiles."""
        cells = (
            rows.start // scale,
            columns.start // scale,
            -(-rows.stop // scale),
            -(-columns.stop // scale),
        )
        top, left = cells[0] * scale, cells[1] * scale
        part = np.zeros((cells[2] * scale - top, cells[3] * scale - left), np.float32)
        size = encoded.tile_size
        for block in encoded.blocks(cells):
            for (y, x), codes in encoded.tiles(block).items():
                y0, x0 = max(y * size, cells[0]), max(x * size, cells[1])
                y1, x1 = min((y + 1) * size, cells[2]), min((x + 1) * size, cells[3])
                inside = codes[:, y0 - y * size : y1 - y * size, x0 - x * size : x1 - x * size]
                part[y0 * scale - top : y1 * scale - top, x0 * scale - left : x1 * scale - left] = (
                    self._shuffled(inside, scale)
                )
        return part[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]

    def _shuffled(self, codes: Tensor, scale: int) -> NDArray[np.float32]:
        """Rearrange codes (1, h, w, channels) as the image of a fixed scale, (h scale, w scale)."""
        first = sum(other**2 for other in self.fixed_scales if other < scale)
        own = codes[..., first : first + scale**2].permute(0, 3, 1, 2)
        image: NDArray[np.float32] = functional.pixel_shuffle(own, scale)[0, 0].cpu().numpy()
        return image
