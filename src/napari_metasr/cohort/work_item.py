"""One volume of many: made, or left as it is, or failed; what is wrong with it stops no other."""

from __future__ import annotations

import time
import warnings
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal, cast

from napari_metasr.cohort.earlier import prepared, reason_to_make_again, tell_of_skull
from napari_metasr.errors import in_words
from napari_metasr.upscaling.errors import InUseError
from napari_metasr.upscaling.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from napari_metasr.upscaling.job import Job
    from napari_metasr.upscaling.progress import Progress
    from napari_metasr.upscaling.upscale import Upscaling

    Tell = Callable[[float], None]

State = Literal["done", "skipped", "failed"]
PATIENCE = 30
"""Seconds that a worker which is to stop has for the part it works on."""

ASKING = 0.2
"""Seconds between two questions whether a volume that waits for its turn is still wanted."""

_TURN = Lock()


class StoppedError(Exception):
    """The work is not wanted any more; what is done of it stays for another time."""


@dataclass(frozen=True)
class Outcome:
    """What became of a volume.

    Attributes
    ----------
    state
        In a word.
    reason
        Why it failed or was made again, and what speaks against trusting the result.
    seconds
        It took.
    """

    state: State
    reason: str = ""
    seconds: float = 0.0


def carry_out(job: Job, tell: Tell, *, skull_stripped: bool | None = None) -> Outcome:
    """Make an output, unless it is there already as this job would make it.

    It is made again if the input has changed or the output is damaged; unfinished work is gone
    on with, if it is of the same kind, and removed if it failed. Threads of a process take turns:
    each volume has the memory and the cores for itself, and is told its own warnings alone.

    Parameters
    ----------
    job
        ``overwrite`` is for outputs that something else has made, or that other options have;
        ``resume`` is not looked at.
    tell
        Called with the share that is done, 0 to 1, again and again. May raise `StoppedError`.
    skull_stripped
        For the sidecar, if it is known.

    Returns
    -------
    Outcome
        Also for whatever goes wrong.

    Raises
    ------
    StoppedError
        From ``tell``; what is done stays beside the output.
    """
    with _turn(tell), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        started = time.perf_counter()
        try:
            state, notes = _attempt(job, tell, started + PATIENCE, skull_stripped)
        except StoppedError:
            raise
        except Exception as error:
            state, notes = "failed", (in_words(error),)
    if state != "failed":
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
    job: Job, tell: Tell, latest: float, skull_stripped: bool | None
) -> tuple[State, tuple[str, ...]]:
    while True:
        work = prepared(job)
        again = None
        state: State = "done"
        if job.output.exists():
            again = reason_to_make_again(job.output, work.plan, overwrite=job.overwrite)
            state = "done" if again else "skipped"
        if state == "done":
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
        if skull_stripped is not None:
            tell_of_skull(job.output, skull_stripped)
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
    """Remove what is left of unfinished work, unless another process is at it."""
    workspace = Workspace(output)
    if workspace.folder.exists():
        with suppress(InUseError):
            workspace.discard()
