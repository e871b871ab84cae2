"""What napari docks for the proof on one's own scan: the panel with its coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.weights import DEFAULT_MODEL, ModelCard, model_cards
from napari_metasr.widgets.panels.model_choice import choices
from napari_metasr.widgets.proof.coordinator import ProofCoordinator
from napari_metasr.widgets.proof.dock import ProofDock
from napari_metasr.widgets.viewer.models import load_error_head, load_zoom_model
from napari_metasr.widgets.viewer.open_docks import open_docks
from napari_metasr.widgets.viewer.preferences import preferences

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.trust.risk import RiskModel
    from napari_metasr.widgets.viewer.models import Loader
    from napari_metasr.zoom.engine import ZoomModel


class ProofWidget(ProofDock):
    """*Plugins > Meta-SR > How far can I zoom?*.

    Parameters
    ----------
    napari_viewer
        The viewer to work in.
    model_factory
        Loads a network, called as ``model_factory(model, device=device)``;
        `napari_metasr.load_model` by default.
    cards
        The networks to offer; by default those of the package and the user's own.
    risk_factory
        Loads a network's error head in the same way; with a model factory of one's own there is
        none unless it is given.
    """

    def __init__(
        self,
        napari_viewer: ViewerModel,
        model_factory: Loader[ZoomModel] | None = None,
        cards: dict[str, ModelCard] | None = None,
        risk_factory: Loader[RiskModel] | None = None,
    ) -> None:
        if cards is None:
            cards = {
                name: card for name, card in model_cards().items() if card.super_resolves_slices
            }
        ordered = sorted(cards, key=lambda name: (name != DEFAULT_MODEL, name))
        super().__init__(choices({name: cards[name] for name in ordered}))
        open_docks(napari_viewer).add(self)
        self.coordinator = ProofCoordinator(
            napari_viewer,
            self,
            model_factory or load_zoom_model,
            device=preferences()["device"],
            risk_factory=load_error_head if model_factory is None else risk_factory,
        )
