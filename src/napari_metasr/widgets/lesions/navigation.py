"""Moving a viewer to a lesion: its plane, its slice, and close enough to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.widgets.viewer.camera import turn_to
from napari_metasr.widgets.viewer.viewport import with_surroundings

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.lesions import Lesion
    from napari_metasr.widgets.viewer.camera import CameraControl
    from napari_metasr.widgets.viewer.layer_source import LayerSource


def fly_to(
    viewer: ViewerModel,
    camera: CameraControl,
    source: LayerSource,
    lesion: Lesion,
    leading: tuple[int, ...],
) -> None:
    """Show a lesion's middle slice, its rectangle and some surroundings filling the view.

    Parameters
    ----------
    leading
        The position on the image's axes before z, y, x, such as time.
    """
    dims, ndim = viewer.dims, source.layer.ndim
    missing = dims.ndim - ndim
    dims.ndisplay = 2
    if ndim > 2:
        normal = ndim - 3 + lesion.plane.normal_axis
        if dims.displayed != _displayed(lesion, dims.ndim):
            turn_to(viewer, lesion.plane)
        scale, start = source.placement
        for axis, index in (*enumerate(leading), (normal, lesion.middle)):
            dims.set_point(missing + axis, start[axis] + index * scale[axis])
    view = source.view(dims)
    if view is not None:
        window = lesion.detections[lesion.middle].region
        camera.move(camera.viewport().fitted(with_surroundings(window), view))


def _displayed(lesion: Lesion, ndim: int) -> tuple[int, int]:
    """Return the viewer's axes that show the lesion's plane."""
    first = ndim - 3
    return first + lesion.plane.row_axis, first + lesion.plane.column_axis
