"""Do the parts of the work on a volume: what they read, compute and write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.acquisition import slice_code
from napari_metasr.io.mapped import MappedArray
from napari_metasr.upscaling.consistency import SliceConsistency
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.upscaling.progress import Preview
from napari_metasr.upscaling.slabs import SlabPass
from napari_metasr.upscaling.target import upscaled_box
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.unfinished import UnfinishedVolume
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.upscaling.models import Models
    from napari_metasr.upscaling.parts import Part
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.workspace import Findings

    Place = tuple[slice, ...]


@dataclass(frozen=True)
class Slab:
    """Result of a part.

    Attributes
    ----------
    voxels
        (z, y, x).
    preview
        The last slice.
    """

    voxels: NDArray[np.float32]
    preview: Preview


class Stages:
    """Reads, computes and writes each part of the work on one volume.

    A part reads files that earlier parts have written and writes files that it does not read, so
    that it can be repeated after an interrupt.

    Parameters
    ----------
    plan
        Plan of the work.
    unpacked
        The input.
    output
        The volume to write.
    folder
        Folder of intermediate files.
    models
        The networks.
    findings
        Findings about the input.
    assumption
        The acquisition with which slices in plane are made consistent, if with any.
    """

    def __init__(
        self,
        plan: Plan,
        unpacked: MappedArray,
        output: UnfinishedVolume,
        folder: Path,
        models: Models,
        findings: Findings,
        assumption: Assumption | None = None,
    ) -> None:
        target, options = plan.target, plan.options
        self._unpacked, self._output = unpacked, output
        self._shape = target.shape
        self._findings = findings
        self._normal = normal = options.plane.normal_axis
        z, y, x = (
            axis.input if number == normal else axis.output
            for number, axis in enumerate(target.axes)
        )
        single = np.dtype(np.float32)
        self._in_plane = MappedArray(folder / "in-plane.raw", (1, z, y, x), single)
        self._first = MappedArray(folder / "first.raw", (1, *target.shape), single)
        self._passes: dict[PassKind, SlabPass] = {}
        self._time, (intensity, values) = 0, findings.at_time(0)
        across = tuple(upscaled_box(box, target, normal) for box in options.boxes)
        spacing = target.input_spacing[normal]
        thickness = 1.0 if options.thickness is None else options.thickness / spacing
        for run in plan.passes:
            in_plane = run.kind is PassKind.IN_PLANE
            model = models.in_plane if in_plane else models.through_plane
            if model is not None:
                boxes = options.boxes if in_plane else across
                if not in_plane and model.card.can_be_told:
                    model = model.told(slice_code(thickness, along_rows=run.axes[1] == normal))
                self._passes[run.kind] = SlabPass(
                    run.axes,
                    run.grid,
                    model,
                    intensity,
                    values,
                    boxes,
                    assumption if in_plane else None,
                )
        if models.through_plane is not None:
            self._consistency = SliceConsistency(target.axes[normal], thickness)

    @property
    def scratch(self) -> tuple[MappedArray, ...]:
        """Files that are needed between the passes."""
        if PassKind.FIRST_VIEW not in self._passes:
            return ()
        if PassKind.IN_PLANE not in self._passes:
            return (self._first,)
        return self._in_plane, self._first

    def read(self, part: Part) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Read what a part is made from: its slab, and for the second view that of the first."""
        if part.run.kind is PassKind.IN_PLANE or PassKind.IN_PLANE not in self._passes:
            slab = self._unpacked.read(self._place(part, self._unpacked, part.time))[0]
        else:
            slab = self._in_plane.read(self._place(part, self._in_plane))[0]
        if part.run.kind is not PassKind.SECOND_VIEW:
            return slab, None
        return slab, self._first.read(self._place(part, self._first))[0]

    def compute(self, part: Part, found: tuple[NDArray[Any], NDArray[np.float32] | None]) -> Slab:
        """Upscale a part."""
        slab, first_view = found
        intensity, values = self._findings.at_time(part.time)
        if part.time != self._time:
            self._time = part.time
            self._passes = {
                kind: replace(one, intensity_range=intensity, value_range=values)
                for kind, one in self._passes.items()
            }
        result = self._passes[part.run.kind](slab, part.first)
        if first_view is not None:
            result = self._fused(first_view, result, slab, values)
        return Slab(result, self._preview(part, slab, result))

    def _fused(
        self,
        first: NDArray[np.float32],
        second: NDArray[np.float32],
        slab: NDArray[Any],
        values: tuple[float, float],
    ) -> NDArray[np.float32]:
        """Average both views, consistent with the slab that they were made from, and clip."""
        fused = (first + second) / 2
        thin, thick = (np.moveaxis(voxels, self._normal, 0) for voxels in (fused, slab))
        consistent = self._consistency(np.ascontiguousarray(thin), thick.astype(np.float32))
        np.clip(consistent, *map(np.float32, values), out=consistent)
        return np.moveaxis(consistent, 0, self._normal)

    def _preview(self, part: Part, before: NDArray[Any], after: NDArray[np.float32]) -> Preview:
        along = part.run.axes[0]
        return Preview(
            image=np.moveaxis(after, along, 0)[-1].copy(),
            before=np.moveaxis(before, along, 0)[-1].copy(),
            plane=list(Plane)[along],
            index=part.last - 1,
            count=part.run.count,
            intensity_range=self._findings.at_time(part.time)[0],
        )

    def write(self, part: Part, slab: Slab) -> None:
        """Write a slab where it belongs; it survives if the process is killed afterwards."""
        if self.is_last(part):
            self._output.write(self._output_place(part), slab.voxels[np.newaxis])
        else:
            target = self._between(part.run.kind)
            target.write(self._place(part, target), slab.voxels[np.newaxis])

    def digest(self, part: Part) -> str:
        """Hash what `write` has put where a part belongs.

        Raises
        ------
        OSError, ValueError
            If it is not there any more.
        """
        array, place = self._written(part)
        return array.digest(place)

    def is_last(self, part: Part) -> bool:
        """Return whether a part belongs to the output rather than to an intermediate pass."""
        return part.run.kind is next(reversed(self._passes))

    def _written(self, part: Part) -> tuple[MappedArray, Place]:
        """Locate a part: its file and its place there."""
        if self.is_last(part):
            return self._output.voxels, self._output.stored_place(self._output_place(part))[0]
        array = self._between(part.run.kind)
        return array, self._place(part, array)

    def _between(self, kind: PassKind) -> MappedArray:
        return self._in_plane if kind is PassKind.IN_PLANE else self._first

    def _place(self, part: Part, array: MappedArray, time: int = 0) -> Place:
        return self._slab(part, array.shape[1:], time)

    def _output_place(self, part: Part) -> Place:
        return self._slab(part, self._shape, part.time)

    def _slab(self, part: Part, shape: tuple[int, ...], time: int) -> Place:
        places = [slice(0, size) for size in shape]
        places[part.run.axes[0]] = slice(part.first, part.last)
        return (slice(time, time + 1), *places)
