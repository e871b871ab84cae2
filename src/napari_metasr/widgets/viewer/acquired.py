"""What rows and columns of a layer's slices were acquired with: measured off the GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.acquisition import resolution_of
from napari_metasr.widgets.viewer.layer_volume import volume_of_slice

if TYPE_CHECKING:
    from napari_metasr.acquisition import AxisAcquisition
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView

    Acquired = tuple[AxisAcquisition, AxisAcquisition]

LOOKED_AT = 5
"""Slices that tell what was acquired, in a few hundred milliseconds at most."""


def acquired(source: LayerSource, view: SliceView) -> Acquired | None:
    """Return what has been measured of the rows and columns of a view; None if nothing has."""
    return source.measured.resolutions.get(source.place(view))


def measure_acquired(source: LayerSource, view: SliceView) -> None:
    """Measure a plane of a volume, once, from a few of its slices; not what is slow to read."""
    known, place = source.measured.resolutions, source.place(view)
    if not source.is_lazy and place not in known:
        known[place] = _measured(source, view)


def _measured(source: LayerSource, view: SliceView) -> Acquired | None:
    try:
        seen = volume_of_slice(source, view)
    except ValueError:  # a world that is no space has no resolution
        return None
    return None if seen is None else resolution_of(*seen, looked_at=LOOKED_AT)
