"""Unpack the input into a file that can be read in parts, and measure its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.background import background_value
from napari_metasr.files import allocate
from napari_metasr.normalisation import StreamedRange
from napari_metasr.upscaling.occupied import Occupied
from napari_metasr.upscaling.workspace import Findings
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_metasr.io.mapped import MappedArray
    from napari_metasr.io.protocols import VolumeGrid, VolumeReader
    from napari_metasr.volume import Source

MEASURED_BYTES = 32 << 20


@dataclass(frozen=True)
class UnpackedVolume:
    """An unpacked input whose slices are looked at one by one (see ``SlicedVolume``).

    Attributes
    ----------
    name
        What messages call it.
    grid
        The input's grid.
    voxels
        The input's voxels, (t, z, y, x).
    findings
        The ranges of its intensities.
    """

    name: str
    grid: VolumeGrid
    voxels: MappedArray
    findings: Findings

    def range_at(self, time: int) -> tuple[float, float]:
        """Return the intensities of one time point that inference maps to 0 and 1."""
        return self.findings.at_time(time)[0]

    @property
    def time_points(self) -> int:
        """Number of volumes."""
        return self.grid.time_points

    @property
    def spatial_shape(self) -> tuple[int, int, int]:
        """Shape (z, y, x)."""
        return self.grid.shape[1:]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Spacing between voxels along z, y, x, in mm."""
        return self.grid.spacing

    @property
    def source(self) -> Source:
        """Where the input comes from."""
        return self.grid.source

    def slice(self, plane: Plane = Plane.AXIAL, index: int = 0, time: int = 0) -> NDArray[Any]:
        """Read one slice, (rows, columns)."""
        place: list[int | slice] = [time, *(slice(None),) * 3]
        place[1 + plane.normal_axis] = index
        return self.voxels[tuple(place)]

    def slice_count(self, plane: Plane = Plane.AXIAL) -> int:
        """Count the slices of a plane."""
        return self.grid.shape[1 + plane.normal_axis]

    def plane_spacing(self, plane: Plane = Plane.AXIAL) -> tuple[float, float]:
        """Return the spacing of a slice's rows and columns, in mm."""
        return self.grid.spacing[plane.row_axis], self.grid.spacing[plane.column_axis]

    def slice_spacing(self, plane: Plane = Plane.AXIAL) -> float:
        """Return the spacing from slice to slice, in mm."""
        return self.grid.spacing[plane.normal_axis]


def unpack(volume: VolumeReader, unpacked: MappedArray) -> Iterator[float]:
    """Read a volume once through into an uncompressed file.

    Yields
    ------
    float
        Share that is done.

    Raises
    ------
    OSError
        If the disk lacks the space.
    ValueError
        If the input is damaged.
    """
    allocate(unpacked.path, unpacked.nbytes)
    size, done = int(np.prod(unpacked.shape, dtype=object)), 0
    for place, block in volume.blocks():
        unpacked.write(place, block)
        done += block.size
        yield done / size


def measure(name: str, unpacked: MappedArray, *, own_ranges: bool = True) -> Findings:
    """Measure the range of all values, and count those that are missing.

    Parameters
    ----------
    name
        What messages call the input.
    unpacked
        Its voxels.
    own_ranges
        Measure the ranges of each time point of a series, too.

    Raises
    ------
    ValueError
        If none is finite.
    """
    times = unpacked.shape[0]
    measured, own = StreamedRange(), [StreamedRange() for _ in range(times)]
    for place in _layers(unpacked):
        block = unpacked.read(place)
        measured.look(block)
        own[place[0].start].look(block)
    if not measured.finite:
        raise ValueError(f"{name}: expected an image, found no finite voxel")
    for place in _layers(unpacked):
        block = unpacked.read(place)
        measured.sample(block)
        if own[place[0].start].finite:
            own[place[0].start].sample(block)
    whole = measured.intensity_range, measured.value_range
    ranges = [(one.intensity_range, one.value_range) if one.finite else whole for one in own]
    return Findings(
        intensity_range=measured.intensity_range,
        value_range=measured.value_range,
        ranges=tuple(ranges) if own_ranges and times > 1 else (),
        missing=measured.missing,
    )


def occupied(voxels: MappedArray | NDArray[Any]) -> Occupied:
    """Find where an input, (t, z, y, x), in a file or in memory, holds more than background."""
    every, (height, width) = slice(None), voxels.shape[2:]
    corners = [
        voxels[every, every, row, column] for row in (0, height - 1) for column in (0, width - 1)
    ]
    blocks = ((place, voxels[place]) for place in _layers(voxels))
    return Occupied.of(voxels.shape, blocks, background_value(np.array(corners)))


def _layers(array: MappedArray | NDArray[Any]) -> Iterator[tuple[slice, ...]]:
    """Yield the places of an array, a few layers at a time, in order."""
    times, depth, *plane = array.shape
    step = max(MEASURED_BYTES // (int(np.prod(plane)) * array.dtype.itemsize), 1)
    for time_point in range(times):
        for first in range(0, depth, step):
            yield (
                slice(time_point, time_point + 1),
                slice(first, min(first + step, depth)),
                *(slice(0, size) for size in plane),
            )
