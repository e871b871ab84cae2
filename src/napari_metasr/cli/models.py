"""``napari-metasr models``: what there is to magnify with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.cli.parsing import Command
from napari_metasr.weights import model_card, model_names

if TYPE_CHECKING:
    from napari_metasr.weights import ModelCard


def scales_text(card: ModelCard) -> str:
    """Which scales a model gives, and which of them it was trained on."""
    if not card.magnifies:
        return f"none: it is a {card.network}"
    if card.fixed_scales:
        fixed = " and ".join(f"×{scale}" for scale in card.fixed_scales)
        return f"{fixed}; others are resampled from the nearest"
    low, high = card.trained_scales
    along = " along one axis, across slices" if card.axes == "one" else ""
    return f"every one{along}; ×{low:g} to ×{high:g} trained"


class Models(Command):
    """List the models with their scales, parameters, contrasts, licence and training data."""

    def run(self) -> None:
        """Print a block for every model."""
        for name in model_names():
            card = model_card(name)
            rows = {
                "title": card.title,
                "network": card.network,
                "scales": scales_text(card),
                "contrasts": ", ".join(card.trained_contrasts),
                "parameters": f"{card.parameters:,}",
                "updates": f"{card.updates:,}",
                "degradations": ", ".join(card.degradations),
                "data": "; ".join(card.data),
                "licence": card.licence,
                "use": card.intended_use,
                "limitations": card.limitations,
                "sha256": card.sha256,
            }
            print(name)
            for key, value in rows.items():
                print(f"  {key:<13}{value}")
