"""Load a model to zoom with, by its name or from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.devices import resolve_device
from napari_metasr.weights import DEFAULT_MODEL, WeightsError, load_network
from napari_metasr.zoom.engine import ZoomModel

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from napari_metasr.weights import ModelCard
    from napari_metasr.zoom.encoded import Tiling
    from napari_metasr.zoom.engine import Precision


def load_model(
    model: str | Path = DEFAULT_MODEL,
    *,
    device: str = "auto",
    precision: Precision = "float32",
    tiling: Tiling | None = None,
    continued: bool = True,
) -> ZoomModel:
    """Load a model to zoom with.

    Parameters
    ----------
    model
        A name among ``napari_metasr.weights.model_names()``, the path of a safetensors file with
        its model card beside it, or of a .pth file of Meta-SRGAN in the authors' layout.
    device
        ``auto``, ``cuda``, ``mps`` or ``cpu``.
    precision
        ``float32``, or ``bfloat16`` for quicker encoding at a small loss.
    tiling
        How slices are cut up, and how much memory encoded tiles may take.
    continued
        Whether the tissue is continued beyond the edge of a mask and into gaps and outliers, so
        that they make no false rims; if not a network is shown every slice as it is.

    Raises
    ------
    ValueError
        If the model or the device is not there, or the weights are damaged
        (``napari_metasr.weights.WeightsError``).
    """
    resolved = resolve_device(device)
    network, card = load_network(model)
    return ZoomModel(
        network,
        card,
        device=resolved,
        precision=precision,
        tiling=tiling,
        continued=continued,
        untold=_untold(card),
    )


def _untold(card: ModelCard) -> nn.Module | None:
    """Load the network that takes a model's place where it is told nothing, if any does."""
    if not card.untold:
        return None
    network, other = load_network(card.untold)
    if (other.network, other.standardisation) != ("meta-srgan", card.standardisation):
        raise WeightsError(
            f"{card.name} names {other.name} for where it is told nothing: expected a Meta-SRGAN "
            "of the same standardisation"
        )
    return network
