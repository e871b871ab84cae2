"""A batch of low-resolution patches and their truth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from napari_metasr.degradations import Reduction
from napari_metasr.geometry.grids import OutputGrid, PixelRange
from napari_metasr.resampling import resampling_matrix


@dataclass(frozen=True)
class Batch:
    """Low-resolution patches and the truth of the output pixels ``pixels``.

    Attributes
    ----------
    low_resolution
        (batch, 1, h, w), with context; intensities 0..1.
    truth
        (batch, 1, H, W).
    half
        (batch, 1, H / 2, W / 2), the same place of the slice reduced by 2, where it is asked for.
    code
        (batch, code length), what a network may be told of acquisition and noise; None where the
        configuration tells nothing.
    grid, pixels, origin
        The output grid of the canvas, which of its pixels ``truth`` holds, and where on the
        low-resolution canvas ``low_resolution`` begins.
    reductions
        What rows and columns went through.
    """

    low_resolution: Tensor
    truth: Tensor
    grid: OutputGrid
    pixels: PixelRange
    origin: tuple[int, int]
    reductions: tuple[Reduction, Reduction]
    half: Tensor | None = None
    code: Tensor | None = None

    def bicubic(self) -> Tensor:
        """Upscale the low-resolution patches by Keys' cubic convolution, (batch, 1, H, W)."""
        i0, j0, i1, j1 = self.pixels
        rows, columns = (
            torch.tensor(
                resampling_matrix(axis.input, axis.output, "bicubic")[
                    first:last, start : start + size
                ],
                dtype=torch.float32,
            )
            for axis, first, last, start, size in (
                (self.grid.rows, i0, i1, self.origin[0], self.low_resolution.shape[2]),
                (self.grid.columns, j0, j1, self.origin[1], self.low_resolution.shape[3]),
            )
        )
        return rows @ self.low_resolution @ columns.T
