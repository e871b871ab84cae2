"""Generators that begin as interpolation, so that short schedules go into detail.

The papers are silent on initialisation. With torch's own a generator spends its first thousand
updates on learning to copy its input. Here two of its features carry the image, ``x`` and ``-x``,
through the skips and the doubling stages; since ``PReLU(x) - PReLU(-x) = (1 + slope) x`` no
activation is in the way. The first output is bilinear interpolation (nearest-neighbour in
Meta-SRGAN), to which the other features, which start small, add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from napari_metasr.networks.liif import LIIF
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.networks.ms_gan import MultiScaleGenerator
from napari_metasr.networks.sub_pixel import SubPixelGenerator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from napari_metasr.networks.blocks import Trunk
    from napari_metasr.networks.liif import ImplicitFunction

OTHERS = 0.1
"""What the output convolution's other weights are multiplied with."""

BILINEAR = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]])
"""Weights of the pixel before, the pixel itself and the next, for both halves of a pixel."""


def _slope(parts: Iterable[nn.Module]) -> float:
    """Return the slope below zero of the activation among some layers; 1 without one."""
    return next((float(one.weight.detach()[0]) for one in parts if isinstance(one, nn.PReLU)), 1.0)


def _first_convolution(module: nn.Module) -> nn.Conv2d:
    return next(one for one in module.modules() if isinstance(one, nn.Conv2d))


def _prepare_trunk(trunk: Trunk) -> float:
    """Make the first two features the image and its negative; their activation's slope."""
    head = _first_convolution(trunk.head)
    middle = head.kernel_size[0] // 2
    head.weight[:2] = 0
    head.weight[0, 0, middle, middle] = 1
    head.weight[1, 0, middle, middle] = -1
    if head.bias is not None:
        head.bias[:2] = 0
    for part in (*trunk.blocks, trunk.tail):
        _leave_image(part)
    return _slope(trunk.head.modules())


def _leave_image(residual: nn.Module) -> None:
    """Let a residual add nothing to the first two features."""
    layers = [one for one in residual.modules() if isinstance(one, (nn.Conv2d, nn.BatchNorm2d))]
    last = layers[-1]
    last.weight[:2] = 0
    if last.bias is not None:
        last.bias[:2] = 0


def _carry(weight: Tensor, kernel: Tensor, slope: float) -> None:
    """Let a convolution's first output be ``kernel`` applied to the carried image."""
    weight.zero_()
    weight[0] = kernel / (1 + slope)
    weight[1] = -kernel / (1 + slope)


def _prepare_stage(stage: nn.Module, slope: float) -> float:
    """Double the carried image and its negative bilinearly; the slope of what follows."""
    convolution = _first_convolution(stage)
    for feature, sign in ((0, 1), (1, -1)):
        for row in range(2):
            for column in range(2):
                channel = 4 * feature + 2 * row + column
                kernel = sign * torch.outer(BILINEAR[row], BILINEAR[column])
                _carry(convolution.weight[channel], kernel, slope)
                if convolution.bias is not None:
                    convolution.bias[channel] = 0
    return _slope(stage.modules())


def _prepare_output(output: nn.Conv2d, slope: float) -> None:
    size = output.kernel_size[0]
    kernel = torch.zeros(size, size)
    kernel[size // 2, size // 2] = 1
    output.weight.mul_(OTHERS)
    output.weight[0, :2] = 0
    output.weight[0, 0] = kernel / (1 + slope)
    output.weight[0, 1] = -kernel / (1 + slope)
    if output.bias is not None:
        output.bias.zero_()


def _prepare_function(function: ImplicitFunction, slope: float) -> None:
    """Let the first two hidden units of every layer be the image and its negative, rectified."""
    *hidden, last = [one for one in function.modules() if isinstance(one, nn.Linear)]
    for layer in hidden:
        layer.weight[:2] = 0
        layer.bias[:2] = 0
        if layer is not function.first:
            layer.weight[:2, :2] = torch.eye(2)
    patch = function.first.weight[:2, : function.unfolded].view(2, -1, 3, 3)
    patch[0, :2, 1, 1] = torch.tensor([1.0, -1.0]) / (1 + slope)
    patch[1, :2, 1, 1] = torch.tensor([-1.0, 1.0]) / (1 + slope)
    last.weight.mul_(OTHERS)
    last.weight[0, :2] = torch.tensor([1.0, -1.0])
    last.bias.zero_()


@torch.no_grad()
def start_as_interpolation(network: nn.Module) -> None:
    """Change a generator's random weights so that it begins as interpolation.

    Parameters
    ----------
    network
        Any generator of this package, with at least three features; changed in place.

    Raises
    ------
    TypeError
        If it is no generator.
    """
    if isinstance(network, SubPixelGenerator):
        slope = _prepare_trunk(network.trunk)
        for stage in network.stages:
            slope = _prepare_stage(stage, slope)
        _prepare_output(network.output, slope)
    elif isinstance(network, MultiScaleGenerator):
        slope = _prepare_stage(network.doubling, _prepare_trunk(network.trunk))
        for block in network.doubled_blocks:
            _leave_image(block)
        _prepare_output(network.doubling_output, slope)
        slope = _prepare_stage(network.quadrupling, slope)
        _prepare_output(network.quadrupling_output, slope)
    elif isinstance(network, MetaSRGAN):
        slope = _prepare_trunk(network.trunk)
        second = network.upscale.weights.second
        second.weight.mul_(OTHERS)
        second.bias.mul_(OTHERS)
        patch = second.bias.view(-1, 3, 3)
        patch[:2] = 0
        patch[0, 1, 1] = 1 / (1 + slope)
        patch[1, 1, 1] = -1 / (1 + slope)
    elif isinstance(network, LIIF):
        _prepare_function(network.function, _prepare_trunk(network.trunk))
    else:
        raise TypeError(f"expected a generator, found {type(network).__name__}")
