"""The names of several images side by side, each in its view box and no wider than that."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from napari.layers import Image

from napari_metasr.widgets.viewer.box_texts import BoxTexts
from napari_metasr.widgets.viewer.napari_versions import (
    boxes_on_canvas,
    canvas_overlays,
    view_boxes,
)
from napari_metasr.widgets.viewer.result_layers import LABEL_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel

NAME = "metasr_box_names"
"""Under which key the viewer's canvas holds the names."""
INSET = 10.0
"""Pixels from the corner of a view box to its name."""
GLYPH = 6.6
"""Pixels that a character of a name takes, at most on average."""
SHORTEST = 8
"""Characters of a line that are left in the narrowest view box."""


def in_lines(name: str, width: float) -> str:
    r"""Return a name in as many lines as a view box of so many pixels needs.

    A line that is still too long loses its middle: the contrast is at the end of a file's name.

    Examples
    --------
    >>> in_lines("bicubic ×2.00 · sub-01_T1c", 400)
    'bicubic ×2.00 · sub-01_T1c'
    >>> in_lines("research use · super-resolved (Meta-SRGAN ×2.00) · sub-01_T1c", 150)
    'research use\nsuper-resolved\n(Meta-SRGAN ×2.00)\nsub-01_T1c'
    >>> in_lines("bicubic ×2.00 · sub-01_ses-02_T1c", 110)
    'bicubic ×2.00\nsub-01_…2_T1c'
    >>> in_lines("super-resolved minus bicubic, ±534 intensity units", 220)
    'super-resolved minus bicubic,\n±534 intensity units'
    """
    room = max(int((width - 2 * INSET) / GLYPH), SHORTEST)
    if len(name) <= room:
        return name
    lines = name.replace(" · ", "\n").replace(" (", "\n(").replace(", ", ",\n").split("\n")
    half = room // 2
    return "\n".join(
        line if len(line) <= room else f"{line[: room - half]}…{line[1 - half :]}" for line in lines
    )


class BoxNamesOverlay(BoxTexts):
    """The name of the image in each view box, at its upper left.

    Attributes
    ----------
    free
        Pixels at the right of a view box that are for something else.
    """

    free: float = 0.0

    def texts(self, viewer: ViewerModel) -> Iterator[tuple[str, float, float]]:
        """Yield each name and x and y of its upper left, in pixels."""
        for name, (top, left, _, _) in named_boxes(viewer, self.free):
            yield name, left + INSET, top + INSET


with suppress(ImportError):  # without napari's drawing code there is nothing to draw on
    from napari._vispy.utils.visual import overlay_to_visual

    from napari_metasr.widgets.viewer.box_texts import VispyBoxTexts

    overlay_to_visual[BoxNamesOverlay] = VispyBoxTexts


def named_boxes(
    viewer: ViewerModel, free: float
) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Yield the name in each view box that shows an image, and its top, left, height, width."""
    filled = [layers for _, layers in view_boxes(viewer) if layers]
    for places, box in zip(filled, boxes_on_canvas(viewer), strict=True):
        layers = (viewer.layers[place] for place in places)
        shown = [layer.name for layer in layers if isinstance(layer, Image) and layer.visible]
        if shown:
            yield in_lines(shown[-1], box[-1] - free), box


class BoxNames:
    """The names in the view boxes of a viewer's canvas; hidden, not taken away, in between.

    Parameters
    ----------
    viewer
        The viewer.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = weakref.ref(viewer)
        self._overlay: BoxNamesOverlay | None = None

    def show(self, free: float = 0.0) -> int:
        """Name the image in each view box.

        Parameters
        ----------
        free
            See `BoxNamesOverlay`.

        Returns
        -------
        int
            How many lines the longest name takes.
        """
        viewer = self._viewer()
        if viewer is None:
            return 0
        if self._overlay is None:
            self._overlay = BoxNamesOverlay(
                position=None, box=False, font_size=LABEL_SIZE, outline=2
            )
            canvas_overlays(viewer)[NAME] = self._overlay
        self._overlay.free, self._overlay.visible = free, True
        return max((name.count("\n") + 1 for name, _ in named_boxes(viewer, free)), default=1)

    def hide(self) -> None:
        """Name nothing."""
        if self._overlay is not None:
            self._overlay.visible = False

    def close(self) -> None:
        """Take the names off the canvas, if they are there."""
        viewer = self._viewer()
        if viewer is not None and self._overlay is not None:
            del canvas_overlays(viewer)[NAME]
        self._overlay = None
