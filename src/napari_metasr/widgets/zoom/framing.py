"""When the camera goes to the region, and what is rendered where it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.plan import ZoomPlan, make_plan, region_of
from napari_metasr.widgets.zoom.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_metasr.widgets.viewer.camera import CameraControl
    from napari_metasr.widgets.viewer.layer_source import SliceView
    from napari_metasr.widgets.zoom.settings import ZoomSettings

FITTING = {
    Setting.SCALE,
    Setting.REGION,
    Setting.SOURCE,
    Setting.COMPARISON,
    Setting.MOVE_CAMERA,
    Setting.FOLLOW_CAMERA,
    Setting.CONTRASTS,
}
"""Settings after which the camera goes to the region."""


class Framing:
    """Moves the camera to the region when that is due, and plans what is rendered.

    Parameters
    ----------
    camera
        The viewer's camera.
    show_scale
        Called with the scale that the camera sets.
    """

    def __init__(self, camera: CameraControl, show_scale: Callable[[float], None]) -> None:
        self._camera, self._show_scale = camera, show_scale
        self._fit_due, self._scale_due = True, False
        self._boxes = (1, 1)
        self._fitted: tuple[tuple[float, float], float] | None = None

    def see(self, boxes: tuple[int, int]) -> None:
        """Let the camera go to the region again where there are other rows and columns of boxes."""
        if boxes != self._boxes:
            self._boxes = boxes
            self.ask()

    def resize(self, settings: ZoomSettings) -> None:
        """Let the camera go to the region again in view boxes of another size.

        The middle of the view is the region wherever the camera is: where the user has moved it
        since, it stays.
        """
        viewport = self._camera.viewport()
        is_left_alone = self._fitted == (viewport.centre, viewport.zoom)
        if is_left_alone or settings.region is not RegionMode.CENTRE:
            self.ask()

    def ask(self) -> None:
        """Let the camera go to the region at the next plan."""
        self._fit_due = True

    def set(self, setting: Setting, settings: ZoomSettings) -> None:
        """Note that a control was used."""
        self._fit_due = self._fit_due or setting in FITTING
        self._scale_due = settings.follow_camera and setting is Setting.SCALE

    def plan(
        self, settings: ZoomSettings, view: SliceView, marked: Window | None, *, drawing: bool
    ) -> ZoomPlan | None:
        """Move the camera if that is due, and decide what to render.

        Parameters
        ----------
        marked
            The rectangle or the lesion of this slice, if there is one.
        drawing
            Whether a rectangle is being drawn, for which the whole slice is shown.

        Returns
        -------
        ZoomPlan or None
            None where nothing of the region is seen.
        """
        viewport = self._camera.viewport()
        if self._fit_due and not settings.follow_camera and (drawing or settings.move_camera):
            region = (
                Window.whole(view.shape) if drawing else region_of(settings, viewport, view, marked)
            )
            if region is not None:
                self._camera.move(viewport.fitted(region, view))
                viewport = self._camera.viewport()
                self._fitted = viewport.centre, viewport.zoom
        elif self._scale_due and settings.follow_camera:
            self._camera.move(viewport.at_scale(settings.scale, view))
            viewport = self._camera.viewport()
        self._fit_due = self._scale_due = False
        plan = make_plan(settings, viewport, view, marked)
        if plan is not None and settings.follow_camera:
            self._show_scale(math.prod(plan.grid.true_scale) ** 0.5)
        return plan
