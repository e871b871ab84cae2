"""MS-GAN's generator (Zhu, Yang, Lio 2019): x2 first, and x4 built from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from napari_metasr.networks.blocks import ResidualTrunk, Trunk
from napari_metasr.networks.sub_pixel import sub_pixel_halo, sub_pixel_stage

if TYPE_CHECKING:
    from torch import Tensor


class MultiScaleGenerator(nn.Module):
    """A trunk, two doubling stages, and an image after each.

    Parameters
    ----------
    trunk
        Image to features, (batch, 1, h, w) to (batch, features, h, w).

    Attributes
    ----------
    scale, scales
        The larger scale, 4; the scales of all outputs, (2, 4).
    halo
        Low-resolution pixels around a pixel that either output depends on.
    """

    def __init__(self, *, trunk: Trunk) -> None:
        super().__init__()
        self.scale = 4
        self.scales = (2, 4)
        self.halo = trunk.halo + max(sub_pixel_halo(scale, 4) for scale in self.scales)
        self.trunk = trunk
        features = trunk.features
        self.doubling = sub_pixel_stage(features, activation=True)
        self.doubling_output = nn.Conv2d(features, 1, 9, padding=4)
        self.quadrupling = sub_pixel_stage(features, activation=True)
        self.quadrupling_output = nn.Conv2d(features, 1, 9, padding=4)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, 1, h, w) to (batch, 1, 2h, 2w) and (batch, 1, 4h, 4w), not clipped."""
        doubled = self.doubling(self.trunk(image))
        return self.doubling_output(doubled), self.quadrupling_output(self.quadrupling(doubled))


def build_ms_gan(*, blocks: int = 16, features: int = 64) -> MultiScaleGenerator:
    """Build the generator of Zhu, Yang, Lio 2019, sec. 2.2; 1,533,909 parameters.

    SRResNet's trunk and stages; the x2 image leaves through a 9 x 9 convolution of its own, and
    the second stage goes on from the features that image is made of, so that the x2 loss
    supervises what x4 is built from.
    """
    return MultiScaleGenerator(trunk=ResidualTrunk(features=features, blocks=blocks))
