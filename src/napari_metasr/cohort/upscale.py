"""A volume enlarged from file to file, in bounded memory, so that it can be interrupted.

Beside the library, torch and a network no more than ``MEMORY_BOUND`` is taken up for volumes of
any size whose slices have up to 4096 x 4096 voxels, input and output.
"""

from __future__ import annotations

import os
import time
import warnings
from collections import defaultdict
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr import __version__
from napari_metasr.cohort.costs import Costs
from napari_metasr.cohort.pipeline import pipelined
from napari_metasr.cohort.progress import Preview, Progress
from napari_metasr.cohort.sidecar import (
    PURPOSE,
    GeneratedBy,
    Sidecar,
    sidecar_path,
)
from napari_metasr.cohort.stages import Models, Stages
from napari_metasr.cohort.workspace import Findings, Workspace
from napari_metasr.files import allocate, check_writable, file_sha256, replacing
from napari_metasr.io.compressed import compress
from napari_metasr.io.mapped import MappedArray
from napari_metasr.io.unfinished import UnfinishedVolume
from napari_metasr.io.writer import WRITTEN_SUFFIXES
from napari_metasr.normalisation import MissingPixelsWarning, StreamedRange
from napari_metasr.zoom.encoded import Tiling
from napari_metasr.zoom.engine import load_model

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from napari_metasr.cohort.plan import Plan
    from napari_metasr.cohort.workspace import Journal

__all__ = ["Preview", "Progress", "Upscaling"]

MEMORY_BOUND = 1 << 30
CODES_BYTES = 128 << 20
MEASURED_BYTES = 32 << 20


