"""What the perceptual loss looks through, and the name that says so in every results table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from pydantic import BaseModel

from napari_metasr.networks import build
from napari_metasr.networks.vgg import VGGWeightsError
from napari_metasr.weights import load_network

if TYPE_CHECKING:
    from torch import Tensor, nn

SOURCES = {"imagenet": "ImageNet", "random": "random weights (Liu et al. 2021)"}

Features = Callable[["Tensor"], "Tensor"]


class PerceptualConfig(BaseModel, extra="forbid", frozen=True):
    """The network whose features are compared; it is shown images in 0..1.

    Attributes
    ----------
    network
        ``vgg19`` as in all three papers, or the encoder of the ``lesion-detector``.
    layer
        Of VGG19: ``relu5_4``, the features before its last layer.
    weights
        ``imagenet`` (torch's own download), ``random`` (Liu et al. 2021), or a path: of
        torchvision's VGG19, or of a lesion detector's .safetensors with its card.
    seed
        Of random weights, so that a resumed run and every process look through the same.
    """

    network: Literal["vgg19", "lesion-detector"] = "vgg19"
    layer: str = "relu5_4"
    weights: str = "imagenet"
    seed: int = 0


def perceptual_features(
    config: PerceptualConfig, *, detector: nn.Module | None = None
) -> tuple[Features, str]:
    """Return the features that a perceptual loss compares.

    ImageNet's weights are never replaced by random ones unless those are asked for: days of
    training would look through something else than the papers do.

    Parameters
    ----------
    config
        Which network, and its weights.
    detector
        A trained lesion detector, instead of the one at ``config.weights``.

    Returns
    -------
    features, name
        (batch, 1, rows, columns) in 0..1 to (batch, channels, rows', columns'), frozen, in eval
        mode and on the device of the images that come; and what it is in a table's words.

    Raises
    ------
    ValueError
        If there is no such layer, ImageNet's weights or those at a path cannot be had, or a
        lesion detector has none.
    """
    if config.network == "vgg19":
        network, name = _vgg19(config)
        extract: Features = network
    else:
        network = detector if detector is not None else _lesion_detector(config.weights)
        name = "lesion detector's encoder"
        extract = cast("Features", network.features)
    network.requires_grad_(False).eval()

    def features(image: Tensor) -> Tensor:
        network.to(image.device)
        return extract(image)

    return features, name


def _vgg19(config: PerceptualConfig) -> tuple[nn.Module, str]:
    weights = config.weights
    try:
        network = build("vgg19", layer=config.layer, weights=weights, seed=config.seed)
    except VGGWeightsError as error:
        if weights != "imagenet":
            raise
        raise VGGWeightsError(
            f"{error}; a recipe's perceptual.weights names a file of them, or 'random'"
        ) from None
    source = SOURCES.get(weights, Path(weights).name)
    return network, f"VGG19 {config.layer}, {source}"


def _lesion_detector(weights: str) -> nn.Module:
    if weights in SOURCES:
        raise ValueError(
            f"expected a trained lesion detector or the path of its weights, found {weights!r}"
        )
    network, card = load_network(weights)
    if card.network != "lesion-detector":
        raise ValueError(
            f"expected weights of a lesion-detector at {weights}, found {card.network}"
        )
    return network
