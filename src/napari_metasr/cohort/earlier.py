"""What earlier runs have left of a volume: finished, unfinished, or of another kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_metasr.cohort.sidecar import (
    DetectorRecord,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)
from napari_metasr.cohort.upscale import Upscaling
from napari_metasr.cohort.workspace import JOURNAL, Journal, Workspace
from napari_metasr.files import file_sha256
from napari_metasr.weights import model_card

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.cohort.job import Job
    from napari_metasr.cohort.plan import Plan
    from napari_metasr.cohort.sidecar import Sidecar

NAMES = {"model", "through_plane_model"}
"""Options that are not compared: what networks compute is told by their weights."""


def prepared(job: Job) -> Upscaling:
    """The work of a job, whatever is there: it goes on with unfinished work of the same plan.

    Raises
    ------
    ValueError, OSError
        As `Job.prepare`.
    """
    ready = job.model_copy(update={"overwrite": True})
    plan = _plan_with_known_boxes(ready) or ready.prepare().plan
    return Upscaling(plan, job.output, overwrite=True, resume=_is_begun(job.output, plan))


def _plan_with_known_boxes(job: Job) -> Plan | None:
    """The plan, if the boxes that its detector finds in this input stand in a sidecar already."""
    record = _record_of(job.output)
    if job.within is None or record is None or record.detector is None:
        return None
    plan = job.model_copy(update={"within": None}).prepare().plan
    known = record.input_sha256, record.detector.sha256
    if known != (plan.input_sha256, model_card(job.detector).sha256):
        return None
    options = plan.options.model_copy(update={"boxes": record.options.boxes})
    return replace(plan, options=options)


def reason_to_make_again(output: Path, plan: Plan, *, overwrite: bool = False) -> str | None:
    """Why an output that exists is not what a plan would make; None if it is.

    Raises
    ------
    FileExistsError
        If it is nothing that the plan may replace: not made by this program, or with other
        options or weights. Not with ``overwrite``.
    """
    record = _record_of(output)
    asked = plan.options.model_dump(exclude=NAMES), [card.sha256 for card in plan.cards]
    if record is None:
        other = "and no sidecar tells how it was made"
    elif _asked_for(record) != asked:
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


def _asked_for(record: Sidecar) -> object:
    return record.options.model_dump(exclude=NAMES), [model.sha256 for model in record.models]


def _record_of(output: Path) -> Sidecar | None:
    try:
        return read_sidecar(sidecar_path(output))
    except (OSError, ValueError):
        return None


def _is_begun(output: Path, plan: Plan) -> bool:
    """Whether there is unfinished work of this very plan."""
    path = Workspace(output).folder / JOURNAL
    try:
        journal = Journal.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return journal.plan == plan.fingerprint


def complete_sidecar(job: Job, skull_stripped: bool | None) -> None:
    """Add what a dataset wants to know, and the detector, unless that is there already."""
    path = sidecar_path(job.output)
    record = read_sidecar(path)
    update: dict[str, object] = {"skull_stripped": skull_stripped}
    if job.within is not None:
        card = model_card(job.detector)
        update["detector"] = DetectorRecord(name=card.name, title=card.title, sha256=card.sha256)
    complete = record.model_copy(update=update)
    if complete != record:
        write_sidecar(path, complete, overwrite=True)
