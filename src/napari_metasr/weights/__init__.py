"""Weights that come with the package, each with its model card."""

from napari_metasr.weights.card import ModelCard, OperatingPoint
from napari_metasr.weights.store import (
    WeightsError,
    load_network,
    model_card,
    model_names,
    save_weights,
)

__all__ = [
    "ModelCard",
    "OperatingPoint",
    "WeightsError",
    "load_network",
    "model_card",
    "model_names",
    "save_weights",
]
