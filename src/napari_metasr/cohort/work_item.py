"""Process one volume of a cohort; a failure does not stop the others."""

from __future__ import annotations

import time
import warnings
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, cast

from napari_metasr.cohort.earlier import prepared, reason_to_make_again, record_in_dataset
from napari_metasr.errors import in_words
from napari_metasr.upscaling.errors import InUseError
from napari_metasr.upscaling.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from napari_metasr.cohort.bids import Place
    from napari_metasr.upscaling.job import Job
    from napari_metasr.upscaling.progress import Progress
    from napari_metasr.upscaling.upscale import Upscaling

    Tell = Callable[[float], None]


class State(StrEnum):
    """What became of a volume; in the order of a run's table."""

    SKIPPED = "skipped"
    DONE = "done"
    FAILED = "failed"


PATIENCE = 30
"""Seconds that a stopping worker has to finish its current part."""

ASKING = 0.2
"""Seconds between two checks whether a waiting volume is still wanted."""

_TURN = Lock()


class StoppedError(Exception):
    """The work was cancelled; what is done stays beside the output."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of the work on a volume.

    Attributes
    ----------
    state
        The outcome in a word.
    reason
        Why the work failed or was repeated, and concerns about the result.
    seconds
        Time it took.
    """

    state: State
    reason: str = ""
    seconds: float = 0.0


def carry_out(
    job: Job, tell: Tell, *, place: Place | None = None, patience: float = PATIENCE
) -> Outcome:
    """Make an output, unless it exists as this job would make it.

    The output is made again if the input has changed or the output is damaged. Unfinished work of
    the same kind is resumed, and removed if it fails. Threads of a process take turns, so that
    each volume has the memory and the cores to itself, and only its own warnings.

    Parameters
    ----------
    job
        ``overwrite`` also replaces outputs of other programs or options; ``resume`` is ignored.
    tell
        Called repeatedly with the share that is done, 0 to 1. May raise `StoppedError`.
    place
        Where the input lies in its dataset; recorded in the sidecar.
    patience
        Seconds to wait for another process that works on the output.

    Returns
    -------
    Outcome
        Failures included.

    Raises
    ------
    StoppedError
        From ``tell``; what is done stays beside the output.
    """
    with _turn(tell), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        started = time.perf_counter()
        try:
            state, notes = _attempt(job, tell, started + patience, place)
        except StoppedError:
            raise
        except Exception as error:
            state, notes = State.FAILED, (in_words(error),)
    if state is not State.FAILED:
        notes += tuple(" ".join(str(one.message).split()) for one in caught)
    return Outcome(state, "; ".join(dict.fromkeys(notes)), time.perf_counter() - started)


@contextmanager
def _turn(tell: Tell) -> Iterator[None]:
    """Wait until no other thread of this process works on a volume."""
    while not _TURN.acquire(timeout=ASKING):
        tell(0.0)
    try:
        yield
    finally:
        _TURN.release()


def _attempt(
    job: Job, tell: Tell, latest: float, place: Place | None
) -> tuple[State, tuple[str, ...]]:
    while True:
        work = prepared(job)
        again = None
        state = State.DONE
        if job.output.exists():
            again = reason_to_make_again(
                job.output, work.plan, work.source.sha256, overwrite=job.overwrite
            )
            state = State.DONE if again else State.SKIPPED
        if state is State.DONE:
            try:
                _finish(work, job.output, tell)
            except InUseError:
                if time.perf_counter() > latest:
                    raise
                tell(0.0)
                time.sleep(1)
                continue
        else:
            _tidy_up(job.output)
        if place is not None:
            record_in_dataset(job.output, place)
        notes = (f"made again: {again}",) if again else ()
        return state, notes + work.plan.concerns


def _finish(work: Upscaling, output: Path, tell: Tell) -> None:
    try:
        with closing(cast("Generator[Progress]", work.steps())) as steps:
            for progress in steps:
                tell(progress.overall)
    except (StoppedError, InUseError):
        raise
    except Exception:
        _tidy_up(output)
        raise


def _tidy_up(output: Path) -> None:
    """Remove unfinished work, unless another process is working on it."""
    workspace = Workspace(output)
    if workspace.folder.exists():
        with suppress(InUseError):
            workspace.discard()
