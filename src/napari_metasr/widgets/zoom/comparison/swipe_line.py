"""The line between the two halves of a swiped view."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components.overlays import SceneOverlay

from napari_metasr.widgets.viewer.napari_versions import scene_overlays

if TYPE_CHECKING:
    from napari.components import ViewerModel

NAME = "metasr_swipe_line"
"""Under which key the viewer's scene holds the line."""
COLOR = "#ffd54a"
PIXELS = 2

Ends = tuple[tuple[float, float], tuple[float, float]]


class LineOverlay(SceneOverlay):
    """A line over all layers; a layer of napari's would take the time of many shaders to come.

    Attributes
    ----------
    ends
        Vertical and horizontal position of each end, in the world.
    """

    ends: Ends = ((0.0, 0.0), (0.0, 0.0))


with suppress(ImportError):  # without napari's drawing code there is nothing to draw on
    from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
    from napari._vispy.utils.visual import overlay_to_visual
    from vispy.scene.visuals import Line

    class _VispyLine(ViewerOverlayMixin, VispySceneOverlay):
        """Draws the line as wide at every zoom."""

        def __init__(self, **options: Any) -> None:
            line = Line(np.zeros((2, 2), np.float32), color=COLOR, width=PIXELS, method="gl")
            super().__init__(node=line, **options)
            self.overlay.events.ends.connect(self._on_ends_change)
            self.reset()

        def _on_ends_change(self) -> None:
            self.node.set_data(np.array(self.overlay.ends, np.float32)[:, ::-1])

        def reset(self) -> None:
            super().reset()
            self._on_ends_change()

    overlay_to_visual[LineOverlay] = _VispyLine


class SwipeLine:
    """A line over a viewer's scene: hidden, not taken away, until `close`."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = weakref.ref(viewer)
        self._line: LineOverlay | None = None

    def show(self, ends: Ends) -> None:
        """Show the line between two places, each vertical and horizontal, in the world."""
        viewer = self._viewer()
        if viewer is None:
            return
        if self._line is None:
            self._line = LineOverlay()
            scene_overlays(viewer)[NAME] = self._line
        self._line.ends = ends
        self._line.visible = True

    def hide(self) -> None:
        """Show no line."""
        if self._line is not None:
            self._line.visible = False

    def close(self) -> None:
        """Take the line off the scene, if it is there."""
        viewer = self._viewer()
        if self._line is not None and viewer is not None:
            del scene_overlays(viewer)[NAME]
        self._line = None
