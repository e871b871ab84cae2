"""Does a task in a thread of its own, one at a time, and says so in the GUI thread."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any

from napari.qt.threading import GeneratorWorker, create_worker

from napari_metasr.widgets.upscaling.task import upscale
from napari_metasr.widgets.zoom.encoding import silence

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_metasr.upscaling.job import Job
    from napari_metasr.upscaling.upscale import Upscaling
    from napari_metasr.widgets.upscaling.task import Step, Task

log = logging.getLogger(__name__)

SIGNALS = ("yielded", "warned", "errored", "finished")


class ClosingWorker(GeneratorWorker):
    """Closes what it iterates over when it is asked to end: files and locks are let go of."""

    def work(self) -> Any:
        """Iterate to the end, or until it is asked to stop."""
        with closing(self._gen):
            return super().work()


class Runner:
    """Runs one task at a time.

    Parameters
    ----------
    prepare
        See ``Job.prepare``.
    on_step, on_warning, on_error, on_finished
        Called with what happened.
    """

    def __init__(
        self,
        prepare: Callable[[Job], Upscaling],
        *,
        on_step: Callable[[Step], None],
        on_warning: Callable[[str], None],
        on_error: Callable[[Exception], None],
        on_finished: Callable[[], None],
    ) -> None:
        self._prepare = prepare
        self._on_step, self._on_warning = on_step, on_warning
        self._on_error, self._on_finished = on_error, on_finished
        self._worker: Any = None

    @property
    def is_running(self) -> bool:
        """Whether a task is being done."""
        return self._worker is not None

    def start(self, task: Task) -> None:
        """Begin a task; there must be none running."""
        worker = create_worker(
            upscale,
            task,
            self._prepare,
            _start_thread=False,
            _ignore_errors=True,
            _worker_class=ClosingWorker,
        )
        self._worker = worker
        worker.yielded.connect(self._on_step)
        worker.warned.connect(self._warn)
        worker.errored.connect(self._on_error)
        worker.finished.connect(self._finish)
        worker.start()

    def stop(self) -> None:
        """Ask the running task to end; what it has done stays."""
        if self._worker is not None:
            self._worker.quit()

    def close(self) -> None:
        """Stop, and hear no more of it."""
        if self._worker is not None:
            silence(self._worker, SIGNALS)
            self._worker = None

    def _warn(self, warning: tuple[Any, ...]) -> None:
        """Pass on what a user can use; while a worker runs it hears the warnings of all threads."""
        message, category = warning[:2]
        if category is UserWarning:
            self._on_warning(str(message))
        else:
            log.warning("%s: %s", category.__name__, message)

    def _finish(self) -> None:
        self._worker = None
        self._on_finished()
