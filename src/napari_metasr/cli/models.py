"""``napari-metasr models``: what there is to magnify with."""

from __future__ import annotations

from napari_metasr.cli.parsing import Command
from napari_metasr.weights import model_card, model_names


class Models(Command):
    """List the models with their scales, parameters, contrasts, licence and training data."""

    def run(self) -> None:
        """Print a block for every model."""
        for name in model_names():
            card = model_card(name)
            low, high = card.trained_scales
            rows = {
                "title": card.title,
                "scales": f"×{low:g} to ×{high:g} (trained)",
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
