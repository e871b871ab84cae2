"""What earlier runs have left of a volume: finished, unfinished, or of another kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.files import file_sha256
from napari_metasr.upscaling.sidecar import read_sidecar, sidecar_path, write_sidecar
from napari_metasr.upscaling.upscale import Upscaling
from napari_metasr.upscaling.workspace import JOURNAL, Journal, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.upscaling.job import Job
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.sidecar import Sidecar

UNCOMPARED = {"model", "through_plane_model", "boxes"}
"""Options of which weights' hashes tell more, or what has found them."""


def prepared(job: Job) -> Upscaling:
    """The work of a job, whatever is there: it goes on with unfinished work of the same plan.

    Raises
    ------
    ValueError, OSError
        As `Job.prepare`.
    """
    plan = job.model_copy(update={"overwrite": True}).prepare().plan
    return Upscaling(plan, job.output, overwrite=True, resume=_is_begun(job.output, plan))


def reason_to_make_again(output: Path, plan: Plan, *, overwrite: bool = False) -> str | None:
    """Why an output that exists is not what a plan would make; None if it is.

    Raises
    ------
    FileExistsError
        If it is nothing that the plan may replace: not made by this program, or with other
        options or weights. Not with ``overwrite``.
    """
    try:
        record = read_sidecar(sidecar_path(output))
    except (OSError, ValueError):
        record = None
    if record is None:
        other = "and no sidecar tells how it was made"
    elif _done(record) != _wanted(plan):
        other = "made with other options or weights"
    elif record.input_sha256 != plan.input_sha256:
        return "the input has changed"
    elif record.output_sha256 != file_sha256(output):
        return "the output was changed or damaged"
    else:
        return None
    if overwrite:
        return f"a file was there, {other}"
    raise FileExistsError(f"{output}: the file exists, {other}; overwrite is needed to replace it")


def _done(record: Sidecar) -> object:
    """Everything but the input that decides a result, as a sidecar has it."""
    options, detector = record.options, record.detector
    boxes = options.boxes if detector is None else detector.sha256
    weights = [model.sha256 for model in record.models]
    return options.model_dump(exclude=UNCOMPARED), boxes, weights


def _wanted(plan: Plan) -> object:
    """The same, as a plan has it."""
    boxes = plan.options.boxes if plan.search is None else plan.search.sha256
    weights = [card.sha256 for card in plan.cards]
    return plan.options.model_dump(exclude=UNCOMPARED), boxes, weights


def _is_begun(output: Path, plan: Plan) -> bool:
    """Whether there is unfinished work of this very plan."""
    path = Workspace(output).folder / JOURNAL
    try:
        journal = Journal.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return journal.plan == plan.fingerprint


def tell_of_skull(output: Path, skull_stripped: bool) -> None:
    """Put into a sidecar whether nothing but the brain is in the image, as BIDS demands."""
    path = sidecar_path(output)
    record = read_sidecar(path)
    if record.skull_stripped != skull_stripped:
        told = record.model_copy(update={"skull_stripped": skull_stripped})
        write_sidecar(path, told, overwrite=True)
