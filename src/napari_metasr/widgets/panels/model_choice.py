"""The models as a person chooses them: any scale first, then those of fixed scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.weights import is_own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_metasr.weights import ModelCard

ANY_SCALE = "any scale"


@dataclass(frozen=True)
class ModelChoice:
    """One entry.

    Attributes
    ----------
    name
        Of the model.
    text
        What it is and which scales it gives.
    tip
        The same at length.
    is_fixed
        Whether it gives a few scales only.
    """

    name: str
    text: str
    tip: str
    is_fixed: bool


def choices(cards: Mapping[str, ModelCard]) -> list[ModelChoice]:
    """The entries, those that give every scale first, else in the order of the cards."""
    entries = [_choice(name, card) for name, card in cards.items()]
    return sorted(entries, key=lambda entry: entry.is_fixed)


def title_of(name: str, card: ModelCard) -> str:
    """The model's title, marked if the model is the user's own."""
    return f"{card.title} (yours)" if is_own(name) else card.title


def _choice(name: str, card: ModelCard) -> ModelChoice:
    if card.fixed_scales:
        scales = ", ".join(f"×{scale}" for scale in card.fixed_scales)
        tip = f"Gives {scales}; at other scales its image of the nearest one is resampled."
    else:
        low, high = card.trained_scales
        scales, tip = ANY_SCALE, f"Gives every scale; trained on ×{low:g} to ×{high:g}."
    text = f"{title_of(name, card)} · {scales}"
    return ModelChoice(name, text, f"{tip}\n{card.intended_use}", bool(card.fixed_scales))