class Upscaling:
    """The work on one volume; whoever iterates over `steps` may show progress, or stop.

    Parameters
    ----------
    plan
        What is to be done.
    output
        ``.nii`` or ``.nii.gz``, in a folder that exists; the sidecar lies beside it.
    overwrite
        Replace existing files.
    resume
        Go on with unfinished work, if there is any.

    Attributes
    ----------
    plan
        What is to be done.
    stage_seconds
        Spent on each stage.
    enlarging_seconds
        Of the time spent on enlarging: ``computing``, and ``waiting`` for files.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`.
    ValueError
        If the name's ending is wrong.
    """

    def __init__(
        self, plan: Plan, output: Path, *, overwrite: bool = False, resume: bool = False
    ) -> None:
        check_outputs(output, overwrite=overwrite, resume=resume)
        self.plan, self._output = plan, output
        self._overwrite, self._resume = overwrite, resume
        self._workspace = Workspace(output)
        self._costs = Costs.of(plan)
        self.stage_seconds: dict[str, float] = defaultdict(float)
        self.enlarging_seconds: dict[str, float] = defaultdict(float)

    def steps(self) -> Iterator[Progress]:
        """Do the work.

        Yields
        ------
        Progress
            After every part.

        Raises
        ------
        OSError
            If there is no room on the disk.
        ValueError
            If the input is damaged, or the unfinished work is of another kind. What is done
            stays beside the output, for ``resume``.
        """
        plan = self.plan
        with self._workspace.opened(plan.fingerprint, resume=self._resume) as begun:
            journal = begun
            folder = self._workspace.folder
            unpacked = MappedArray(folder / "input.raw", plan.volume.shape, plan.volume.dtype)
            findings = journal.findings
            if findings is None:
                findings = yield from self._unpack(unpacked)
                journal = journal.model_copy(update={"findings": findings})
                self._workspace.write(journal)
            self._warn_of_gaps(findings)
            voxels, header = UnfinishedVolume.at(
                folder / "output.nii",
                (plan.volume.shape[0], *plan.target.shape),
                plan.target.affine(plan.volume.affine),
                plan.volume.source,
                plan.dtype,
                f"{plan.description}, for research use",
            )
            stages = Stages(plan, unpacked, voxels, folder, self._models(), findings)
            if journal.done == 0:
                voxels.create(header)
                for array in stages.scratch:
                    allocate(array.path, array.nbytes)
            yield from self._enlarge(stages, journal)
            yield from self._finish(findings)

    def _unpack(self, unpacked: MappedArray) -> Generator[Progress, None, Findings]:
        """Put the input into a file that can be read in parts, and look at its values."""
        with self._timed("reading"):
            allocate(unpacked.path, unpacked.nbytes)
            size, done = int(np.prod(unpacked.shape)), 0
            for place, block in self.plan.volume.blocks():
                unpacked.write(place, block)
                done += block.size
                yield Progress("reading", done / size, self._costs.read(done / size))
        with self._timed("measuring"):
            measured = StreamedRange()
            for look in (measured.look, measured.sample):
                for place in _layers(unpacked):
                    look(unpacked.read(place))
                if not measured.finite:
                    raise ValueError(
                        f"{self.plan.volume.path}: expected an image, found no finite voxel"
                    )
        return Findings(
            intensity=measured.intensity_range,
            limits=measured.value_range,
            missing=measured.missing,
        )

    def _warn_of_gaps(self, findings: Findings) -> None:
        if findings.missing:
            warnings.warn(
                f"{self.plan.volume.path.name}: {findings.missing:,} voxels are NaN or infinite: "
                "they count as the lowest value and stay what they are in the output",
                stacklevel=3,
            )

    def _enlarge(self, stages: Stages, journal: Journal) -> Iterator[Progress]:
        parts = self.plan.parts[journal.done :]
        with self._timed("enlarging"), warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingPixelsWarning)
            for (_, way), left in groupby(parts, lambda part: (part.time, part.way)):
                # a way reads what the one before it has written
                done = pipelined(
                    list(left), stages.read, stages.compute, stages.write, self.enlarging_seconds
                )
                for part, slab in done:
                    journal = journal.model_copy(update={"done": journal.done + 1})
                    self._workspace.write(journal)
                    yield Progress(
                        way.stage,
                        part.last / way.count,
                        self._costs.enlarged(journal.done),
                        slab.preview,
                    )

    def _finish(self, findings: Findings) -> Iterator[Progress]:
        """Compress, and give the files their names."""
        finished = self._workspace.folder / "output.nii"
        if self._output.suffix.lower() == ".gz":
            with self._timed("compressing"):
                compressed = self._workspace.folder / "output.nii.gz"
                for done in compress(finished, compressed, os.cpu_count() or 1):
                    yield Progress("compressing", done, self._costs.compressed(done))
            finished = compressed
        check_writable(self._output, overwrite=self._overwrite)
        sidecar = self.sidecar(findings, file_sha256(finished))
        overwrite = self._overwrite or self._resume
        with replacing(sidecar_path(self._output), overwrite=overwrite) as temporary:
            text = sidecar.model_dump_json(indent=2, by_alias=True, exclude_none=True)
            temporary.write_text(f"{text}\n", encoding="utf-8")
        finished.replace(self._output)
        self._workspace.remove()

    def sidecar(self, findings: Findings, output_sha256: str) -> Sidecar:
        """What is written beside the output."""
        plan = self.plan
        target, source = plan.target, plan.volume
        spacing, scale = (
            tuple(float(numbers[axis]) for axis in source.axes)
            for numbers in (target.spacing, target.scale)
        )
        shape = tuple(target.shape[axis] for axis in source.axes)
        return Sidecar(
            description=f"{plan.description}. {PURPOSE}",
            sources=source.record_names,
            resolution=" x ".join(f"{size:.6g}" for size in spacing) + " mm",
            generated_by=(GeneratedBy(name="napari-metasr", version=__version__),),
            learned=plan.learned,
            interpolated=plan.interpolated,
            scale=scale,
            spacing=spacing,
            input_shape=source.file_shape,
            output_shape=(*shape, *source.file_shape[3:]),
            intensity_range=findings.intensity,
            value_range=findings.limits,
            options=plan.options,
            models=plan.models,
            device=plan.device,
            versions=plan.versions,
            concerns=plan.concerns,
            input_sha256=plan.input_sha256,
            output_name=self._output.name,
            output_sha256=output_sha256,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds[stage] += time.perf_counter() - started

    def _models(self) -> Models:
        tiling = Tiling(budget=CODES_BYTES)
        options, device = self.plan.options, self.plan.device
        return Models(
            None
            if self.plan.in_plane is None
            else load_model(options.model, device=device, tiling=tiling),
            None
            if self.plan.through_plane is None
            else load_model(options.through_plane_model, device=device, tiling=tiling),
        )


def check_outputs(output: Path, *, overwrite: bool = False, resume: bool = False) -> None:
    """Refuse an output, or the sidecar beside it, before any work is done for them.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`.
    ValueError
        If the name's ending is wrong.
    """
    if not output.name.lower().endswith(WRITTEN_SUFFIXES):
        raise ValueError(f"{output}: expected a name that ends in .nii or .nii.gz")
    check_writable(output, overwrite=overwrite)
    check_writable(sidecar_path(output), overwrite=overwrite or resume)


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
