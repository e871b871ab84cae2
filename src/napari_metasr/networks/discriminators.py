"""The discriminator of the papers, and the critic that WGAN and WGAN-GP make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from torch import nn

from napari_metasr.networks.blocks import conv3x3

if TYPE_CHECKING:
    from torch import Tensor

Norm = Literal["batch", "instance", "none"]
NORMS = ("batch", "instance", "none")


def normalisation_layer(norm: str, features: int) -> list[nn.Module]:
    """Build the layers of a normalisation: one with a trained scale and shift, or none at all.

    Raises
    ------
    ValueError
        If there is no such normalisation.
    """
    if norm not in NORMS:
        raise ValueError(f"expected a normalisation among {', '.join(NORMS)}, found {norm!r}")
    if norm == "batch":
        return [nn.BatchNorm2d(features)]
    return [nn.InstanceNorm2d(features, affine=True)] if norm == "instance" else []


class Critic(nn.Module):
    """One unbounded number for an image of any size: the discriminator without its sigmoid.

    3 x 3 convolutions to 64, 128, 256 and 512 features, each at stride 1 and then at stride 2,
    LeakyReLU(0.2), normalised but for the first; average over what is left of the image; 1 x 1
    convolutions to 1024 and 1 (after Ledig et al. 2017, fig. 4).

    Parameters
    ----------
    norm
        ``batch``; ``instance`` or ``none`` for a gradient penalty, which is of one image at a
        time and has no meaning where an output depends on the whole batch (Gulrajani et al.
        2017, sec. 4).
    """

    def __init__(self, *, norm: Norm = "batch") -> None:
        super().__init__()
        self.smallest = 17 if norm == "instance" else 16
        layers: list[nn.Module] = []
        before = 1
        for features in (64, 128, 256, 512):
            for inputs, stride in ((before, 1), (features, 2)):
                layers.append(conv3x3(inputs, features, stride=stride))
                if inputs > 1:
                    layers += normalisation_layer(norm, features)
                layers.append(nn.LeakyReLU(0.2))
            before = features
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(512, 1024, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(1024, 1, 1),
            nn.Flatten(),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Score images, (batch, 1, H, W) to (batch, 1).

        Raises
        ------
        ValueError
            If the image is smaller than 16 x 16 (17 x 17 with instance normalisation, which
            would else be of single pixels).
        """
        if min(image.shape[-2:]) < self.smallest:
            raise ValueError(
                f"expected images of at least {self.smallest} x {self.smallest} pixels, "
                f"found {tuple(image.shape)}"
            )
        return self.judge(self.features(image))


class Discriminator(Critic):
    """The probability that an image is real; 5,214,273 parameters."""

    def __init__(self) -> None:
        super().__init__(norm="batch")

    def forward(self, image: Tensor) -> Tensor:
        """Score images, (batch, 1, H, W) to (batch, 1) in 0..1; raise errors as ``Critic`` does."""
        return super().forward(image).float().sigmoid()  # in half precision 0.998 becomes 1


def build_discriminator() -> Discriminator:
    """Build the discriminator of all three papers."""
    return Discriminator()


def build_critic(*, norm: Norm = "batch") -> Critic:
    """Build a critic; see ``Critic`` for the normalisations.

    Raises
    ------
    ValueError
        If there is no such normalisation.
    """
    return Critic(norm=norm)
