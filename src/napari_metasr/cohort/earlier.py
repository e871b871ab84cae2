"""Compare what earlier runs left of a volume with what a job would make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.cohort.bids import uri_of
from napari_metasr.files import KeptFileError, file_sha256
from napari_metasr.io.names import sidecar_path
from napari_metasr.upscaling.provenance import fingerprint
from napari_metasr.upscaling.sidecar import read_sidecar, write_sidecar
from napari_metasr.upscaling.upscale import Upscaling
from napari_metasr.upscaling.workspace import JOURNAL, Journal, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.cohort.bids import Place
    from napari_metasr.upscaling.job import Job
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.sidecar import Sidecar

UNCOMPARED = {"model", "through_plane_model", "boxes"}
"""Options that are compared by the hashes of weights and detector instead."""


def prepared(job: Job) -> Upscaling:
    """Prepare the work of a job, resuming unfinished work of the same plan.

    Existing outputs do not prevent it; see `reason_to_make_again`.

    Raises
    ------
    ValueError, OSError
        As `Job.prepare`.
    """
    work = job.model_copy(update={"overwrite": True}).prepare()
    decided = fingerprint(work.plan, work.source.sha256)
    return Upscaling(
        work.plan,
        work.source,
        job.output,
        overwrite=True,
        resume=_is_begun(job.output, decided),
    )


def reason_to_make_again(
    output: Path, plan: Plan, input_sha256: str, *, overwrite: bool = False
) -> str | None:
    """Say why an existing output is not what a plan would make; None if it is.

    Raises
    ------
    FileExistsError
        If the output was not made by this program, or with other options or weights, and
        ``overwrite`` is not set.
    """
    try:
        record = read_sidecar(sidecar_path(output))
    except (OSError, ValueError):
        record = None
    if record is None:
        other = "and no sidecar says how it was made"
    elif _done(record) != _wanted(plan):
        other = "made with other options or weights"
    elif record.input_sha256 != input_sha256:
        return "the input has changed"
    elif record.output_sha256 != file_sha256(output):
        return "the output was changed or damaged"
    else:
        return None
    if overwrite:
        return f"a file existed, {other}"
    raise KeptFileError(
        f"{output}: the file exists, {other}; it is kept unless overwriting is asked for"
    )


def _done(record: Sidecar) -> object:
    """Collect what decides a result, except the input, from a sidecar."""
    options, detector = record.options, record.detector
    boxes = options.boxes if detector is None else detector.sha256
    weights = [model.sha256 for model in record.models]
    return options.model_dump(exclude=UNCOMPARED), boxes, weights


def _wanted(plan: Plan) -> object:
    """Collect the same from a plan."""
    boxes = plan.options.boxes if plan.search is None else plan.search.sha256
    weights = [card.sha256 for card in plan.cards]
    return plan.options.model_dump(exclude=UNCOMPARED), boxes, weights


def _is_begun(output: Path, decided: str) -> bool:
    """Return whether there is unfinished work of this fingerprint."""
    path = Workspace(output).folder / JOURNAL
    try:
        journal = Journal.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return False
    return journal.fingerprint == decided


def record_in_dataset(output: Path, place: Place) -> None:
    """Record in a sidecar what BIDS demands of an image of a dataset."""
    path = sidecar_path(output)
    record = read_sidecar(path)
    sources = tuple(uri_of(name, place.folder) for name in record.sources)
    if (record.skull_stripped, record.sources) != (place.skull_stripped, sources):
        updated = {"skull_stripped": place.skull_stripped, "sources": sources}
        write_sidecar(path, record.model_copy(update=updated), overwrite=True)
