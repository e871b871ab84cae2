"""The names of two results, each on its side of the view and no wider than that."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.components.overlays import TextOverlay

from napari_metasr.widgets.viewer.napari_versions import MIDDLE_LEFT, canvas_overlays
from napari_metasr.widgets.viewer.result_layers import LABEL_SIZE, elided
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.result_layers import ResultPair

POSITIONS = ("top_left", "top_right")
FIT_GRID = MIDDLE_LEFT not in POSITIONS
"""Whether the corners of the grid's view boxes are free of letters of the left and right edge."""


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
    """Two texts on a viewer's canvas that follow the names of a pair's layers."""

    def __init__(self) -> None:
        self._viewer: weakref.ref[ViewerModel] | None = None
        self._pair: weakref.ref[ResultPair] | None = None
        self._subscriptions: Subscriptions | None = None

    def show(self, viewer: ViewerModel, pair: ResultPair) -> None:
        """Name a pair's results in place of their layers' own names.

        Parameters
        ----------
        viewer
            The viewer.
        pair
            The bicubic result, named on the left, and the super-resolved one, named on the right.
        """
        for layer in pair.layers:
            layer.name_overlay.visible = False
        if self._pair is not None and self._pair() is pair:
            return
        self.close()
        self._viewer, self._pair = weakref.ref(viewer), weakref.ref(pair)
        overlays = canvas_overlays(viewer)
        for position in POSITIONS:
            overlays[overlay_name(position)] = TextOverlay(
                position=position, font_size=LABEL_SIZE, visible=True
            )
        self._subscriptions = Subscriptions(
            (layer.events.name, self._write) for layer in pair.layers
        )
        self._write()

    def close(self) -> None:
        """Take the texts off the canvas, if they are there."""
        if self._subscriptions is not None:
            self._subscriptions.close()
        viewer = self._viewer() if self._viewer is not None else None
        if viewer is not None:
            for position in POSITIONS:
                del canvas_overlays(viewer)[overlay_name(position)]
        self._viewer = self._pair = self._subscriptions = None

    def _write(self, event: Any = None) -> None:
        viewer = self._viewer() if self._viewer is not None else None
        pair = self._pair() if self._pair is not None else None
        if viewer is None or pair is None:
            return
        for position, layer in zip(POSITIONS, (pair.bicubic, pair.enhanced), strict=True):
            text = caption(layer.name, pair.source.name)
            canvas_overlays(viewer)[overlay_name(position)].text = text
