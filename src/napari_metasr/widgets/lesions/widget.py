"""What napari docks for detection: the panel with its coordinator."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.weights import ModelCard, model_cards
from napari_metasr.widgets.lesions.coordinator import LesionCoordinator
from napari_metasr.widgets.lesions.dock import LesionDock
from napari_metasr.widgets.panels.model_choice import detector_choices
from napari_metasr.widgets.viewer.open_docks import open_dock, open_docks
from napari_metasr.widgets.viewer.preferences import display_convention, preferences

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_metasr.lesions.detector import Detector
    from napari_metasr.widgets.viewer.models import Loader

ZOOM = "napari-metasr.zoom"


def _load_detector(model: str, *, device: str) -> Detector:
    from napari_metasr.lesions.detector import load_detector

    return load_detector(model, device=device)


class LesionWidget(LesionDock):
    """*Plugins > Meta-SR > Detect tumour*.

    Parameters
    ----------
    napari_viewer
        The viewer to work in.
    detector_factory
        Loads a detector, called as ``detector_factory(model, device=device)``;
        `napari_metasr.lesions.detector.load_detector` by default.
    cards
        The detectors to offer; by default those of the package and the user's own.
    open_zoom
        Called when a lesion is to be super-resolved and no zoom dock is open; opens it by default.
    """

    def __init__(
        self,
        napari_viewer: ViewerModel,
        detector_factory: Loader[Detector] = _load_detector,
        cards: dict[str, ModelCard] | None = None,
        open_zoom: Callable[[], object] | None = None,
    ) -> None:
        if cards is None:
            every = model_cards()
            cards = {name: card for name, card in every.items() if card.detects}
        ordered = sorted(cards, key=lambda name: (name != DEFAULT_DETECTOR, name))
        super().__init__(detector_choices({name: cards[name] for name in ordered}))
        open_docks(napari_viewer).add(self)
        settings = preferences()
        self.coordinator = LesionCoordinator(
            napari_viewer,
            self,
            detector_factory,
            device=settings["device"],
            convention=display_convention(),
            open_zoom=open_zoom or partial(open_dock, napari_viewer, ZOOM),
        )
