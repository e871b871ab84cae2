"""SRGAN's generator as Tan, Zhu, Lio 2020 compare it: Meta-SRGAN with a sub-pixel upsampler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.networks.srresnet import build_srresnet

if TYPE_CHECKING:
    from napari_metasr.networks.sub_pixel import SubPixelGenerator


def build_srgan(*, scale: int = 2, blocks: int = 5, features: int = 64) -> SubPixelGenerator:
    """Build the generator of Tan, Zhu, Lio 2020, table 1; 565,768 parameters at scale 2.

    The trunk is Meta-SRGAN's (5 residual blocks where Ledig et al. 2017 take 16), the upsampler
    Ledig's: 3 x 3 convolution to 256 features, pixel shuffle, PReLU; 9 x 9 convolution. Scale 4
    has two such stages.

    Raises
    ------
    ValueError
        If the scale is neither 2 nor 4.
    """
    return build_srresnet(scale=scale, blocks=blocks, features=features)
