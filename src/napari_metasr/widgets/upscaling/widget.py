"""What napari docks for whole volumes: the panel with its coordinator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_metasr.upscaling.job import Job
from napari_metasr.weights import DEFAULT_MODEL, ModelCard, model_cards
from napari_metasr.widgets.panels.model_choice import choices, title_of
from napari_metasr.widgets.upscaling.coordinator import UpscaleCoordinator
from napari_metasr.widgets.upscaling.dock import UpscaleDock
from napari_metasr.widgets.viewer.open_docks import open_docks
from napari_metasr.widgets.viewer.preferences import display_convention, preferences
from napari_metasr.widgets.viewer.telling import remembered_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_metasr.upscaling.upscale import Upscaling
    from napari_metasr.widgets.panels.model_choice import ModelChoice


def _measure(model: str, device: str) -> float:
    from napari_metasr.upscaling.costs import measured_speed
    from napari_metasr.zoom.loading import load_model

    return measured_speed(load_model(model, device=device))


class UpscaleWidget(UpscaleDock):
    """*Plugins > Meta-SR > Upscale volume*.

    Parameters
    ----------
    napari_viewer
        The viewer to work in.
    prepare
        Plans a job's work; ``Job.prepare`` by default.
    cards
        The models to offer; by default those of the package and the user's own.
    measure
        Measures how fast a model is on a device, in seconds for a unit of `Costs`.
    """

    def __init__(
        self,
        napari_viewer: ViewerModel,
        prepare: Callable[[Job], Upscaling] = Job.prepare,
        cards: dict[str, ModelCard] | None = None,
        measure: Callable[[str, str], float] = _measure,
    ) -> None:
        if cards is None:
            cards = model_cards()
        ordered = sorted(cards, key=lambda name: (name != DEFAULT_MODEL, name))
        settings = preferences()
        super().__init__(
            choices({name: cards[name] for name in ordered if cards[name].super_resolves_slices}),
            _between({name: cards[name] for name in ordered}),
            device=settings["device"],
        )
        open_docks(napari_viewer).add(self)
        self.assumed.set_words(remembered_words())
        self.coordinator = UpscaleCoordinator(
            napari_viewer, self, prepare, measure, convention=display_convention()
        )


def _between(cards: dict[str, ModelCard]) -> list[ModelChoice]:
    """Return the models for what is between slices; all of them give any scale."""
    found = {name: card for name, card in cards.items() if card.super_resolves_across_slices}
    return [
        replace(choice, text=title_of(choice.name, found[choice.name])) for choice in choices(found)
    ]
