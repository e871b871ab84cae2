"""Networks that find what they are told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detection import Detection
from napari_metasr.lesions.detector import Detector
from napari_metasr.weights import OperatingPoint

if TYPE_CHECKING:
    from torch import Tensor

POINT = OperatingPoint(threshold=0.5, level=0.5, margin=0.0)


class Bright(nn.Module):
    """A map of what is brighter than 0.8, at half the size of the image; its input is kept."""

    def forward(self, image: Tensor) -> Tensor:
        self.seen = image
        return 40 * (functional.avg_pool2d(image, 2) - 0.8)


class OneBox(nn.Module):
    """The same box, whatever it is shown."""

    def __init__(self, *box: float) -> None:
        super().__init__()
        self.box = box

    def forward(self, image: Tensor) -> Tensor:
        self.seen = image
        return torch.tensor([self.box] * len(image))


class Map(nn.Module):
    """The same map of probabilities, whatever it is shown."""

    def __init__(self, probabilities: Tensor) -> None:
        super().__init__()
        self.probabilities = probabilities

    def forward(self, image: Tensor) -> Tensor:
        return self.probabilities.logit().expand(len(image), 1, -1, -1)


def detector_of(network: nn.Module, **point: object) -> Detector:
    """A detector with this network and point."""
    return Detector(
        network,
        POINT.model_copy(update=point),
        name="fake",
        title="Fake",
        device=torch.device("cpu"),
    )


def box(top: float, left: float, bottom: float, right: float, score: float = 0.9) -> Detection:
    """A rectangle by its edges."""
    return Detection(Window(*(top, left, bottom, right)), score)
