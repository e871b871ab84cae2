"""LIIF, the local implicit image function (Chen, Liu, Wang 2021): a rival for every scale.

An output pixel at ``x`` is what a small network says of the features near it, of the place of
``x`` among them and of the pixel's size (their eq. 2 to 5)::

    I(x) = sum_t w_t f(concat(unfold3x3(F)(t), x - v_t, c))

over the four low-resolution pixels ``t`` around ``x``, with centres ``v_t``, weighted by the area
of the rectangle between ``x`` and the centre opposite (local ensemble), and ``c`` the output
pixel's size (cell decoding). The first layer of ``f`` is linear, so that its part over the unfolded
features is a 3 x 3 convolution with no scale in it, done once for a slice; row and column give the
rest. That changes no result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_metasr.networks.blocks import ResidualTrunk

if TYPE_CHECKING:
    from napari_metasr.geometry.grids import AxisGrid, OutputGrid, PixelRange

BLOCK_VALUES = {"cpu": 1 << 18}
"""Values of one hidden layer that are there at a time, by device: what a core's cache holds."""

MOST_BLOCK_VALUES = 1 << 24
"""The same on any other device."""

UNIT = 2
"""Size of a low-resolution pixel in places and sizes: in the paper an image spans -1..1."""


@dataclass(frozen=True)
class AxisNeighbours:
    """The two low-resolution pixels beside each output pixel of an axis.

    Attributes
    ----------
    cells
        (2, count), the pixel before and the one behind; at an end of the axis the same twice.
    distances
        (2, count), from their centres to the output pixel's, in low-resolution pixels.
    shares
        (2, count), the weight of each: the distance from the other, over their sum. On the centre
        of the last pixel that sum is 0 in the paper; the limit is taken.
    """

    cells: Tensor
    distances: Tensor
    shares: Tensor

    @classmethod
    def of(
        cls, axis: AxisGrid, pixels: tuple[int, int], part: tuple[int, int], like: Tensor
    ) -> AxisNeighbours:
        """Find those of a range of output pixels within a part of the axis.

        Parameters
        ----------
        axis
            The whole axis.
        pixels
            First output pixel and last + 1.
        part
            First low-resolution pixel that there are codes of, and last + 1; ``cells`` count from
            it.
        like
            Of the device and type that distances and shares are to have.
        """
        nearest = torch.as_tensor(axis.cells()[slice(*pixels)])
        offsets = torch.as_tensor(axis.offsets()[slice(*pixels)])
        before = (offsets < 0).long()
        beside = torch.stack([nearest - before, nearest - before + 1])
        cells = beside.clamp(max(part[0], 0), min(part[1], axis.input) - 1)
        share = offsets + before
        return cls(
            (cells - part[0]).to(like.device),
            (nearest - cells + offsets).to(like),
            torch.stack([1 - share, share]).to(like),
        )


