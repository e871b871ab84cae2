"""The names of two results, each on its side of the view and no wider than that."""

from __future__ import annotations

import re
import weakref
from typing import TYPE_CHECKING, Any

from napari.components.overlays import TextOverlay

from napari_metasr.widgets.viewer.edge_letters import NAME as LETTERS
from napari_metasr.widgets.viewer.napari_versions import canvas_overlays
from napari_metasr.widgets.viewer.result_layers import LABEL_SIZE, elided
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.result_layers import ResultPair

POSITIONS = ("top_left", "top_right")
COUNTED = re.compile(r" \[\d+\]$")
"""What napari puts after the second of two equal names."""


def overlay_name(position: str) -> str:
    """Under which name the viewer's canvas holds the name of a side."""
    return f"metasr_name_{position}"


def caption(name: str, source: str) -> str:
    r"""Return the name of a result in lines, without that of its source.

    Examples
    --------
    >>> caption("research use · super-resolved (Meta-SRGAN ×2.00) · T1c", "T1c")
    'research use\nsuper-resolved\n(Meta-SRGAN ×2.00)'
    >>> caption("bicubic ×2.00 · T1c [1]", "T1c")
    'bicubic ×2.00'
    """
    for end in (source, elided(source)):
        for each in (name, COUNTED.sub("", name)):
            if each.endswith(f" · {end}"):
                name = each.removesuffix(f" · {end}")
                break
    return name.replace(" · ", "\n").replace(" (", "\n(")


class SideNames:
    """Two texts on a viewer's canvas that follow the names of a pair's layers.

    They are hidden, not taken away, between two pairs: napari compiles shaders for a new text. At
    first they wait until their glyphs are drawn, which is done a few at a time.

    Parameters
    ----------
    viewer
        The viewer.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = weakref.ref(viewer)
        self._pair: weakref.ref[ResultPair] | None = None
        self._subscriptions = Subscriptions()
        self._texts: dict[str, TextOverlay] = {}

    def show(self, pair: ResultPair) -> None:
        """Name a pair's results in place of their layers' own names.

        Parameters
        ----------
        pair
            The bicubic result, named on the left, and the super-resolved one, named on the right.
        """
        for layer in pair.layers:
            layer.name_overlay.visible = False
        viewer = self._viewer()
        if viewer is None or (self._pair is not None and self._pair() is pair):
            return
        self.hide()
        self._pair = weakref.ref(pair)
        for layer in pair.layers:
            self._subscriptions.add(layer.events.name, self._write)
        if not self._texts:
            self._texts = {
                overlay_name(position): TextOverlay(position=position, font_size=LABEL_SIZE)
                for position in POSITIONS
            }
            canvas_overlays(viewer).update(self._texts)
        self._write()
        letters = canvas_overlays(viewer).get(LETTERS)
        if letters is not None:
            self._subscriptions.add(letters.events.is_preparing, self._appear)
        self._appear()

    def _appear(self, event: Any = None) -> None:
        viewer = self._viewer()
        letters = None if viewer is None else canvas_overlays(viewer).get(LETTERS)
        for text in self._texts.values():
            text.visible = letters is None or not letters.is_preparing

    def hide(self) -> None:
        """Name nothing."""
        self._subscriptions.close()
        self._pair = None
        for text in self._texts.values():
            text.visible = False

    def close(self) -> None:
        """Take the texts off the canvas, if they are there."""
        self.hide()
        viewer = self._viewer()
        if viewer is not None:
            for name in self._texts:
                del canvas_overlays(viewer)[name]
        self._texts.clear()

    def _write(self, event: Any = None) -> None:
        pair = self._pair() if self._pair is not None else None
        if pair is None:
            return
        for text, layer in zip(self._texts.values(), pair.layers, strict=True):
            text.text = caption(layer.name, pair.source.name)
