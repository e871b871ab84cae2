"""The stages of enlarging a volume: which parts are read, what becomes of them, where they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_metasr.cohort.consistency import SliceConsistency
from napari_metasr.cohort.slabs import SlabPass
from napari_metasr.geometry import AxisGrid, OutputGrid
from napari_metasr.io.mapped import MappedArray

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.cohort.options import UpscaleOptions
    from napari_metasr.cohort.slabs import Box
    from napari_metasr.cohort.target import Target
    from napari_metasr.cohort.workspace import Findings
    from napari_metasr.io.unfinished import UnfinishedVolume
    from napari_metasr.zoom.engine import ZoomModel

    Place = tuple[slice, ...]

SLAB_BYTES = 32 << 20
"""Of a slab's output; one slice if that is larger."""

StageName = Literal["in plane", "across, first view", "across, second view"]


@dataclass(frozen=True)
class Part:
    """A slab of one stage: slices ``first`` up to ``last`` of a time point."""

    stage: StageName
    time: int
    first: int
    last: int


@dataclass(frozen=True)
class Models:
    """What enlarges slices, and what fills in between them; each is there if it is needed."""

    in_plane: ZoomModel | None
    through_plane: ZoomModel | None


class Stages:
    """The parts of the work on one volume, and how each of them is done.

    A part reads files that earlier parts have written and writes files that it does not read, so
    that it can be done again after it was interrupted.

    Parameters
    ----------
    target, options
        What is wanted.
    unpacked
        The input.
    output
        What is to be written.
    folder
        For what lies between the stages.
    models
        The networks.
    findings
        Of the input.
    """

    def __init__(
        self,
        target: Target,
        options: UpscaleOptions,
        unpacked: MappedArray,
        output: UnfinishedVolume,
        folder: Path,
        models: Models,
        findings: Findings,
    ) -> None:
        self._unpacked, self._output = unpacked, output
        self._axes = target.axes
        self._limits = findings.limits
        plane = options.plane
        normal, rows, columns = plane.normal_axis, plane.row_axis, plane.column_axis
        self._normal = normal
        z, y, x = (
            axis.input if number == normal else axis.output
            for number, axis in enumerate(target.axes)
        )
        single = np.dtype(np.float32)
        self._enlarged = MappedArray(folder / "in-plane.raw", (1, z, y, x), single)
        self._first = MappedArray(folder / "first.raw", (1, *target.shape), single)
        self._passes: dict[StageName, SlabPass] = {}
        ranges = findings.intensity, findings.limits
        if models.in_plane is not None:
            grid = OutputGrid(target.axes[rows], target.axes[columns])
            self._passes["in plane"] = SlabPass(
                (normal, rows, columns), grid, models.in_plane, *ranges, options.boxes
            )
        if models.through_plane is not None:
            boxes = tuple(enlarged_box(box, target, normal) for box in options.boxes)
            views: tuple[tuple[StageName, int, int], ...] = (
                ("across, first view", rows, columns),
                ("across, second view", columns, rows),
            )
            for name, along, kept in views:
                size = target.axes[kept].output
                grid = OutputGrid(target.axes[normal], AxisGrid(size, size))
                axes = (along, normal, kept)
                self._passes[name] = SlabPass(axes, grid, models.through_plane, *ranges, boxes)
            spacing = target.input_spacing[normal]
            share = 1.0 if options.thickness is None else options.thickness / spacing
            self._consistency = SliceConsistency(target.axes[normal], share)

    @property
    def scratch(self) -> tuple[MappedArray, ...]:
        """The files that are needed between the stages."""
        if "across, first view" not in self._passes:
            return ()
        return (self._enlarged, self._first) if "in plane" in self._passes else (self._first,)

    def parts(self) -> list[Part]:
        """All of the work, in order."""
        parts = []
        for time in range(self._unpacked.shape[0]):
            for stage, one in self._passes.items():
                along = one.axes[0]
                count = self._axes[along].input if stage == "in plane" else self._count(along)
                rows, columns = one.grid.output_shape
                step = max(SLAB_BYTES // (4 * rows * columns), 1)
                parts += [
                    Part(stage, time, first, min(first + step, count))
                    for first in range(0, count, step)
                ]
        return parts

    def _count(self, axis: int) -> int:
        return self._axes[axis].output

    def read(self, part: Part) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """What a part is made from: the slab before, and of the second view that of the first."""
        if part.stage == "in plane" or "in plane" not in self._passes:
            slab = self._unpacked.read(self._place(part, self._unpacked, part.time))[0]
        else:
            slab = self._enlarged.read(self._place(part, self._enlarged))[0]
        if part.stage != "across, second view":
            return slab, None
        return slab, self._first.read(self._place(part, self._first))[0]

    def compute(
        self, part: Part, found: tuple[NDArray[Any], NDArray[np.float32] | None]
    ) -> NDArray[np.float32]:
        """The slab that a part is for, (z, y, x)."""
        slab, first_view = found
        result = self._passes[part.stage](slab, part.first)
        if first_view is None:
            return result
        fused = (result + first_view) / 2
        thin, thick = (np.moveaxis(one, self._normal, 0) for one in (fused, slab))
        consistent = self._consistency(np.ascontiguousarray(thin), thick.astype(np.float32))
        np.clip(consistent, *map(np.float32, self._limits), out=consistent)
        return np.moveaxis(consistent, 0, self._normal)

    def write(self, part: Part, result: NDArray[np.float32]) -> None:
        """Put a slab where it belongs, and wait until it is there."""
        last = part.stage == next(reversed(self._passes))
        target = self._output.voxels if last else self._between(part.stage)
        if last:
            self._output.write(self._output_place(part), result[np.newaxis])
        else:
            target.write(self._place(part, target), result[np.newaxis])
        target.sync()

    def _between(self, stage: StageName) -> MappedArray:
        return self._enlarged if stage == "in plane" else self._first

    def _place(self, part: Part, array: MappedArray, time: int = 0) -> Place:
        return self._slab(part, array.shape[1:], time)

    def _output_place(self, part: Part) -> Place:
        shape = tuple(axis.output for axis in self._axes)
        return self._slab(part, shape, part.time)

    def _slab(self, part: Part, shape: tuple[int, ...], time: int) -> Place:
        places = [slice(0, size) for size in shape]
        places[self._passes[part.stage].axes[0]] = slice(part.first, part.last)
        return (slice(time, time + 1), *places)


def enlarged_box(box: Box, target: Target, normal: int) -> Box:
    """A box in input edges, in those of the voxels that are enlarged along all axes but one."""
    edges = [
        (start, stop)
        if number == normal
        else (
            max(float(axis.edge(start)), 0.0),
            min(float(axis.edge(stop)), float(axis.output)),
        )
        for number, (axis, (start, stop)) in enumerate(zip(target.axes, box, strict=True))
    ]
    return edges[0], edges[1], edges[2]
