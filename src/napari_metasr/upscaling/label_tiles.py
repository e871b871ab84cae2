"""Put labels on a finer grid a tile at a time, in bounded memory."""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from napari_metasr.zoom.labels import SmoothLabels, margins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_metasr.io.mapped import MappedArray
    from napari_metasr.upscaling.target import Target

Range = tuple[int, int]

TILE_BYTES = 512 << 20
INPUT_BYTES, OUTPUT_BYTES = 60, 32
"""Most memory of a tile, and what a voxel of its input and of its output takes meanwhile."""


def tiles_of(target: Target, shape: Sequence[int]) -> Iterator[tuple[Range, ...]]:
    """Cut the output into tiles along z, y, x that are small enough to hold in memory."""
    around = margins(target.input_spacing)
    counts = [1, 1, 1]

    def sizes() -> list[tuple[float, float]]:
        """Count the voxels of a tile along each axis: of its input, and of its output."""
        return [
            (min(size / count + 2 * margin, size), axis.output / count)
            for size, count, margin, axis in zip(shape, counts, around, target.axes, strict=True)
        ]

    def nbytes() -> float:
        before, after = (math.prod(each) for each in zip(*sizes(), strict=True))
        return INPUT_BYTES * before + OUTPUT_BYTES * after

    while nbytes() > TILE_BYTES and any(
        count < axis.output for count, axis in zip(counts, target.axes, strict=True)
    ):
        long = [
            size / count / margin for size, count, margin in zip(shape, counts, around, strict=True)
        ]
        axis = max(
            (one for one in range(3) if counts[one] < target.axes[one].output), key=long.__getitem__
        )
        counts[axis] += 1
    edges = [
        [axis.output * part // count for part in range(count + 1)]
        for axis, count in zip(target.axes, counts, strict=True)
    ]
    yield from product(*(list(pairwise(each)) for each in edges))


def rendered(unpacked: MappedArray, target: Target, tile: Sequence[Range]) -> NDArray[Any]:
    """Render the labels of a tile from what is in it and around it."""
    shape = unpacked.shape[1:]
    place = []
    for axis, (start, stop), margin, size in zip(
        target.axes, tile, margins(target.input_spacing), shape, strict=True
    ):
        cells = axis.cells()[[start, stop - 1]]
        place.append(slice(max(int(cells[0]) - margin, 0), min(int(cells[1]) + 1 + margin, size)))
    labels = unpacked.read((slice(0, 1), *place))[0]
    first = [side.start for side in place]
    return SmoothLabels(labels, target.input_spacing, first, shape).render(target.axes, tile)
