"""What rows and columns of a layer's slices were acquired with: measured off the GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.acquisition import resolution_of
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.layer_volume import layer_volume

if TYPE_CHECKING:
    from napari_metasr.acquisition import AxisAcquisition
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView

    Acquired = tuple[AxisAcquisition, AxisAcquisition]

LOOKED_AT = 5
"""Slices that tell what was acquired, in a few hundred milliseconds at most."""


def acquired(source: LayerSource, view: SliceView) -> Acquired | None:
    """Return what has been measured of the rows and columns of a view; None if nothing has."""
    return source.measured.resolutions.get(view.axes)


def measure_acquired(source: LayerSource, view: SliceView) -> None:
    """Measure a plane of a layer, once, from a few of its slices; not what is slow to read."""
    known = source.measured.resolutions
    if not source.is_lazy and view.axes not in known:
        known[view.axes] = _measured(source, view)


def _measured(source: LayerSource, view: SliceView) -> Acquired | None:
    try:
        volume = layer_volume(source)
    except ValueError:  # a world that is no space has no resolution
        return None
    ahead = source.layer.ndim - 3
    planes = (
        plane for plane in Plane if (plane.row_axis + ahead, plane.column_axis + ahead) == view.axes
    )
    plane = next(planes, None) if volume.data.ndim > 2 else Plane.AXIAL
    return None if plane is None else resolution_of(volume, plane, looked_at=LOOKED_AT)
