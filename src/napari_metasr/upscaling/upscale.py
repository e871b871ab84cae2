"""A volume enlarged from file to file, in bounded memory, so that it can be interrupted.

Beside the library, torch and a network no more than ``MEMORY_BOUND`` is taken up for volumes of
any size whose slices have up to 4096 x 4096 voxels, input and output; a segmentation that says
where networks work is read whole.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import torch

from napari_metasr.files import allocate, file_sha256
from napari_metasr.io.compressed import compress
from napari_metasr.io.mapped import MappedArray
from napari_metasr.io.unfinished import UnfinishedVolume
from napari_metasr.normalisation import MissingPixelsWarning
from napari_metasr.upscaling.costs import Costs
from napari_metasr.upscaling.errors import OutputDiffersError
from napari_metasr.upscaling.models import Models
from napari_metasr.upscaling.outputs import (
    check_inputs_kept,
    check_outputs,
    is_made,
    put_in_place,
    record_beside,
)
from napari_metasr.upscaling.pipeline import pipelined
from napari_metasr.upscaling.progress import Preview, Progress
from napari_metasr.upscaling.record import record_of
from napari_metasr.upscaling.stages import Stages
from napari_metasr.upscaling.unpacking import measure, unpack
from napari_metasr.upscaling.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.sidecar import Sidecar
    from napari_metasr.upscaling.workspace import Findings, Journal

__all__ = ["MEMORY_BOUND", "Preview", "Progress", "Upscaling", "check_outputs"]

MEMORY_BOUND = 1 << 30
UNCOMPRESSED = "output.nii"


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
        Go on with unfinished work, if there is any; if the output is there as the plan makes
        it, nothing is left to do.
    then
        What was said of the same work when it was done before, if it is to be done again. Its
        sidecar stays as it is if the same file comes out in its place.

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
        If the name's ending is wrong, or the output would replace the input.
    """

    def __init__(
        self,
        plan: Plan,
        output: Path,
        *,
        overwrite: bool = False,
        resume: bool = False,
        then: Sidecar | None = None,
    ) -> None:
        self._made = resume and is_made(output, plan)
        self._overwrite, self._resume, self._then = overwrite, resume, then
        self.plan, self._output = plan, output
        self._check()
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
            If the input is damaged, no lesions are found where they are looked for, or the
            unfinished work is of another kind. What is done stays beside the output, for
            ``resume``.
        OutputDiffersError
            If the volume is made again and differs from the one that exists.
        """
        if self._made:
            self._workspace.discard()
            yield Progress("done already", 1.0, 1.0)
            return
        models = Models.of(self.plan)
        with self._workspace.opened(self.plan.fingerprint, resume=self._resume) as begun:
            journal = begun
            if journal.findings is None:
                try:
                    findings = yield from self._look()
                except ValueError:  # which going on would not mend
                    self._workspace.remove()
                    raise
                journal = journal.model_copy(update={"findings": findings})
                self._workspace.write(journal)
            else:
                findings = journal.findings
            self._warn_of(findings)
            plan = self.plan
            if plan.search is not None:
                options = plan.options.model_copy(update={"boxes": findings.boxes})
                plan = replace(plan, options=options)
            yield from self._enlarge(plan, models, findings, journal)
            yield from self._finish(plan, findings)

    @property
    def _unpacked(self) -> MappedArray:
        """The input, once it is unpacked."""
        volume = self.plan.volume
        return MappedArray(self._workspace.folder / "input.raw", volume.shape, volume.dtype)

    def _look(self) -> Generator[Progress, None, Findings]:
        """Take the input in."""
        volume, search = self.plan.volume, self.plan.search
        with self._timed("reading"):
            for done in unpack(volume, self._unpacked):
                yield Progress("reading", done, self._costs.read(done))
            self.plan.check_unchanged()
        with self._timed("measuring"):
            findings = measure(volume, self._unpacked)
        if search is None:
            return findings
        with self._timed("looking for lesions"):
            boxes, doubts = yield from search.steps(
                volume, self._unpacked, findings.intensity, self._costs
            )
        return findings.model_copy(update={"boxes": boxes, "doubts": doubts})

    def _warn_of(self, findings: Findings) -> None:
        for doubt in findings.doubts:
            warnings.warn(doubt, stacklevel=3)
        if findings.missing:
            warnings.warn(
                f"{self.plan.volume.path.name}: {findings.missing:,} voxels are NaN or infinite: "
                "they count as the lowest value and stay what they are in the output",
                stacklevel=3,
            )

    def _enlarge(
        self, plan: Plan, models: Models, findings: Findings, journal: Journal
    ) -> Iterator[Progress]:
        folder = self._workspace.folder
        voxels, header = UnfinishedVolume.at(
            folder / UNCOMPRESSED,
            (plan.volume.shape[0], *plan.target.shape),
            plan.target.affine(plan.volume.affine),
            plan.volume.source,
            plan.dtype,
            f"{plan.description}, for research use",
        )
        stages = Stages(plan, self._unpacked, voxels, folder, models, findings)
        if journal.done == 0 or not voxels.voxels.path.exists():
            journal = journal.model_copy(update={"done": 0})
            voxels.create(header)
            for array in stages.scratch:
                allocate(array.path, array.nbytes)
        parts = plan.parts[journal.done :]
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

    def _finish(self, plan: Plan, findings: Findings) -> Iterator[Progress]:
        """Compress, and give the files their names."""
        finished = self._workspace.folder / UNCOMPRESSED
        if self._output.suffix.lower() == ".gz":
            with self._timed("compressing"):
                compressed = self._workspace.folder / f"{UNCOMPRESSED}.gz"
                for done in compress(finished, compressed, torch.get_num_threads()):
                    yield Progress("compressing", done, self._costs.compressed(done))
            finished = compressed
        self._check()
        record = record_of(plan, findings, self._output.name, file_sha256(finished))
        put_in_place(finished, self._output, self._known(record))
        self._workspace.remove()

    def _check(self) -> None:
        """Look once more whether the output may be written."""
        output = self._output
        check_outputs(
            output,
            overwrite=self._overwrite,
            resume=self._resume and (self._made or not output.exists()),
            then=self._then,
        )
        check_inputs_kept(output, self.plan.volume.files)

    def _known(self, record: Sidecar) -> Sidecar:
        """What is to be said of the output, with what was known of it when it was made before."""
        then, output = self._then, self._output
        if then is None:
            return record
        beside = record_beside(output) == then
        if record.output_sha256 != then.output_sha256:
            whole = output.exists() and file_sha256(output) == then.output_sha256
            if whole or (beside and not self._overwrite):
                self._workspace.remove()
                raise OutputDiffersError(
                    f"{output}: the replay produced a different file; the existing output was kept"
                )
        elif beside:
            return then
        return record.model_copy(
            update={
                "concerns": tuple(dict.fromkeys((*then.concerns, *record.concerns))),
                "detector": then.detector,
                "skull_stripped": then.skull_stripped,
            }
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds[stage] += time.perf_counter() - started
