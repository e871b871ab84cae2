"""How the work on a volume is cut up: ways through it, and slabs of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_metasr.geometry.grids import AxisGrid, OutputGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.target import Target
    from napari_metasr.volume import Plane

SLAB_BYTES = 32 << 20
"""Of a slab's output at most; one slice if that is larger."""

LEAST_PARTS = 16
"""Of a way with as many slices: so often one can see how far it is, and stop."""

StageName = Literal["in plane", "across, first view", "across, second view"]


@dataclass(frozen=True)
class Way:
    """One way through a volume, slice by slice.

    Attributes
    ----------
    stage
        What it is called.
    axes
        The (z, y, x) axes that slices are stacked along, and that their rows and columns count
        along.
    count
        How many slices there are.
    grid
        Of every slice.
    """

    stage: StageName
    axes: tuple[int, int, int]
    count: int
    grid: OutputGrid

    @property
    def pixels(self) -> tuple[int, int]:
        """Of a slice, before and after."""
        before, after = (
            int(np.prod(shape)) for shape in (self.grid.input_shape, self.grid.output_shape)
        )
        return before, after


@dataclass(frozen=True)
class Part:
    """A slab of one way: slices ``first`` up to ``last`` of a time point."""

    way: Way
    time: int
    first: int
    last: int


def ways_through(target: Target, plane: Plane) -> tuple[Way, ...]:
    """In plane, if that is finer, then both orthogonal planes, if slices are to be closer."""
    normal, rows, columns = plane.normal_axis, plane.row_axis, plane.column_axis
    axes = target.axes
    ways = []
    in_plane = OutputGrid(axes[rows], axes[columns])
    if not (in_plane.rows.is_identity and in_plane.columns.is_identity):
        ways.append(Way("in plane", (normal, rows, columns), axes[normal].input, in_plane))
    if not axes[normal].is_identity:
        views: tuple[tuple[StageName, int, int], ...] = (
            ("across, first view", rows, columns),
            ("across, second view", columns, rows),
        )
        for stage, along, kept in views:
            size = axes[kept].output
            grid = OutputGrid(axes[normal], AxisGrid(size, size))
            ways.append(Way(stage, (along, normal, kept), axes[along].output, grid))
    return tuple(ways)


def parts_of(ways: Sequence[Way], times: int) -> list[Part]:
    """All of the work, in order.

    Parameters
    ----------
    ways
        Through each time point.
    times
        How many of these there are.
    """
    parts = []
    for time in range(times):
        for way in ways:
            largest = max(SLAB_BYTES // (4 * way.pixels[1]), 1)
            step = min(largest, -(-way.count // LEAST_PARTS))
            parts += [
                Part(way, time, first, min(first + step, way.count))
                for first in range(0, way.count, step)
            ]
    return parts
