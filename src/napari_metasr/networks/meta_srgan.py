"""Meta-SRGAN's generator (Tan, Zhu, Lio 2020, section 2.2): one network for every scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from napari_metasr.geometry.grids import Convention
from napari_metasr.networks.blocks import ResidualTrunk
from napari_metasr.networks.meta_upscale import (
    MetaUpscale,
    UpscaleKernel,
    WeightPredictionNetwork,
    upscale_in_row_blocks,
)

if TYPE_CHECKING:
    from torch import Tensor

    from napari_metasr.geometry.grids import OutputGrid, PixelRange


class MetaSRGAN(nn.Module):
    """A residual encoder and a Meta-Upscale Module; 561,926 parameters for one channel.

    Parameters
    ----------
    trunk
        Image to features, (batch, 1, h, w) to (batch, 64, h, w).
    upscale
        Features to an image at any scale.
    """

    def __init__(self, *, trunk: ResidualTrunk, upscale: MetaUpscale) -> None:
        super().__init__()
        self.trunk = trunk
        self.upscale = upscale

    @property
    def halo(self) -> int:
        """Low-resolution pixels around a pixel that its G depends on: 16 as published."""
        return self.trunk.halo + self.upscale.halo

    def forward(
        self,
        image: Tensor,
        grid: OutputGrid,
        pixels: PixelRange | None = None,
        origin: tuple[int, int] = (0, 0),
    ) -> Tensor:
        """Map (batch, 1, h, w) to (batch, 1, H, W): see ``MetaUpscale.forward``."""
        return self.upscale(self.trunk(image), grid, pixels, origin)


def build_meta_srgan(
    *,
    features: int = 64,
    blocks: int = 5,
    hidden: int = 256,
    kernel: UpscaleKernel = upscale_in_row_blocks,
    convention: Convention = Convention.CENTER,
) -> MetaSRGAN:
    """Build the published generator; the kernel and the coordinate convention are options."""
    return MetaSRGAN(
        trunk=ResidualTrunk(features=features, blocks=blocks),
        upscale=MetaUpscale(
            weights=WeightPredictionNetwork(features=features, hidden=hidden),
            kernel=kernel,
            convention=convention,
        ),
    )
