"""What several networks are built of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


def conv3x3(inputs: int, outputs: int, *, stride: int = 1) -> nn.Conv2d:
    """A 3 x 3 convolution with bias that keeps the size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1)


class ResidualBlock(nn.Module):
    """x + BN(conv(PReLU(BN(conv(x))))), as SRGAN's (Ledig et al. 2017, fig. 4).

    Parameters
    ----------
    features
        Channels in and out. The PReLU has one slope for all of them.
    """

    def __init__(self, *, features: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv3x3(features, features),
            nn.BatchNorm2d(features),
            nn.PReLU(),
            conv3x3(features, features),
            nn.BatchNorm2d(features),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, h, w) to the same shape."""
        return x + self.body(x)


class ResidualTrunk(nn.Module):
    """The encoder of SRGAN and Meta-SRGAN: everything before the upsampling.

    9 x 9 convolution and PReLU; residual blocks; 3 x 3 convolution and batch normalisation;
    the skip from behind the first PReLU (Tan, Zhu, Lio 2020, fig. 4).

    Parameters
    ----------
    channels
        Channels of the image.
    features
        Channels of the features.
    blocks
        Residual blocks.
    """

    def __init__(self, *, channels: int = 1, features: int = 64, blocks: int = 5) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(channels, features, kernel_size=9, padding=4), nn.PReLU()
        )
        self.blocks = nn.Sequential(*(ResidualBlock(features=features) for _ in range(blocks)))
        self.tail = nn.Sequential(conv3x3(features, features), nn.BatchNorm2d(features))

    @property
    def halo(self) -> int:
        """Pixels around a pixel that its features depend on: 4, 2 a block, and 1."""
        return 4 + 2 * len(self.blocks) + 1

    def forward(self, image: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, features, h, w)."""
        shallow = self.head(image)
        return shallow + self.tail(self.blocks(shallow))
