"""What napari docks for three planes: the panel with its coordinator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.widgets.planes.coordinator import PlanesCoordinator
from napari_metasr.widgets.planes.dock import PlanesDock
from napari_metasr.widgets.viewer.models import load_zoom_model
from napari_metasr.widgets.viewer.open_docks import open_docks
from napari_metasr.widgets.viewer.preferences import display_convention, preferences

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.models import Loader
    from napari_metasr.zoom.engine import ZoomModel

SHARE = 4
"""Each plane gets one part in so many of the memory that encoded slices may take."""


class PlanesWidget(PlanesDock):
    """*Plugins > Meta-SR > Three planes*.

    Parameters
    ----------
    napari_viewer
        The viewer to work in.
    engine_factory
        Loads a model, called as ``engine_factory(model, device=device)``;
        `napari_metasr.load_model` by default.
    """

    def __init__(
        self,
        napari_viewer: ViewerModel,
        engine_factory: Loader[ZoomModel] = load_zoom_model,
    ) -> None:
        super().__init__()
        open_docks(napari_viewer).add(self)
        settings = preferences()
        self.coordinator = PlanesCoordinator(
            napari_viewer,
            self,
            engine_factory,
            byte_budget=(settings["cache_megabytes"] << 20) // SHARE,
            convention=display_convention(),
        )
