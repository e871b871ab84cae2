"""Opening our files and samples: the viewer is set up for anatomy, dock or no dock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_metasr.io import reader
from napari_metasr.samples import samples
from napari_metasr.widgets.loupe.shortcuts import register_loupe
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.napari_versions import open_viewers
from napari_metasr.widgets.viewer.preferences import preferences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_metasr.io.layers import LayerData

HOLDER = "layers"


def set_up_viewers() -> None:
    """Have the viewer that opens the file upright, with letters, while it holds our layers.

    Which one of several does so is not told: all are made ready, and a view does nothing to a
    viewer without anatomical layers.
    """
    register_loupe()
    for viewer in open_viewers():
        anatomical_view(viewer, preferences()["orientation"]).hold(HOLDER)


def get_reader(path: str | Sequence[str]) -> Callable[..., list[LayerData]] | None:
    """As `napari_metasr.io.reader.get_reader`, for a window."""
    read = reader.get_reader(path)
    return None if read is None else _shown_upright(read)


def phantom_layers() -> list[LayerData]:
    """As `napari_metasr.samples.samples.phantom_layers`, for a window."""
    return _shown_upright(samples.phantom_layers)()


def brats_layers() -> list[LayerData]:
    """As `napari_metasr.samples.samples.brats_layers`, for a window."""
    return _shown_upright(samples.brats_layers)()


def _shown_upright(read: Callable[..., list[LayerData]]) -> Callable[..., list[LayerData]]:
    def wrapped(*args: Any, **keywords: Any) -> list[LayerData]:
        layers = read(*args, **keywords)
        set_up_viewers()
        return layers

    return wrapped
