"""MS-GAN's generator (Zhu, Yang, Lio 2019): x2 first, and x4 built from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from napari_metasr.networks.blocks import ResidualBlock, ResidualTrunk, Trunk
from napari_metasr.networks.sub_pixel import sub_pixel_halo, sub_pixel_stage

if TYPE_CHECKING:
    from torch import Tensor


class MultiScaleGenerator(nn.Module):
    """A trunk, two doubling stages, residual blocks between them, and an image after each.

    Parameters
    ----------
    trunk
        Image to features, (batch, 1, h, w) to (batch, features, h, w).
    doubled_blocks
        Residual blocks at twice the resolution, before the x2 image and the second stage.

    Attributes
    ----------
    scale, scales
        The larger scale, 4; the scales of all outputs, (2, 4).
    halo
        Low-resolution pixels around a pixel that either output depends on.
    """

    def __init__(self, *, trunk: Trunk, doubled_blocks: int) -> None:
        super().__init__()
        self.scale = 4
        self.scales = (2, 4)
        beyond = max(sub_pixel_halo(scale, 4) for scale in self.scales)
        self.halo = trunk.halo + doubled_blocks + beyond  # two pixels a block, half as large
        self.trunk = trunk
        features = trunk.features
        self.doubling = sub_pixel_stage(features, activation=True)
        self.doubled_blocks = nn.Sequential(
            *(ResidualBlock(features=features) for _ in range(doubled_blocks))
        )
        self.doubling_output = nn.Conv2d(features, 1, 9, padding=4)
        self.quadrupling = sub_pixel_stage(features, activation=True)
        self.quadrupling_output = nn.Conv2d(features, 1, 9, padding=4)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, 1, h, w) to (batch, 1, 2h, 2w) and (batch, 1, 4h, 4w), not clipped."""
        doubled = self.doubled_blocks(self.doubling(self.trunk(image)))
        return self.doubling_output(doubled), self.quadrupling_output(self.quadrupling(doubled))


def build_ms_gan(
    *, blocks: int = 16, features: int = 64, doubled_blocks: int = 6
) -> MultiScaleGenerator:
    """Build the generator of Zhu, Yang, Lio 2019, sec. 2.2; 1,978,587 parameters.

    SRResNet's trunk and stages; the x2 image leaves through a 9 x 9 convolution of its own, and
    the second stage goes on from the features that image is made of, so that the x2 loss
    supervises what x4 is built from.

    The paper says that the multi-scale generator "has more layers" than SRResNet, and not which:
    an image takes it 7.75 / 4.04 = 1.92 times as long (sec. 3). [Six residual blocks at twice the
    resolution], with which it has 1.9 times the operations; time need not follow operations, so
    this is a reading. ``doubled_blocks=0`` is the slim one of 1,533,909 parameters and 1.0 times
    the operations, which the shipped ``ms-gan-x4`` is.

    Parameters
    ----------
    blocks, features
        Residual blocks of the trunk, and channels of the features.
    doubled_blocks
        Residual blocks at twice the resolution.
    """
    trunk = ResidualTrunk(features=features, blocks=blocks)
    return MultiScaleGenerator(trunk=trunk, doubled_blocks=doubled_blocks)
