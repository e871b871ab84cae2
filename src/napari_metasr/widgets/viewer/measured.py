"""What has been measured of a layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_metasr.acquisition import Acquisition, AxisAcquisition
    from napari_metasr.volume import Plane, Volume

    Range = tuple[float, float]
    Place = tuple[tuple[int, ...], tuple[int, int]]


@dataclass
class Measured:
    """What has been measured of a layer's data, so that it is measured once.

    Attributes
    ----------
    ranges
        The percentiles that inference maps to 0 and 1, and the smallest and the largest value, of
        the volume at a position on the axes before its own; of the whole layer at no position.
    volume
        The layer as a volume.
    acquisitions
        How slices at a `LayerSource.place` were acquired; None where that cannot be told.
    resolutions
        What rows and columns of such slices were acquired with; None likewise.
    concerns
        Doubts about a detector's answers, by plane, time point and the detector's operating point,
        and the volume that they are about.
    """

    ranges: dict[tuple[int, ...], tuple[Range, Range]] = field(default_factory=dict)
    volume: Volume | None = None
    acquisitions: dict[Place, Acquisition | None] = field(default_factory=dict)
    resolutions: dict[Place, tuple[AxisAcquisition, AxisAcquisition] | None] = field(
        default_factory=dict
    )
    concerns: dict[tuple[Plane, int, str], tuple[Volume, tuple[str, ...]]] = field(
        default_factory=dict
    )
