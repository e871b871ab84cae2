"""The Meta-Upscale Module (Hu et al. 2019), evaluated without predicting a kernel.

Published, for output pixel ``p`` in low-resolution cell ``cell(p)`` with offset and inverse
scale ``v_p = (dy, dx, s)``::

    y(p) = < W2 relu(W1 v_p + b1) + b2, patch3x3(F, cell(p)) >

The second layer is linear, so the sum over the patch can be taken first::

    G    = conv3x3(F, [W2; b2] as hidden + 1 kernels)        no scale in it
    y(p) = sum_m relu(a_y(i) + a_x(j))_m G_m(cell(p)) + G_hidden(cell(p))

with ``W1 v_p + b1 = a_y(i) + a_x(j)``, a row term and a column term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_metasr.geometry.grids import Convention

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import AxisGrid, OutputGrid, PixelRange

UpscaleKernel = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
"""(G, row terms, column terms, row cells, column cells) to images.

G is (batch, h, w, hidden + 1), the terms (H, hidden) and (W, hidden), float32; the cells (H,)
and (W,), int64, sorted; the result is (batch, H, W).
"""

BLOCK_VALUES = 1 << 23


def upscale_in_row_blocks(
    g: Tensor, row_terms: Tensor, column_terms: Tensor, row_cells: Tensor, column_cells: Tensor
) -> Tensor:
    """Evaluate y(p) with plain torch operations, a few output rows at a time.

    The reference among the kernels (see ``UpscaleKernel`` for shapes): runs on any device and
    carries gradients.
    """
    bias, g = g[..., -1], g[..., :-1]
    rows = max(1, BLOCK_VALUES // (len(g) * len(column_cells) * g.shape[-1]))
    blocks = []
    for start in range(0, len(row_cells), rows):
        block = slice(start, start + rows)
        cells = row_cells[block, None], column_cells[None, :]
        hidden = functional.relu(row_terms[block, None] + column_terms[None, :])
        blocks.append((g[:, *cells] * hidden).sum(-1) + bias[:, *cells])
    return torch.cat(blocks, dim=1)


class WeightPredictionNetwork(nn.Module):
    """Linear 3 -> hidden, ReLU, Linear hidden -> features * 9 (Hu et al. 2019, section 3.3).

    The second layer starts smaller than torch's default by the square root of the features'
    9-pixel patch, so that the first outputs are of the order of the features.
    """

    def __init__(self, *, features: int = 64, hidden: int = 256) -> None:
        super().__init__()
        self.first = nn.Linear(3, hidden)
        self.second = nn.Linear(hidden, features * 9)
        with torch.no_grad():
            for parameter in self.second.parameters():
                if not parameter.is_meta:  # torch loads much to divide what has no values
                    parameter.div_((features * 9) ** (1 / 2))

    def convolution(self) -> Tensor:
        """Return [W2; b2] as a convolution's weight, (hidden + 1, features, 3, 3)."""
        kernels = torch.cat([self.second.weight.T, self.second.bias[None]])
        return kernels.reshape(len(kernels), -1, 3, 3)


class MetaUpscale(nn.Module):
    """Features to an image at any scale.

    Parameters
    ----------
    weights
        The weight prediction network.
    kernel
        What evaluates the sum over hidden units; all kernels agree.
    convention
        Where offsets are measured from: ``center`` here, ``corner`` in published weights.
    """

    def __init__(
        self,
        *,
        weights: WeightPredictionNetwork,
        kernel: UpscaleKernel = upscale_in_row_blocks,
        convention: Convention = Convention.CENTER,
    ) -> None:
        super().__init__()
        self.weights = weights
        self.kernel = kernel
        self.convention = Convention(convention)

    @property
    def halo(self) -> int:
        """Pixels around a pixel of the features that its G depends on."""
        return 1

    def associate(self, features: Tensor) -> Tensor:
        """Compute G of features (batch, features, h, w): (batch, h, w, hidden + 1), contiguous."""
        g = functional.conv2d(features, self.weights.convolution(), padding=1)
        return g.permute(0, 2, 3, 1).contiguous()

    def terms(self, grid: OutputGrid, pixels: PixelRange) -> tuple[Tensor, Tensor]:
        """Compute row terms a_y (H, hidden) and column terms a_x (W, hidden) of a pixel range."""
        i0, j0, i1, j1 = pixels
        first = self.weights.first
        dy, dx = (
            torch.as_tensor(axis.offsets(self.convention)[start:stop]).to(first.weight)
            for axis, start, stop in ((grid.rows, i0, i1), (grid.columns, j0, j1))
        )
        constant = first.weight[:, 2] * grid.inverse_scale + first.bias
        return dy[:, None] * first.weight[:, 0] + constant, dx[:, None] * first.weight[:, 1]

    def cells(self, axis: AxisGrid) -> NDArray[np.int64]:
        """Return the low-resolution pixel of every output pixel of an axis."""
        return axis.cells(self.convention)

    def forward(
        self,
        features: Tensor,
        grid: OutputGrid,
        pixels: PixelRange | None = None,
        origin: tuple[int, int] = (0, 0),
    ) -> Tensor:
        """Map (batch, features, h, w) to (batch, 1, H, W).

        Parameters
        ----------
        features
            Of the slice, or of a part of it that holds every cell of ``pixels``.
        grid
            The output grid of the whole slice.
        pixels
            The output pixels (i0, j0, i1, j1) to evaluate; all of them by default.
        origin
            The slice's (row, column) at which ``features`` begins.
        """
        i0, j0, i1, j1 = pixels = pixels or grid.pixel_range()
        rows = torch.as_tensor(self.cells(grid.rows)[i0:i1] - origin[0], device=features.device)
        columns = torch.as_tensor(
            self.cells(grid.columns)[j0:j1] - origin[1], device=features.device
        )
        g = self.associate(features).float()
        return self.kernel(g, *self.terms(grid, pixels), rows, columns)[:, None]
