"""How far a set of images is from the truths as a network sees them: Fréchet distances."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from metasr_training.datasets.eight_bits import EIGHT_BITS
from metasr_training.perceptual import PerceptualConfig, perceptual_features
from napari_metasr.quality.perceptual import frechet_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.perceptual import Features

FEATURES = "the shipped lesion detector's encoder"
"""What the distances are measured with; they compare with no others."""

SMALLEST = 32
"""Pixels along an axis that the lesion detector needs."""


def detector_features() -> Features:
    """Return the features of the shipped lesion detector, which needs no download."""
    config = PerceptualConfig(network="lesion-detector", weights="ld")
    return perceptual_features(config)[0]


class Looks:
    """Features of every method's images and of their truths, averaged over each image.

    Parameters
    ----------
    features
        (1, 1, rows, columns) in 0..1 to (1, channels, rows', columns').
    smallest
        Pixels along an axis that the features need; smaller images are left out.
    """

    def __init__(self, features: Features, smallest: int = SMALLEST) -> None:
        self._features = features
        self._smallest = smallest
        self._found: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
        self._truths: list[NDArray[np.float64]] = []

    def add_truth(self, image: NDArray[Any]) -> None:
        """Add a truth, (rows, columns) on the 0..255 scale."""
        self._add(self._truths, image)

    def add(self, label: str, image: NDArray[Any]) -> None:
        """Add what a method made of a truth, (rows, columns) on the 0..255 scale."""
        self._add(self._found[label], image)

    def distance(self, label: str) -> float:
        """Return the Fréchet distance of a method's images from the truths; NaN of fewer than two.

        See `napari_metasr.quality.perceptual.frechet_distance`.
        """
        found = self._found[label]
        if min(len(found), len(self._truths)) < 2:
            return math.nan
        return frechet_distance(np.stack(found), np.stack(self._truths))

    def _add(self, features: list[NDArray[np.float64]], image: NDArray[Any]) -> None:
        if min(image.shape) >= self._smallest:
            features.append(self._mean(image))

    def _mean(self, image: NDArray[Any]) -> NDArray[np.float64]:
        tensor = torch.from_numpy(np.ascontiguousarray(image, np.float32) / np.float32(EIGHT_BITS))
        with torch.inference_mode():
            features = self._features(tensor[None, None])
        return features.mean(dim=(2, 3))[0].double().numpy()
