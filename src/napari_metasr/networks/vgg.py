"""VGG19's features (Simonyan, Zisserman 2015), frozen, for perceptual losses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from napari_metasr.networks.state_files import StateFileError, check_state, read_state_dict

if TYPE_CHECKING:
    from torch import Tensor

STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
IMAGENET_URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
LAYERS = tuple(
    f"relu{stage}_{number}"
    for stage, (_, count) in enumerate(STAGES, start=1)
    for number in range(1, count + 1)
)


class VGGWeightsError(StateFileError):
    """Weights of VGG19 are missing, unreadable, or of another network."""


def vgg19_layers(layer: str) -> nn.Sequential:
    """Build the convolutions, ReLUs and poolings up to a layer, numbered as torchvision's VGG19.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    if layer not in LAYERS:
        raise ValueError(f"expected a layer among {', '.join(LAYERS)}, found {layer!r}")
    layers: list[nn.Module] = []
    inputs, left = 3, LAYERS.index(layer) + 1
    for features, count in STAGES:
        if layers and left:
            layers.append(nn.MaxPool2d(2))
        for _ in range(min(count, left)):
            layers += [nn.Conv2d(inputs, features, 3, padding=1), nn.ReLU()]
            inputs = features
            left -= 1
    return nn.Sequential(*layers)


class VGG19(nn.Module):
    """Features of a grayscale image, (batch, 1, h, w), in 0..1.

    Parameters
    ----------
    layer
        The last layer, ``relu1_1`` to ``relu5_4``.
    """

    def __init__(self, *, layer: str = "relu5_4") -> None:
        super().__init__()
        self.features = vgg19_layers(layer)
        self.smallest = 2 ** sum(isinstance(part, nn.MaxPool2d) for part in self.features)
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Map (batch, 1 or 3, h, w) to (batch, features, h', w').

        A single channel is taken three times; ImageNet's mean and standard deviation are applied
        here. Every stage but the first halves the image.

        Raises
        ------
        ValueError
            If the image has neither one channel nor three, or is too small to be halved so often
            (16 x 16 for the fifth stage).
        """
        if image.ndim != 4 or image.shape[1] not in (1, 3) or min(image.shape[2:]) < self.smallest:
            raise ValueError(
                f"expected images (batch, 1 or 3, h, w) of at least {self.smallest} x "
                f"{self.smallest} pixels, found {tuple(image.shape)}"
            )
        mean, std = self.get_buffer("mean"), self.get_buffer("std")
        return self.features((image - mean) / std)


def randomise(network: nn.Module, seed: int) -> None:
    """Draw weights with He et al. 2015's variance from a seed; biases become 0.

    Random features of this depth still serve as a perceptual loss (Liu et al. 2021), though a
    weaker one than trained features: results have to name them.
    """
    generator = torch.Generator().manual_seed(seed)
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(part.bias)  # type: ignore[arg-type]


def download_state() -> dict[str, Tensor]:
    """Load Torch's ImageNet weights from its cache, or download them; their hash is checked.

    Raises
    ------
    VGGWeightsError
        If they are not in the cache and cannot be downloaded.
    """
    try:
        return torch.hub.load_state_dict_from_url(
            IMAGENET_URL, map_location="cpu", check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        cache = Path(torch.hub.get_dir()) / "checkpoints" / IMAGENET_URL.rpartition("/")[2]
        raise VGGWeightsError(
            f"ImageNet's weights of VGG19 are not there and cannot be downloaded ({error}): put "
            f"{IMAGENET_URL} at {cache}, give the path of a copy, or choose 'random'"
        ) from None


def load_features(network: VGG19, state: dict[str, Tensor], source: str) -> None:
    """Load the features of a whole VGG19's state dict; its further layers are left out.

    Raises
    ------
    StateFileError
        If a layer is missing or of another shape.
    """
    expected = network.state_dict()
    found = {key: value for key, value in state.items() if key in expected}
    check_state(source, "VGG19", expected, found)
    network.load_state_dict(found)


def build_vgg19(
    *, layer: str = "relu5_4", weights: str | Path | None = None, seed: int = 0
) -> VGG19:
    """Build VGG19's features, frozen and in eval mode.

    Parameters
    ----------
    layer
        The last layer; ``relu5_4`` is the features before the last layer of the papers.
    weights
        ``imagenet``: torch's own download. ``random``: drawn from ``seed``. A path: torchvision's
        state dict, .pth (no pickled code is run) or .safetensors. None: torch's initialisation,
        for a state dict that is loaded later.
    seed
        Of random weights.

    Raises
    ------
    ValueError
        If there is no such layer, or the weights are not there (``VGGWeightsError``).
    """
    network = VGG19(layer=layer)
    if weights == "random":
        randomise(network, seed)
    elif weights == "imagenet":
        load_features(network, download_state(), IMAGENET_URL)
    elif weights is not None:
        try:
            load_features(network, read_state_dict(weights), str(weights))
        except StateFileError as error:
            raise VGGWeightsError(f"VGG19: {error}") from None
    return network.eval().requires_grad_(False)
