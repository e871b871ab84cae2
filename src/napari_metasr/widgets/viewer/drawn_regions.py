"""The rectangles that a person has drawn on images of a viewer: one dock draws, others read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.widgets.viewer.shared import shared

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView


def drawn_regions(viewer: ViewerModel) -> DrawnRegions:
    """Return the drawn rectangles of a viewer: always the same ones."""
    return shared(viewer, DrawnRegions, DrawnRegions)


class DrawnRegions:
    """Remembers one rectangle for each plane of each image, in low-resolution edges."""

    def __init__(self) -> None:
        self._windows: dict[tuple[int, tuple[int, int]], Window] = {}

    def get(self, source: LayerSource, view: SliceView) -> Window | None:
        """Return the rectangle of this plane, if there is one."""
        return self._windows.get((source.token, view.axes))

    def set(self, source: LayerSource, view: SliceView, window: Window) -> None:
        """Set the rectangle of this plane."""
        self._windows[source.token, view.axes] = window

    def forget(self, token: int) -> None:
        """Forget the rectangles of a layer that has been removed."""
        self._windows = {key: w for key, w in self._windows.items() if key[0] != token}
