"""Sub-pixel upscaling (Shi et al. 2016) and the generators of one fixed scale built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from napari_metasr.networks.blocks import conv3x3

if TYPE_CHECKING:
    from torch import Tensor

    from napari_metasr.networks.blocks import Trunk


def stage_count(scale: int) -> int:
    """Return the number of doublings in a scale.

    Raises
    ------
    ValueError
        If the scale is neither 2 nor 4.
    """
    if scale not in (2, 4):
        raise ValueError(f"expected a scale of 2 or 4, found {scale!r}")
    return scale // 2


def sub_pixel_halo(scale: int, radius: int) -> int:
    """Count the low-resolution pixels that the stages and the output convolution read around one.

    Every stage is a 3 x 3 convolution before the image doubles; the output convolution of
    ``radius`` works on the upscaled image.
    """
    output_pixels = radius + sum(scale >> stage for stage in range(stage_count(scale)))
    return -(-output_pixels // scale)


def sub_pixel_stage(features: int, *, activation: bool) -> nn.Sequential:
    """Upscale (batch, features, h, w) to (batch, features, 2h, 2w).

    A 3 x 3 convolution to four times the features, which become the four pixels of each pixel;
    then a PReLU of one slope, if asked for.
    """
    layers: list[nn.Module] = [conv3x3(features, 4 * features), nn.PixelShuffle(2)]
    return nn.Sequential(*layers, *([nn.PReLU()] if activation else []))


class SubPixelGenerator(nn.Module):
    """Features of the low-resolution image, doubling stages, an output convolution.

    Parameters
    ----------
    trunk
        Image to features, (batch, 1, h, w) to (batch, features, h, w).
    scale
        2 or 4: one or two doubling stages.
    activation
        Whether a PReLU follows each stage.
    output_size
        Rows and columns of the output convolution.

    Attributes
    ----------
    scale, scales
        The scale; the scales of all outputs.
    halo
        Low-resolution pixels around a pixel that its output depends on.
    """

    def __init__(self, *, trunk: Trunk, scale: int, activation: bool, output_size: int) -> None:
        super().__init__()
        self.scale = scale
        self.scales = (scale,)
        self.halo = trunk.halo + sub_pixel_halo(scale, output_size // 2)
        self.trunk = trunk
        self.stages = nn.Sequential(
            *(
                sub_pixel_stage(trunk.features, activation=activation)
                for _ in range(stage_count(scale))
            )
        )
        self.output = nn.Conv2d(trunk.features, 1, output_size, padding=output_size // 2)

    def forward(self, image: Tensor) -> Tensor:
        """Map (batch, 1, h, w) to (batch, 1, scale h, scale w), not clipped."""
        return self.output(self.stages(self.trunk(image)))
