"""The viewer's camera, read and moved; the plugin's moves are told from the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.guard import Guard
from napari_metasr.widgets.viewer.napari_versions import camera_of, viewbox_size
from napari_metasr.widgets.viewer.viewport import Viewport

if TYPE_CHECKING:
    from napari.components import ViewerModel


class CameraControl:
    """One viewer's camera.

    Attributes
    ----------
    moving
        Up while the plugin moves it, not the user.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.moving = Guard()

    def viewport(self) -> Viewport:
        """Return where the camera is, over one view box."""
        camera = camera_of(self._viewer)
        height, width = viewbox_size(self._viewer)
        return Viewport(
            (float(camera.center[-2]), float(camera.center[-1])),
            float(camera.zoom),
            (float(height), float(width)),
        )

    def move(self, viewport: Viewport) -> None:
        """Go there."""
        camera = camera_of(self._viewer)
        with self.moving:
            camera.center, camera.zoom = viewport.centre, viewport.zoom


def turn_to(viewer: ViewerModel, plane: Plane) -> None:
    """Show slices of a plane; the viewer's last three axes are taken for (z, y, x)."""
    dims = viewer.dims
    first = dims.ndim - len(Plane)
    if first >= 0:
        spatial = (plane.normal_axis, plane.row_axis, plane.column_axis)
        dims.order = (*range(first), *(first + axis for axis in spatial))
