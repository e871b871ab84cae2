"""Upscale a volume from file to file, in bounded memory, so that it can be interrupted.

Apart from the libraries and the networks, the work takes at most ``MEMORY_BOUND`` bytes for volumes
of any size whose slices have up to 4096 x 4096 voxels, input and output. Only a segmentation that
says where networks work is read whole. Consistency with the input (``UpscaleOptions.consistent``)
takes more for slices of more than about 1000 x 1000 voxels of input: it needs each of them whole.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import torch

from napari_metasr.files import allocate, check_writable, file_sha256
from napari_metasr.io.mapped import MappedArray
from napari_metasr.io.unfinished import UnfinishedVolume
from napari_metasr.normalisation import MissingPixelsWarning
from napari_metasr.purpose import header_text
from napari_metasr.upscaling.course import Course
from napari_metasr.upscaling.errors import DamagedWorkError, OutputDiffersError
from napari_metasr.upscaling.examination import Examination
from napari_metasr.upscaling.labels import Labelled
from napari_metasr.upscaling.models import Models
from napari_metasr.upscaling.outputs import (
    carry_gradients,
    check_inputs_kept,
    check_outputs,
    is_made,
    place_labels,
    put_in_place,
    record_beside,
)
from napari_metasr.upscaling.pipeline import pipelined
from napari_metasr.upscaling.progress import Phase, Preview, Progress
from napari_metasr.upscaling.provenance import Input, fingerprint
from napari_metasr.upscaling.record import record_of
from napari_metasr.upscaling.stages import Slab, Stages
from napari_metasr.upscaling.unpacking import occupied
from napari_metasr.upscaling.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from napari_metasr.upscaling.labels import Segmentation
    from napari_metasr.upscaling.parts import Part
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.sidecar import Sidecar
    from napari_metasr.upscaling.workspace import Findings, Journal

__all__ = ["MEMORY_BOUND", "Preview", "Progress", "Upscaling", "check_outputs"]

MEMORY_BOUND = 1 << 30
UNCOMPRESSED = "output.raw"


class Upscaling:
    """The work on one volume; iterating over `steps` does it, and may stop anywhere.

    Parameters
    ----------
    plan
        Plan of the work.
    source
        The input that the plan is for.
    output
        Ends as for `write_volume`, in a folder that exists; the sidecar lies beside it.
    overwrite
        Replace existing files.
    resume
        Resume unfinished work, if there is any; if the output exists as the plan makes it,
        nothing is left to do.
    recorded
        The sidecar of earlier work that is replayed. It stays as it is if the same file comes
        out in its place.
    segmentations
        Segmentations that come along, once the volume is written.
    clock
        Seconds, by which the time left is told.

    Attributes
    ----------
    plan, source
        Plan of the work, and its input.
    carried
        Records of the segmentations that have come along so far.
    stage_seconds
        Time spent in each phase.
    upscaling_seconds
        Share of ``stage_seconds[Phase.UPSCALING]`` spent ``computing``, and ``waiting`` for files.

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
        source: Input,
        output: Path,
        *,
        overwrite: bool = False,
        resume: bool = False,
        recorded: Sidecar | None = None,
        segmentations: Sequence[Segmentation] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._made = resume and is_made(output, plan, source.sha256)
        self._overwrite, self._resume, self._recorded = overwrite, resume, recorded
        self.plan, self.source, self._output = plan, source, output
        self._check()
        self._workspace = Workspace(output)
        record = record_beside(output) if self._made else None
        known = () if record is None else record.labels
        self._segmentations = [one for one in segmentations if not one.is_made(known)]
        for segmentation in self._segmentations:
            check_writable(segmentation.output, overwrite=overwrite)
        names = {one.output.name for one in segmentations}
        self.carried = [one for one in known if one.output_name in names]
        self._course = Course(
            plan,
            len(self._segmentations),
            is_packed=self._unfinished(plan).is_packed,
            clock=clock,
        )
        self.stage_seconds: dict[Phase, float] = defaultdict(float)
        self.upscaling_seconds: dict[str, float] = defaultdict(float)

    def steps(self) -> Iterator[Progress]:
        """Do the work.

        Yields
        ------
        Progress
            After every part.

        Raises
        ------
        OSError
            If the disk lacks the space.
        ValueError
            If the input is damaged, or no lesions are found where they are looked for.
        OtherWorkError, DamagedWorkError
            If the unfinished work cannot be resumed. What is done stays beside the output, for
            ``resume``.
        OutputDiffersError
            If the work is replayed and its result differs from the existing output.
        """
        if self._made:
            self._workspace.discard()
            self._course.skip_volume()
        else:
            yield from self._make()
        yield from self._carry_labels()
        if self._made:
            yield self._course.progress(Phase.DONE, 1.0)

    def _make(self) -> Iterator[Progress]:
        """Make the volume and its sidecar."""
        models = Models.of(self.plan)
        decided = fingerprint(self.plan, self.source.sha256)
        with self._workspace.opened(decided, resume=self._resume) as begun:
            journal = begun
            self._course.measure(models)
            if journal.findings is None:
                try:
                    findings = yield from self._examination.steps(self._timed)
                except (ValueError, OSError):  # nothing is done yet that could be resumed
                    self._workspace.remove()
                    raise
                journal = journal.model_copy(
                    update={"findings": findings, "unpacked": self._unpacked.digest()}
                )
                self._workspace.write(journal)
            else:
                findings = journal.findings
                self._check_unpacked(journal)
                self._course.skip_examination()
            self._warn_of(findings)
            plan = self.plan
            if plan.search is not None:
                options = plan.options.model_copy(update={"boxes": findings.boxes})
                plan = replace(plan, options=options)
            yield from self._upscale(plan, models, findings, journal)
            yield from self._finish(plan, findings)

    @property
    def _unpacked(self) -> MappedArray:
        """The input, once it is unpacked."""
        volume = self.source.volume
        return MappedArray(self._workspace.folder / "input.raw", volume.shape, volume.dtype)

    @property
    def _examination(self) -> Examination:
        return Examination(self.plan, self.source, self._unpacked, self._course)

    def _warn_of(self, findings: Findings) -> None:
        for concern in findings.concerns:
            warnings.warn(concern, stacklevel=3)
        for concern in findings.missing_concerns:
            warnings.warn(f"{self.source.volume.path.name}: {concern}", stacklevel=3)

    def _upscale(
        self, plan: Plan, models: Models, findings: Findings, journal: Journal
    ) -> Iterator[Progress]:
        folder = self._workspace.folder
        voxels = self._unfinished(plan)
        examination = self._examination
        assumption, told = examination.assumption(findings), examination.told(findings)
        models = models if told is None else models.told(told.code)
        stages = Stages(plan, self._unpacked, voxels, folder, models, findings, assumption)
        if journal.done == 0 or not voxels.voxels.path.exists():  # gone once it was put in place
            journal = journal.model_copy(update={"digests": ()})
            voxels.create()
            for array in stages.scratch:
                allocate(array.path, array.nbytes)
        else:
            self._check_done(plan, stages, journal, whole=voxels.is_begun)
        parts = plan.parts[journal.done :]
        self._course.begin_passes(plan, occupied(self._unpacked), journal.done)

        def compute(part: Part, found: Any) -> Slab:
            slab = stages.compute(part, found)
            self._course.computed(part)
            return slab

        with self._timed(Phase.UPSCALING), warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingPixelsWarning)
            for (_, run), left in groupby(parts, lambda part: (part.time, part.run)):
                # a pass reads what the one before it has written
                done = pipelined(
                    list(left), stages.read, compute, stages.write, self.upscaling_seconds
                )
                for part, slab in done:
                    journal = journal.model_copy(
                        update={"digests": (*journal.digests, stages.digest(part))}
                    )
                    self._workspace.write(journal)
                    yield self._course.progress(run.kind, part.last / run.count, slab.preview)

    def _unfinished(self, plan: Plan) -> UnfinishedVolume:
        """Return the output while it is not compressed."""
        volume = self.source.volume
        return UnfinishedVolume.at(
            self._workspace.folder / UNCOMPRESSED,
            (volume.shape[0], *plan.target.shape),
            plan.target.affine(volume.affine),
            volume.source,
            plan.dtype,
            header_text(plan.description),
            output=self._output,
        )

    def _check_unpacked(self, journal: Journal) -> None:
        """Refuse an unpacked input that is not as it was left."""
        try:
            if self._unpacked.digest() == journal.unpacked:
                return
        except (OSError, ValueError):
            pass
        raise self._damaged()

    def _check_done(self, plan: Plan, stages: Stages, journal: Journal, *, whole: bool) -> None:
        """Refuse parts that are not as they were left, of those that are read again."""
        parts = plan.parts
        if not whole or journal.done > len(parts):
            raise self._damaged()
        going_on = parts[journal.done].time if journal.done < len(parts) else None
        for part, digest in zip(parts, journal.digests, strict=False):
            if not stages.is_last(part) and part.time != going_on:
                continue
            try:
                is_kept = stages.digest(part) == digest
            except (OSError, ValueError):
                is_kept = False
            if not is_kept:
                raise self._damaged()

    def _damaged(self) -> DamagedWorkError:
        return DamagedWorkError(
            f"{self._workspace.folder}: expected unfinished work as it was left, found it damaged"
        )

    def _finish(self, plan: Plan, findings: Findings) -> Iterator[Progress]:
        """Compress the output, and give the files their names."""
        finished = self._workspace.folder / UNCOMPRESSED
        unfinished = self._unfinished(plan)
        if unfinished.is_packed:
            with self._timed(Phase.COMPRESSING):
                compressed = self._workspace.folder / f"{UNCOMPRESSED}.gz"
                threads = torch.get_num_threads()
                for done in unfinished.packed(compressed, threads):
                    yield self._course.reached(Phase.COMPRESSING, done)
            finished = compressed
        self._check()
        sha256 = file_sha256(finished)
        record = record_of(plan, self.source, findings, self._output.name, sha256)
        volume = self.source.volume
        put_in_place(finished, self._output, self._known(record), volume.files)
        carry_gradients(volume, self._output, overwrite=self._overwrite)
        self._workspace.remove()

    def _carry_labels(self) -> Iterator[Progress]:
        """Put segmentations on the output's grid, each recorded in the sidecar of the output."""
        volume, target, count = self.source.volume, self.plan.target, len(self._segmentations)
        for number, segmentation in enumerate(self._segmentations):
            with (
                Workspace(segmentation.output).scratch() as folder,
                self._timed(Phase.LABELLING),
            ):
                for step in segmentation.steps(volume, target, folder):
                    if isinstance(step, Labelled):
                        check_writable(segmentation.output, overwrite=self._overwrite)
                        place_labels(step, segmentation.output, self._output, volume.files)
                        self.carried.append(step.record)
                    else:
                        self._course.reached(Phase.LABELLING, (number + step) / count)
                        yield self._course.progress(Phase.LABELLING, step)

    def _check(self) -> None:
        """Check that the output may be written."""
        output = self._output
        check_outputs(
            output,
            overwrite=self._overwrite,
            resume=self._resume and (self._made or not output.exists()),
            recorded=self._recorded,
        )
        check_inputs_kept(output, self.source.volume.files)

    def _known(self, record: Sidecar) -> Sidecar:
        """Complete the record of replayed work by what the earlier record says."""
        recorded, output = self._recorded, self._output
        if recorded is None:
            return record
        beside = record_beside(output) == recorded
        if record.output_sha256 != recorded.output_sha256:
            whole = output.exists() and file_sha256(output) == recorded.output_sha256
            if whole or (beside and not self._overwrite):
                self._workspace.remove()
                raise OutputDiffersError(
                    f"{output}: the replay produced a different file; the existing output was kept"
                )
        elif beside:
            return recorded
        return record.model_copy(
            update={
                "concerns": tuple(dict.fromkeys((*recorded.concerns, *record.concerns))),
                "detector": recorded.detector,
                "skull_stripped": recorded.skull_stripped,
            }
        )

    @contextmanager
    def _timed(self, phase: Phase) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stage_seconds[phase] += time.perf_counter() - started
