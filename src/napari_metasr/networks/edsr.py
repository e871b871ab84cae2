"""EDSR (Lim et al. 2017): the strongest published network at one scale when the papers appeared."""

from __future__ import annotations

from napari_metasr.networks.blocks import PlainTrunk
from napari_metasr.networks.sub_pixel import SubPixelGenerator


def build_edsr(*, scale: int = 2, features: int = 256, blocks: int = 32) -> SubPixelGenerator:
    """Build EDSR (Lim et al. 2017, sec. 3 and table 1); 40,720,385 parameters at scale 2.

    No batch normalisation, residuals scaled by 0.1, 3 x 3 convolutions throughout, no activation
    after the pixel shuffle.

    Raises
    ------
    ValueError
        If the scale is neither 2 nor 4.
    """
    return SubPixelGenerator(
        trunk=PlainTrunk(features=features, blocks=blocks),
        scale=scale,
        activation=False,
        output_size=3,
    )
