"""What napari docks: the panel with its coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.weights import ModelCard, model_cards
from napari_metasr.widgets.panels.model_choice import choices
from napari_metasr.widgets.viewer.models import load_zoom_model
from napari_metasr.widgets.viewer.open_docks import open_docks
from napari_metasr.widgets.viewer.preferences import display_convention, preferences
from napari_metasr.widgets.viewer.telling import remembered_words
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.coordinator import Coordinator
from napari_metasr.widgets.zoom.dock import ZoomDock
from napari_metasr.widgets.zoom.shortcuts import register_shortcuts

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.models import Loader
    from napari_metasr.zoom.engine import ZoomModel


class MetaSRZoomWidget(ZoomDock):
    """*Plugins > Meta-SR > Meta-SR Zoom*.

    Parameters
    ----------
    napari_viewer
        The viewer to work in.
    engine_factory
        Loads a model, called as ``engine_factory(model, device=device)``;
        by default `napari_metasr.load_model`, with small tiles.
    cards
        The models to offer; by default those of the package and the user's own.
    """

    def __init__(
        self,
        napari_viewer: ViewerModel,
        engine_factory: Loader[ZoomModel] = load_zoom_model,
        cards: dict[str, ModelCard] | None = None,
    ) -> None:
        if cards is None:
            every = model_cards()
            cards = {name: card for name, card in every.items() if card.super_resolves_slices}
        super().__init__(choices(cards))
        open_docks(napari_viewer).add(self)
        register_shortcuts()
        settings = preferences()
        self.set_quietly(self.device, settings["device"])
        self.set_quietly(self.display.convention, display_convention())
        self.set_quietly(self.region, RegionMode(settings["region"]))
        self.set_quietly(self.model, settings["model"])
        self.assumed.set_words(remembered_words())
        self.comparison.setCurrentText(settings["comparison"])
        self.coordinator = Coordinator(
            napari_viewer,
            self,
            engine_factory,
            cards,
            byte_budget=settings["cache_megabytes"] << 20,
            convention=display_convention(),
        )
