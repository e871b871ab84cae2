"""What napari docks for detection: the panel with its coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.weights import ModelCard, model_cards
from napari_metasr.widgets.lesions.coordinator import LesionCoordinator
from napari_metasr.widgets.lesions.dock import LesionDock
from napari_metasr.widgets.panels.model_choice import title_of
from napari_metasr.widgets.viewer.preferences import PLUGIN, preferences

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

ZOOM = "Meta-SR Zoom"


def _load_detector(model: str, *, device: str) -> Any:
    from napari_metasr.lesions.detector import load_detector

    return load_detector(model, device=device)


class LesionWidget(LesionDock):
    """*Plugins > Detect tumour*.

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
        Called when a lesion is to be magnified and no zoom dock is open; opens it by default.
    """

    def __init__(
        self,
        napari_viewer: ViewerModel,
        detector_factory: Callable[..., Any] | None = None,
        cards: dict[str, ModelCard] | None = None,
        open_zoom: Callable[[], None] | None = None,
    ) -> None:
        if cards is None:
            every = model_cards()
            cards = {name: card for name, card in every.items() if card.detects}
        ordered = sorted(cards, key=lambda name: (name != DEFAULT_DETECTOR, name))
        super().__init__(
            [(name, title_of(name, cards[name]), cards[name].intended_use) for name in ordered]
        )
        self._viewer = napari_viewer
        settings = preferences()
        self.coordinator = LesionCoordinator(
            napari_viewer,
            self,
            detector_factory or _load_detector,
            device=settings["device"],
            convention=settings["orientation"],
            open_zoom=open_zoom or self._open_zoom,
        )

    def _open_zoom(self) -> None:
        """Dock the zoom beside this dock; a viewer without a window has none."""
        window = getattr(self._viewer, "window", None)
        if window is not None:
            window.add_plugin_dock_widget(PLUGIN, ZOOM)
