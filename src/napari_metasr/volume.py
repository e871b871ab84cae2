"""What flows through everything: a volume and the plane it is looked at in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_metasr.normalisation import intensity_range, value_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Unit = Literal["mm", "pixels"]
SIGNS: dict[Unit, str] = {"mm": "mm", "pixels": "px"}
"""Units as they are written after a number."""


THICK = 1.5
"""From this quotient of the coarsest and the finest spacing on slices are called thick."""


class Plane(StrEnum):
    """An anatomical plane of a canonical (z, y, x) array; its rows and columns keep that order."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @classmethod
    def acquired(cls, shape: Sequence[int], spacing: Sequence[float]) -> Plane:
        """Tell in which plane a volume was most likely acquired: that of its thick slices.

        Parameters
        ----------
        shape, spacing
            Voxels, and mm between them, along z, y, x. The plane of a 2-D image is axial.

        Returns
        -------
        Plane
            That of a single slice; else that whose slices are `THICK` times as far apart as the
            closest voxels; else axial.
        """
        single = [axis for axis, size in enumerate(shape) if size == 1]
        if len(shape) != len(cls) or len(single) > 1:
            return cls.AXIAL
        if single:
            return list(cls)[single[0]]
        thickest = max(spacing)
        is_thick = thickest >= THICK * min(spacing)
        return list(cls)[list(spacing).index(thickest)] if is_thick else cls.AXIAL

    @property
    def normal_axis(self) -> int:
        """The (z, y, x) axis that the plane's slices are stacked along."""
        return list(Plane).index(self)

    @property
    def row_axis(self) -> int:
        """The (z, y, x) axis that the rows of a slice count along."""
        return 1 if self is Plane.AXIAL else 0

    @property
    def column_axis(self) -> int:
        """The (z, y, x) axis that the columns of a slice count along."""
        return 1 if self is Plane.SAGITTAL else 2


@dataclass(frozen=True)
class Source:
    """Where a volume came from, enough to write a file like it.

    Attributes
    ----------
    name
        What to call it: the file's name without folder and suffix.
    path
        The file, if there is one.
    affine
        4 x 4, voxel to world mm, of the file as it was stored.
    orientation
        Axis codes of the file as it was stored, such as ``LPS``.
    dtype
        The type of the numbers as stored.
    header
        The file's header (nibabel), if it had one.
    unit
        Of spacing and positions: pixels where their size is not known.
    told
        What its header, or the JSON file beside it, tells of the acquisition, by DICOM keyword
        (times in ms); nothing by which a person could be known.
    concerns
        What speaks against trusting the image, its place or its size: to be told and recorded
        with everything that is made of it.
    is_oriented
        Whether the file says where left and right are.
    holds_labels
        Whether the file says that its numbers are labels of regions.
    acquisition
        How it was acquired, as far as that is known and holds on other grids too; by the names
        of BIDS, in its units.
    """

    name: str
    path: Path | None = None
    affine: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))
    orientation: str = "RAS"
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    header: Any = None
    unit: Unit = "mm"
    told: Mapping[str, Any] = field(default_factory=dict)
    concerns: tuple[str, ...] = ()
    is_oriented: bool = True
    holds_labels: bool = False
    acquisition: Mapping[str, Any] = field(default_factory=dict)

    def check_brightness(self) -> None:
        """Refuse numbers between which nothing lies.

        Raises
        ------
        ValueError
            If they are labels.
        """
        if self.holds_labels:
            raise ValueError(f"{self.name}: expected an image to super-resolve, found labels")


@dataclass(frozen=True)
class Volume:
    """An image with its geometry, in closest canonical orientation.

    Attributes
    ----------
    data
        ``(z, y, x)`` or ``(t, z, y, x)``, x to the right, y to anterior, z to superior;
        a plain image is ``(y, x)``. In the source's intensity units.
    affine
        4 x 4, canonical voxel (x, y, z) to world mm (RAS+), or to pixels of ``source.unit``.
    spacing
        mm (or pixels) between voxels, in the order of the last axes of ``data``.
    source
        Where it came from.
    """

    data: NDArray[Any]
    affine: NDArray[np.float64]
    spacing: tuple[float, ...]
    source: Source

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """The shape without time."""
        return tuple(self.data.shape[-3:])

    @property
    def acquired_plane(self) -> Plane:
        """The plane in which it was most likely acquired; see `Plane.acquired`."""
        return Plane.acquired(self.spatial_shape, self.spacing)

    @property
    def time_points(self) -> int:
        """How many volumes there are; 1 without a time axis."""
        return self.data.shape[0] if self.data.ndim == 4 else 1

    def slice_count(self, plane: Plane = Plane.AXIAL) -> int:
        """Return the number of slices in a plane."""
        return 1 if self.data.ndim == 2 else self.spatial_shape[plane.normal_axis]

    def plane_spacing(self, plane: Plane = Plane.AXIAL) -> tuple[float, float]:
        """Return the spacing of a slice's rows and columns, in mm."""
        if self.data.ndim == 2:
            return self.spacing[0], self.spacing[1]
        return self.spacing[plane.row_axis], self.spacing[plane.column_axis]

    def slice_spacing(self, plane: Plane = Plane.AXIAL) -> float:
        """Return the distance between slices in mm; 1 if there is a single slice."""
        return 1.0 if self.data.ndim == 2 else self.spacing[-3:][plane.normal_axis]

    def slice(self, plane: Plane = Plane.AXIAL, index: int = 0, time: int = 0) -> NDArray[Any]:
        """Return one slice, (rows, columns), read here where data are read when they are looked at.

        Raises
        ------
        ValueError
            If there is no such slice or time point.
        """
        self._check_time(time)
        count = self.slice_count(plane)
        if not 0 <= index < count:
            raise ValueError(
                f"slice {index} is outside the volume: it has {count} {plane} slices, "
                "counted from 0"
            )
        if self.data.ndim == 2:
            return np.asarray(self.data)
        place: list[int | slice] = [slice(None)] * 3
        place[plane.normal_axis] = index
        moment = (time,) if self.data.ndim == 4 else ()
        return np.asarray(self.data[(*moment, *place)])

    def _check_time(self, time: int) -> None:
        if not 0 <= time < self.time_points:
            raise ValueError(
                f"time point {time} is outside the volume: it has {self.time_points}, "
                "counted from 0"
            )

    def range_at(self, time: int) -> tuple[float, float]:
        """Return the `intensity_range` of one volume of a series, or of the volume."""
        return self.at_time(time).intensity_range

    @cached_property
    def _at_times(self) -> dict[int, Volume]:
        return {}

    def at_time(self, time: int) -> Volume:
        """Return one volume of a series, with ranges of its own; the volume itself of no series.

        Raises
        ------
        ValueError
            If there is no such time point.
        """
        self._check_time(time)
        if self.data.ndim < 4:
            return self
        if time not in self._at_times:
            self._at_times[time] = replace(self, data=self.data[time])
        return self._at_times[time]

    @cached_property
    def intensity_range(self) -> tuple[float, float]:
        """The percentiles that inference maps to 0 and 1, of all of it; see `at_time`."""
        return intensity_range(self.data)

    @cached_property
    def value_range(self) -> tuple[float, float]:
        """The smallest and the largest finite value."""
        return value_range(self.data)
