"""The input in a file that can be read in parts, and what its values are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.files import allocate
from napari_metasr.normalisation import StreamedRange
from napari_metasr.upscaling.workspace import Findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_metasr.io.mapped import MappedArray
    from napari_metasr.io.parts import VolumeInParts

MEASURED_BYTES = 32 << 20


def unpack(volume: VolumeInParts, unpacked: MappedArray) -> Iterator[float]:
    """Read a volume once through, into an uncompressed file.

    Yields
    ------
    float
        The share that is done.

    Raises
    ------
    OSError
        If there is no room on the disk.
    ValueError
        If the input is damaged.
    """
    allocate(unpacked.path, unpacked.nbytes)
    size, done = int(np.prod(unpacked.shape, dtype=object)), 0
    for place, block in volume.blocks():
        unpacked.write(place, block)
        done += block.size
        yield done / size


def measure(volume: VolumeInParts, unpacked: MappedArray) -> Findings:
    """Look at all values.

    Raises
    ------
    ValueError
        If none is finite.
    """
    measured = StreamedRange()
    for look in (measured.look, measured.sample):
        for place in _layers(unpacked):
            look(unpacked.read(place))
        if not measured.finite:
            raise ValueError(f"{volume.path}: expected an image, found no finite voxel")
    return Findings(
        intensity=measured.intensity_range,
        limits=measured.value_range,
        missing=measured.missing,
    )


def _layers(array: MappedArray) -> Iterator[tuple[slice, ...]]:
    """The places of an array, a few layers at a time, in order."""
    times, depth, *plane = array.shape
    step = max(MEASURED_BYTES // (int(np.prod(plane)) * array.dtype.itemsize), 1)
    for time_point in range(times):
        for first in range(0, depth, step):
            yield (
                slice(time_point, time_point + 1),
                slice(first, min(first + step, depth)),
                *(slice(0, size) for size in plane),
            )
