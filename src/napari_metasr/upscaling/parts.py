"""Cut the work on a volume up: passes through it, and slabs of each pass."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry.grids import AxisGrid, OutputGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.upscaling.target import Target
    from napari_metasr.volume import Plane

SLAB_BYTES = 32 << 20
"""Most bytes of a slab's output; one slice if that is larger."""

LEAST_PARTS = 16
"""Minimum number of parts per pass, so that progress and cancellation stay responsive."""


class PassKind(Enum):
    """What a pass does."""

    IN_PLANE = "in plane"
    FIRST_VIEW = "across, first view"
    SECOND_VIEW = "across, second view"

    @property
    def title(self) -> str:
        """Its name on progress bars."""
        return self.value


@dataclass(frozen=True)
class Pass:
    """One way through a volume, slice by slice.

    Attributes
    ----------
    kind
        What it does.
    axes
        The (z, y, x) axes along which slices are stacked, and along which their rows and columns
        count.
    count
        Number of slices.
    grid
        Grid of every slice.
    """

    kind: PassKind
    axes: tuple[int, int, int]
    count: int
    grid: OutputGrid

    @property
    def pixels(self) -> tuple[int, int]:
        """Pixels of a slice, before and after."""
        before, after = (
            int(np.prod(shape)) for shape in (self.grid.input_shape, self.grid.output_shape)
        )
        return before, after


@dataclass(frozen=True)
class Part:
    """A slab of one pass: slices ``first`` up to ``last`` of a time point."""

    run: Pass
    time: int
    first: int
    last: int


def passes_through(target: Target, plane: Plane) -> tuple[Pass, ...]:
    """List the passes: in plane, where that is finer, then both orthogonal views across slices."""
    normal, rows, columns = plane.normal_axis, plane.row_axis, plane.column_axis
    axes = target.axes
    passes = []
    in_plane = OutputGrid(axes[rows], axes[columns])
    if not (in_plane.rows.is_identity and in_plane.columns.is_identity):
        stacked = (normal, rows, columns)
        passes.append(Pass(PassKind.IN_PLANE, stacked, axes[normal].input, in_plane))
    if not axes[normal].is_identity:
        for kind, along, kept in (
            (PassKind.FIRST_VIEW, rows, columns),
            (PassKind.SECOND_VIEW, columns, rows),
        ):
            size = axes[kept].output
            grid = OutputGrid(axes[normal], AxisGrid(size, size))
            passes.append(Pass(kind, (along, normal, kept), axes[along].output, grid))
    return tuple(passes)


def parts_of(passes: Sequence[Pass], times: int) -> list[Part]:
    """List all parts of the work, in order.

    Parameters
    ----------
    passes
        Passes through each time point.
    times
        Number of time points.
    """
    parts = []
    for time in range(times):
        for run in passes:
            largest = max(SLAB_BYTES // (4 * run.pixels[1]), 1)
            step = min(largest, -(-run.count // LEAST_PARTS))
            parts += [
                Part(run, time, first, min(first + step, run.count))
                for first in range(0, run.count, step)
            ]
    return parts
