"""The viewer's camera, read and moved; its own moves are told from the user's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.viewport import Viewport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel


class CameraControl:
    """One viewer's camera.

    Attributes
    ----------
    is_moving
        Whether we are moving it, not the user.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.is_moving = False

    def viewport(self) -> Viewport:
        """Where the camera is, over one view box."""
        camera = self._viewer.scene.camera
        height, width = self._viewer.canvas.viewbox_size(self._viewer.layers)
        return Viewport(
            (float(camera.center[-2]), float(camera.center[-1])),
            float(camera.zoom),
            (float(height), float(width)),
        )

    def move(self, viewport: Viewport) -> None:
        """Go there."""
        camera = self._viewer.scene.camera
        with self.moving():
            camera.center, camera.zoom = viewport.centre, viewport.zoom

    def turn_to(self, plane: Plane) -> None:
        """Show this plane's slices; the last three axes are taken for (z, y, x)."""
        dims = self._viewer.dims
        first = dims.ndim - len(Plane)
        if first >= 0:
            spatial = (plane.normal_axis, plane.row_axis, plane.column_axis)
            dims.order = (*range(first), *(first + axis for axis in spatial))

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Whatever moves the camera within is not the user's doing."""
        self.is_moving = True
        yield
        self.is_moving = False
