"""Opening our files and samples: the viewer is set up for anatomy, dock or no dock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_metasr.io import reader
from napari_metasr.samples import samples
from napari_metasr.widgets.loupe.shortcuts import prepare_loupe, register_loupe
from napari_metasr.widgets.tour.offer import offer_tour
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.napari_versions import open_viewers
from napari_metasr.widgets.viewer.preferences import display_convention

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from npe2 import PluginContext

    from napari_metasr.io.layers import LayerData

HOLDER = "layers"
OFFER_MS = 2000


def activate(context: PluginContext) -> None:
    """Make the loupe's key known, and offer the tour at the plugin's first use.

    npe2 calls this before it first runs any command of ours.
    """
    register_loupe()
    if QApplication.instance() is not None:
        QTimer.singleShot(OFFER_MS, offer_tour)


def set_up_viewers() -> None:
    """Have the viewer that opens the file upright, with letters, while it holds our layers.

    Which one of several does so is not told: all are made ready, and a view does nothing to a
    viewer without anatomical layers.
    """
    for viewer in open_viewers():
        anatomical_view(viewer, display_convention()).hold(HOLDER)
        prepare_loupe(viewer)


def get_reader(path: str | Sequence[str]) -> Callable[..., list[LayerData]] | None:
    """Do as `napari_metasr.io.reader.get_reader`, for a window."""
    read = reader.get_reader(path)
    return None if read is None else _shown_upright(read)


def phantom_layers() -> list[LayerData]:
    """Do as `napari_metasr.samples.samples.phantom_layers`, for a window."""
    return _shown_upright(samples.phantom_layers)()


def brats_layers() -> list[LayerData]:
    """Do as `napari_metasr.samples.samples.brats_layers`, for a window."""
    return _shown_upright(samples.brats_layers)()


def _shown_upright(read: Callable[..., list[LayerData]]) -> Callable[..., list[LayerData]]:
    def wrapped(*args: Any, **keywords: Any) -> list[LayerData]:
        layers = read(*args, **keywords)
        set_up_viewers()
        return layers

    return wrapped
