"""The names of two results that share a view, each on its side and no wider than that."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.components.overlays import TextOverlay

from napari_metasr.widgets.viewer.napari_versions import canvas_overlays
from napari_metasr.widgets.viewer.result_layers import LABEL_SIZE, elided
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.result_layers import ResultPair

POSITIONS = ("top_left", "top_right")


def overlay_name(position: str) -> str:
    """Under which name the viewer's canvas holds the name of a side."""
    return f"metasr_name_{position}"


def caption(name: str, source: str) -> str:
    r"""Return the name of a result in lines, without that of its source.

    Examples
    --------
    >>> caption("research use · super-resolved (Meta-SRGAN ×2.00) · T1c", "T1c")
    'research use\nsuper-resolved\n(Meta-SRGAN ×2.00)'
    """
    for end in (source, elided(source)):
        name = name.removesuffix(f" · {end}")
    return name.replace(" · ", "\n").replace(" (", "\n(")


class SideNames:
    """Two texts on a viewer's canvas that follow the names of a pair's layers.

    Parameters
    ----------
    viewer
        The viewer.
    pair
        The bicubic result, named on the left, and the super-resolved one, named on the right.
    """

    def __init__(self, viewer: ViewerModel, pair: ResultPair) -> None:
        self._names = canvas_overlays(viewer)
        self._pair = weakref.ref(pair)
        for position in POSITIONS:
            self._names[overlay_name(position)] = TextOverlay(
                position=position, font_size=LABEL_SIZE, visible=True
            )
        self._subscriptions = Subscriptions(
            (layer.events.name, self._write) for layer in pair.layers
        )
        self._write()

    def is_of(self, pair: ResultPair) -> bool:
        """Return whether it names this pair."""
        return self._pair() is pair

    def close(self) -> None:
        """Take the texts off the canvas."""
        self._subscriptions.close()
        for position in POSITIONS:
            del self._names[overlay_name(position)]

    def _write(self, event: Any = None) -> None:
        pair = self._pair()
        if pair is None:
            return
        for position, layer in zip(POSITIONS, (pair.bicubic, pair.enhanced), strict=True):
            text = caption(layer.name, pair.source.name)
            self._names[overlay_name(position)].text = text