class ImplicitFunction(nn.Module):
    """``f`` of the paper: linear layers with ReLU between them, evaluated on whole grids.

    Parameters
    ----------
    features
        Channels of the features; their 3 x 3 neighbourhoods are unfolded.
    hidden, layers
        Units of each hidden layer, and how many of them there are.
    """

    def __init__(self, *, features: int = 64, hidden: int = 144, layers: int = 4) -> None:
        super().__init__()
        self.unfolded = features * 9
        self.first = nn.Linear(self.unfolded + 4, hidden)
        deeper: list[nn.Module] = []
        for _ in range(layers - 1):
            deeper += [nn.ReLU(), nn.Linear(hidden, hidden)]
        self.rest = nn.Sequential(*deeper, nn.ReLU(), nn.Linear(hidden, 1))

    def associate(self, features: Tensor) -> Tensor:
        """Apply the first layer to unfolded features: (batch, h, w, hidden), contiguous."""
        weight = self.first.weight[:, : self.unfolded].reshape(len(self.first.weight), -1, 3, 3)
        codes = functional.conv2d(features, weight, self.first.bias, padding=1)
        return codes.permute(0, 2, 3, 1).contiguous()

    def evaluate(
        self, codes: Tensor, grid: OutputGrid, pixels: PixelRange, origin: tuple[int, int] = (0, 0)
    ) -> Tensor:
        """Map codes to output pixels (batch, H, W).

        Parameters
        ----------
        codes
            (batch, h, w, hidden) of the slice, or of a part of it that holds the neighbours of
            ``pixels``.
        grid
            The output grid of the whole slice.
        pixels
            The output pixels (i0, j0, i1, j1).
        origin
            The slice's (row, column) at which ``codes`` begins.
        """
        i0, j0, i1, j1 = pixels
        rows, columns = (
            AxisNeighbours.of(axis, range_, (start, start + size), codes)
            for axis, range_, start, size in (
                (grid.rows, (i0, i1), origin[0], codes.shape[1]),
                (grid.columns, (j0, j1), origin[1], codes.shape[2]),
            )
        )
        by_row, by_column, *by_size = self.first.weight[:, self.unfolded :].unbind(1)
        size = sum(
            UNIT * float(axis.step) * one
            for axis, one in zip((grid.rows, grid.columns), by_size, strict=True)
        )
        row_terms = UNIT * rows.distances[..., None] * by_row + size
        column_terms = UNIT * columns.distances[..., None] * by_column
        values = BLOCK_VALUES.get(codes.device.type, MOST_BLOCK_VALUES)
        step = max(1, values // (len(codes) * (j1 - j0) * codes.shape[3]))
        blocks = []
        for start in range(0, i1 - i0, step):
            block = slice(start, start + step)
            total = torch.zeros((), device=codes.device)
            for up, left in product(range(2), range(2)):
                near = codes.index_select(1, rows.cells[up, block])
                near = near.index_select(2, columns.cells[left])
                near = near + (row_terms[up, block, None] + column_terms[left])
                weight = rows.shares[up, block, None] * columns.shares[left]
                total = total + self.rest(near)[..., 0] * weight
            blocks.append(total)
        return torch.cat(blocks, dim=1)


class LIIF(nn.Module):
    """A residual encoder and a local implicit image function; 559,319 parameters by default.

    Parameters
    ----------
    trunk
        Image to features, (batch, 1, h, w) to (batch, features, h, w).
    function
        Features to an image at any scale.
    """

    def __init__(self, *, trunk: ResidualTrunk, function: ImplicitFunction) -> None:
        super().__init__()
        self.trunk = trunk
        self.function = function

    @property
    def halo(self) -> int:
        """Low-resolution pixels around a pixel that its code depends on."""
        return self.trunk.halo + 1

    def forward(
        self,
        image: Tensor,
        grid: OutputGrid,
        pixels: PixelRange | None = None,
        origin: tuple[int, int] = (0, 0),
    ) -> Tensor:
        """Map (batch, 1, h, w) to (batch, 1, H, W).

        Parameters
        ----------
        image
            The slice, or a part of it with the pixels around the cells of ``pixels``.
        grid
            The output grid of the whole slice.
        pixels
            The output pixels (i0, j0, i1, j1) to evaluate; all of them by default.
        origin
            The slice's (row, column) at which ``image`` begins.
        """
        codes = self.function.associate(self.trunk(image)).float()
        return self.function.evaluate(codes, grid, pixels or grid.pixel_range(), origin)[:, None]


def build_liif(*, features: int = 64, blocks: int = 5, hidden: int = 144, layers: int = 4) -> LIIF:
    """Build LIIF on the encoder of Meta-SRGAN (Chen, Liu, Wang 2021, sec. 3 and 4.1).

    The paper puts four hidden layers of 256 units on EDSR's or RDN's features; 144 units here, so
    that it has as many parameters as Meta-SRGAN's generator on the same features.
    """
    return LIIF(
        trunk=ResidualTrunk(features=features, blocks=blocks),
        function=ImplicitFunction(features=features, hidden=hidden, layers=layers),
    )
