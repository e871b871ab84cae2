"""The list of models to choose from: any scale first, then those of fixed scales."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt

from napari_metasr.weights import is_own
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.panels.eliding import BRIEF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtpy.QtWidgets import QComboBox

    from napari_metasr.weights import ModelCard

ANY_SCALE = "any scale"


@dataclass(frozen=True)
class ModelChoice:
    """One entry.

    Attributes
    ----------
    name
        Name of the model.
    title, text
        What it is, without and with the scales that it gives.
    tip
        The same at length.
    is_fixed
        Whether it gives a few scales only.
    """

    name: str
    title: str
    text: str
    tip: str
    is_fixed: bool


def choices(cards: Mapping[str, ModelCard]) -> list[ModelChoice]:
    """Return the entries, those that give every scale first, else in the order of the cards."""
    entries = [_choice(name, card) for name, card in cards.items()]
    return sorted(entries, key=lambda entry: entry.is_fixed)


def title_of(name: str, card: ModelCard) -> str:
    """Return the model's title, marked if the model is the user's own."""
    return f"{card.title} (yours)" if is_own(name) else card.title


def _choice(name: str, card: ModelCard) -> ModelChoice:
    if card.fixed_scales:
        scales = ", ".join(f"×{scale}" for scale in card.fixed_scales)
        tip = f"Gives {scales}; at other scales its image of the nearest one is resampled."
    else:
        low, high = card.trained_scales
        scales, tip = ANY_SCALE, f"Gives every scale; trained on ×{low:g} to ×{high:g}."
    title = title_of(name, card)
    text = f"{title} · {scales}"
    if card.lesions_only:
        text, tip = f"{text} · lesions only", f"{card.lesions_only}.\n{tip}"
    tip = f"{tip}\n{card.intended_use}"
    return ModelChoice(name, title, text, tip, is_fixed=bool(card.fixed_scales))


def detector_choices(cards: Mapping[str, ModelCard]) -> list[ModelChoice]:
    """Return the entries of detectors, in the order of the cards."""
    titles = {name: title_of(name, card) for name, card in cards.items()}
    return [
        ModelChoice(name, title, title, cards[name].intended_use, is_fixed=False)
        for name, title in titles.items()
    ]


def model_box(models: Sequence[ModelChoice], tip: str) -> QComboBox:
    """Return a box to choose a model in; a line parts those of fixed scales from the others."""
    combo = parts.combo_box(tip)
    for model in models:
        combo.addItem(model.text, model.name)
        combo.setItemData(combo.count() - 1, model.tip, Qt.ItemDataRole.ToolTipRole)
        combo.setItemData(combo.count() - 1, model.title, BRIEF)
    for place, (before, model) in enumerate(pairwise(models), start=1):
        if model.is_fixed and not before.is_fixed:
            combo.insertSeparator(place)
    return combo
