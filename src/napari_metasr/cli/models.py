"""``napari-metasr models``: list the models, for super-resolution and for detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_metasr.cli.parsing import Command, optional
from napari_metasr.weights import is_own, model_cards, remove_model, user_folder

if TYPE_CHECKING:
    from napari_metasr.weights import ModelCard


GENERATORS = "To super-resolve with (napari-metasr zoom --model NAME)"
FINDERS = "To detect tumours with (napari-metasr detect --model NAME)"
OTHERS = "Other networks"


def scales_text(card: ModelCard) -> str:
    """Describe the scales that a model gives, and those that it was trained on."""
    if not card.super_resolves:
        return f"none: it is a {card.network}"
    if card.fixed_scales:
        fixed = " and ".join(f"×{scale}" for scale in card.fixed_scales)
        return f"{fixed}; others are resampled from the nearest"
    low, high = card.trained_scales
    along = " along one axis, across slices" if card.super_resolves_across_slices else ""
    return f"every one{along}; ×{low:g} to ×{high:g} trained"


def finds_text(card: ModelCard) -> str:
    """Describe what a detector finds, and from which score on it counts."""
    number = "one box" if card.network == "lesion-detector" else "any number of boxes"
    high = card.trained_scales[1]
    sizes = f"full-size or reduced by up to {high:g}" if high > 1 else "full-size"
    if card.detection is None:
        return f"{number} a slice, {sizes}; its card does not say how answers are read"
    planes = " and ".join(card.detection.planes)
    return f"{number} a slice ({planes}, {sizes}), from a score of {card.detection.threshold:g} on"


def rows_of(card: ModelCard) -> dict[str, str]:
    """Describe a model, by heading."""
    told = {"finds": finds_text(card)} if card.detects else {"scales": scales_text(card)}
    return {
        "title": card.title,
        "network": card.network,
        **told,
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


def group_of(card: ModelCard) -> str:
    """Return the heading under which a model is listed."""
    if card.detects:
        return FINDERS
    return GENERATORS if card.super_resolves else OTHERS


class Models(Command):
    """List the models for super-resolution, with their scales, and those that detect tumours.

    Your own models, as `metasr-train finetune` makes them, are listed beside those of the package.
    """

    remove: Annotated[str | None, optional("NAME")] = Field(
        default=None, description="Delete this model of your own instead."
    )

    def run(self) -> None:
        """Print a block for every model, under a heading for each kind; or remove one."""
        if self.remove is not None:
            for path in remove_model(self.remove):
                print(f"{path}: removed")
            return
        cards = model_cards()
        for group in (GENERATORS, FINDERS, OTHERS):
            members = [name for name, card in cards.items() if group_of(card) == group]
            if members:
                print(f"{group}\n")
            for name in members:
                print(f"{name} (yours)" if is_own(name) else name)
                for key, value in rows_of(cards[name]).items():
                    print(f"  {key:<13}{value}")
                print()
        print(f"Your own models are kept in {user_folder()}")
