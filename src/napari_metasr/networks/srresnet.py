"""SRResNet (Ledig et al. 2017): generator of LFSR and of the GAN variants."""

from __future__ import annotations

from napari_metasr.networks.blocks import ResidualTrunk
from napari_metasr.networks.sub_pixel import SubPixelGenerator


def build_srresnet(*, scale: int = 4, blocks: int = 16, features: int = 64) -> SubPixelGenerator:
    """Build SRResNet (Ledig et al. 2017, fig. 4); 1,528,724 parameters at scale 4.

    9 x 9 convolution and PReLU; 16 residual blocks; 3 x 3 convolution, batch normalisation and
    the long skip; a sub-pixel stage with PReLU for each doubling; 9 x 9 convolution. Every
    convolution has a bias, every PReLU one slope. Torch's default initialisation throughout: the
    output convolution's 64 x 81 inputs make first outputs small beside an image in 0..1.

    Raises
    ------
    ValueError
        If the scale is neither 2 nor 4.
    """
    return SubPixelGenerator(
        trunk=ResidualTrunk(features=features, blocks=blocks),
        scale=scale,
        activation=True,
        output_size=9,
    )
