"""What several networks are built of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


def conv3x3(inputs: int, outputs: int, *, stride: int = 1) -> nn.Conv2d:
    """Build a 3 x 3 convolution with bias that keeps the size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1)


class PlainResidualBlock(nn.Module):
    """x + scaling conv(ReLU(conv(x))), without normalisation (Lim et al. 2017, fig. 2c).

    Parameters
    ----------
    features
        Channels in and out.
    scaling
        Factor of the residual; 0.1 keeps networks of 256 features stable (their sec. 3.2).
    """

    def __init__(self, *, features: int = 256, scaling: float = 0.1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv3x3(features, features), nn.ReLU(), conv3x3(features, features)
        )
        self.scaling = scaling

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, features, h, w) to the same shape."""
        return x + self.scaling * self.body(x)


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
        """Map (batch, features, h, w) to the same shape."""
        return x + self.body(x)


class Trunk(nn.Module):
    """A head convolution, residual blocks, a tail, and the skip from the head to the end.

    Parameters
    ----------
    head
        (batch, channels, h, w) to (batch, features, h, w), reaching ``head_radius`` pixels.
    blocks
        Residual blocks, each of two 3 x 3 convolutions.
    tail
        One 3 x 3 convolution, and what follows it.
    features
        Channels of the features.
    head_radius
        Pixels that the head looks beyond a pixel.
    """

    def __init__(
        self,
        *,
        head: nn.Module,
        blocks: nn.Sequential,
        tail: nn.Module,
        features: int,
        head_radius: int,
    ) -> None:
        super().__init__()
        self.head = head
        self.blocks = blocks
        self.tail = tail
        self.features = features
        self.head_radius = head_radius

    @property
    def halo(self) -> int:
        """Pixels around a pixel that its features depend on: the head's, 2 a block, and 1."""
        return self.head_radius + 2 * len(self.blocks) + 1

    def forward(self, image: Tensor) -> Tensor:
        """Map (batch, channels, h, w) to (batch, features, h, w)."""
        shallow = self.head(image)
        return shallow + self.tail(self.blocks(shallow))


class ResidualTrunk(Trunk):
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
        super().__init__(
            head=nn.Sequential(nn.Conv2d(channels, features, 9, padding=4), nn.PReLU()),
            blocks=nn.Sequential(*(ResidualBlock(features=features) for _ in range(blocks))),
            tail=nn.Sequential(conv3x3(features, features), nn.BatchNorm2d(features)),
            features=features,
            head_radius=4,
        )


class PlainTrunk(Trunk):
    """The encoder of EDSR: 3 x 3 convolutions without normalisation (Lim et al. 2017, fig. 3).

    Parameters
    ----------
    channels
        Channels of the image.
    features
        Channels of the features.
    blocks
        Residual blocks.
    scaling
        Factor of each block's residual.
    """

    def __init__(
        self, *, channels: int = 1, features: int = 256, blocks: int = 32, scaling: float = 0.1
    ) -> None:
        super().__init__(
            head=conv3x3(channels, features),
            blocks=nn.Sequential(
                *(PlainResidualBlock(features=features, scaling=scaling) for _ in range(blocks))
            ),
            tail=conv3x3(features, features),
            features=features,
            head_radius=1,
        )
