"""Which comparison mode the viewer is in: entered and left, and nothing of it left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.widgets.viewer.napari_versions import arranged_once
from napari_metasr.widgets.viewer.result_layers import active_layer
from napari_metasr.widgets.zoom.comparison import MODES, Mode, Single, Swipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer

    from napari_metasr.widgets.viewer.camera import CameraControl
    from napari_metasr.widgets.zoom.comparison import Stage
    from napari_metasr.widgets.zoom.settings import Compare


class Comparing:
    """Keeps one mode at a time on a stage.

    Parameters
    ----------
    stage
        What the modes play on.
    camera
        Told when it is a mode that moves the camera.
    swiped
        Called with where the swipe line is after it has been moved.

    Attributes
    ----------
    mode
        The mode that the viewer is in, if any.
    """

    def __init__(
        self, stage: Stage, camera: CameraControl, swiped: Callable[[float], None]
    ) -> None:
        self._stage, self._camera, self._swiped = stage, camera, swiped
        self.mode: Mode | None = None

    def enter(self, compare: Compare, *, alone: bool) -> tuple[Mode, bool]:
        """Enter a mode, unless the viewer is in it.

        Parameters
        ----------
        alone
            Show the result over the source instead, so that something can be drawn on it.

        Returns
        -------
        mode, is_new
            The mode, and whether it has been entered now.
        """
        kind = Single if alone else next(mode for mode in MODES if mode.compare is compare)
        if self.mode is not None and type(self.mode) is kind:
            return self.mode, False
        viewer, active = self._stage.viewer, active_layer(self._stage.viewer)
        with arranged_once(viewer):
            self.leave()
            if active is not None and active in viewer.layers:  # a mode puts back its selection
                viewer.layers.selection.active = active
            self.mode = Swipe(self._on_swiped) if kind is Swipe else kind()
            self.mode.enter(self._stage)
        return self.mode, True

    def leave(self) -> None:
        """Put the view back."""
        if self.mode is not None:
            with self._camera.moving:
                self.mode.leave()
            self.mode = None

    def swipe_to(self, fraction: float) -> None:
        """Move the swipe line, if there is one."""
        if isinstance(self.mode, Swipe):
            self.mode.fraction = fraction

    def remember(self, layer: Layer, visible: bool) -> None:
        """Show or hide a layer once the view is put back."""
        if self.mode is not None and self.mode.snapshot is not None:
            self.mode.snapshot.remember(layer, visible)

    def _on_swiped(self) -> None:
        if isinstance(self.mode, Swipe):
            self._swiped(self.mode.fraction)
