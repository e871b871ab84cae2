"""Weights with their model cards: those of the package, and the user's own."""

from napari_metasr.weights.card import (
    ModelCard,
    OperatingPoint,
    WeightsError,
    cannot_be_told,
)
from napari_metasr.weights.store import (
    check_new_model,
    install_model,
    is_own,
    load_network,
    model_card,
    model_cards,
    model_names,
    remove_model,
    save_weights,
    shipped_names,
)
from napari_metasr.weights.user_models import UserModelWarning
from napari_metasr.weights.user_models import check_name as check_model_name
from napari_metasr.weights.user_models import folder as user_folder

__all__ = [
    "DEFAULT_MODEL",
    "DEFAULT_THROUGH_PLANE_MODEL",
    "ModelCard",
    "OperatingPoint",
    "UserModelWarning",
    "WeightsError",
    "cannot_be_told",
    "check_model_name",
    "check_new_model",
    "install_model",
    "is_own",
    "load_network",
    "model_card",
    "model_cards",
    "model_names",
    "remove_model",
    "save_weights",
    "shipped_names",
    "user_folder",
]

DEFAULT_MODEL = "meta-srgan"
"""Model for slices unless another one is asked for."""

DEFAULT_THROUGH_PLANE_MODEL = "meta-srgan-through-plane"
"""Model for what lies between slices unless another one is asked for."""
