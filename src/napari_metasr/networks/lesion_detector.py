"""LD, the lesion detector: a box around the tumour, for slices of any size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

WIDTHS = (16, 32, 64, 96, 128)
SMALLEST = 32


def _conv_norm(inputs: int, outputs: int, size: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class DetectorUnit(nn.Module):
    """ReLU(skip(x) + BN(conv(ReLU(BN(conv(x)))))) (He et al. 2016, fig. 2).

    The skip is the identity, or a 1 x 1 convolution where the number of features changes.
    """

    def __init__(self, *, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_conv_norm(inputs, outputs, 3), nn.ReLU(), *_conv_norm(outputs, outputs, 3)
        )
        self.skip = nn.Identity() if inputs == outputs else _conv_norm(inputs, outputs, 1)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, h, w) to (batch, outputs, h, w)."""
        return self.activation(self.skip(x) + self.body(x))


def detector_block(inputs: int, outputs: int) -> nn.Sequential:
    """Build two residual units, that is four convolutions and two skips, then max pooling.

    Pooling rounds up, so that the last row and column of an odd size take part.
    """
    return nn.Sequential(
        DetectorUnit(inputs=inputs, outputs=outputs),
        DetectorUnit(inputs=outputs, outputs=outputs),
        nn.MaxPool2d(2, ceil_mode=True),
    )


def check_slices(image: Tensor) -> None:
    """Refuse what a detector cannot look at.

    Raises
    ------
    ValueError
        If the image has not one channel, or is smaller than 32 x 32.
    """
    if image.ndim != 4 or image.shape[1] != 1 or min(image.shape[2:]) < SMALLEST:
        raise ValueError(
            f"expected images (batch, 1, h, w) of at least {SMALLEST} x {SMALLEST} pixels, "
            f"found {tuple(image.shape)}"
        )


class LesionDetector(nn.Module):
    """Where the tumour is, as shares of the slice, and whether there is one.

    Residual blocks with max pooling (Zhu, Yang, Lio 2018, sec. 2.2); the average of the features
    over a grid of fixed size, so that slices of any size and scale will do; one linear layer.

    Parameters
    ----------
    widths
        Features of each block; each halves the image.
    grid
        Rows and columns of the grid; where in the slice a feature was seen survives in it.
    """

    def __init__(self, *, widths: Sequence[int] = WIDTHS, grid: int = 4) -> None:
        super().__init__()
        inputs = (1, *widths[:-1])
        self.encoder = nn.Sequential(*map(detector_block, inputs, widths))
        self.pool = nn.AdaptiveAvgPool2d(grid)
        self.head = nn.Linear(widths[-1] * grid * grid, 5)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.bias.copy_(torch.tensor([-math.log(3)] * 2 + [math.log(2)] * 2 + [0.0]))

    def features(self, image: Tensor) -> Tensor:
        """Return the encoder's features, (batch, 1, h, w) to (batch, widths[-1], h / 32, w / 32).

        Raises
        ------
        ValueError
            If the image has not one channel, or is smaller than 32 x 32.
        """
        check_slices(image)
        return self.encoder(image)

    def forward(self, image: Tensor) -> Tensor:
        """Detect, (batch, 1, h, w) to (batch, 5): top, left, bottom, right and the score.

        All lie in 0..1. The box is in shares of the slice's rows and columns; the head says how
        much of what is below ``top`` and right of ``left`` belongs to it, so that always
        top <= bottom and left <= right. The score is 1 where a tumour is present. The head
        begins with small weights and the middle half of the slice as its box.

        Raises
        ------
        ValueError
            As ``features``.
        """
        raw = self.head(self.pool(self.features(image)).flatten(1)).sigmoid()
        start, share, score = raw[:, :2], raw[:, 2:4], raw[:, 4:]
        return torch.cat([start, start + (1 - start) * share, score], dim=1)


def build_lesion_detector(*, widths: Sequence[int] = WIDTHS, grid: int = 4) -> LesionDetector:
    """Build the lesion detector: five blocks of 16 to 128 features."""
    return LesionDetector(widths=widths, grid=grid)
