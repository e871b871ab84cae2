"""The one way a dock works off the GUI thread: one task at a time, told in the GUI thread."""

from __future__ import annotations

import logging
import weakref
from contextlib import closing
from functools import wraps
from typing import TYPE_CHECKING, Any

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_metasr.errors import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

PACKAGE = __name__.partition(".")[0]
FEWEST_THREADS = 8
"""Tasks that run at a time at least: Qt runs as many as there are cores, and lets others wait."""


class ClosingWorker(GeneratorWorker):
    """Closes what it iterates over when it ends, and is held by nothing once it has.

    A suspended generator holds all that it works with. napari keeps the ``quit`` of every worker
    that it is told of until its window closes, so that ``quit`` holds the worker weakly here.
    """

    def __init__(self, function: Callable[..., Iterator[Any]], *args: Any) -> None:
        super().__init__(function, *args)
        self.quit = _weak_quit(weakref.ref(self))

    def run(self) -> None:
        """Work, and tell nothing more once Qt has taken the signals away, as when napari ends.

        An exception that left here would end the process in the middle of what it writes.
        """
        try:
            super().run()
        except RuntimeError as gone:
            log.debug("nothing is left to be told of the end of the work: %s", gone)

    def work(self) -> Any:
        """Iterate to the end, or until it is asked to stop."""
        with closing(self._gen):
            result = super().work()
        return None if isinstance(result, RuntimeError) else result  # the signals are gone


def _weak_quit(reference: weakref.ref[ClosingWorker]) -> Callable[[], None]:
    def quit_if_alive() -> None:
        worker = reference()
        if worker is not None:
            GeneratorWorker.quit(worker)

    return quit_if_alive


class FailedError(Exception):
    """The work failed for a reason of the machine: no memory, or an error of a library."""


def reason(error: Exception) -> str:
    """Describe in one line why work failed or was refused, as a dock tells it."""
    return str(error) if isinstance(error, FailedError) else in_words(error)


def _steps(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Make an iterator's own RuntimeError known: a worker takes it for the end of itself."""

    @wraps(function)
    def steps(*args: Any) -> Iterator[Any]:
        try:
            yield from function(*args)
        except (RuntimeError, MemoryError) as error:
            raise FailedError(str(error) or "there is not enough memory") from error

    return steps


def once(function: Callable[..., Any], *args: Any) -> Iterator[Any]:
    """Call a function as a task of one step, its result."""
    yield function(*args)


class Task(QObject):
    """Runs one generator at a time in a thread of its own; nothing of it is left when it ends.

    Parameters
    ----------
    announced
        Whether napari is told, so that it asks before its window closes over the work. napari
        keeps a record of every announcement: what starts with every slice is not announced.

    Attributes
    ----------
    step
        Emitted with what the generator yields, until the task is cancelled.
    warned
        Emitted with the text of a warning that a user can act on.
    failed
        Emitted with the exception that ended the task.
    finished
        Emitted at the end, after all else, with whether the task was cancelled.
    """

    step = Signal(object)
    warned = Signal(str)
    failed = Signal(object)
    finished = Signal(bool)

    def __init__(self, *, announced: bool = True) -> None:
        super().__init__()
        self._announced = announced
        self._worker: ClosingWorker | None = None
        self._cancelled = False

    @property
    def is_running(self) -> bool:
        """Whether a generator runs whose end has not been told."""
        return self._worker is not None

    def start(self, function: Callable[..., Iterator[Any]], *args: Any) -> None:
        """Run a generator function.

        Raises
        ------
        RuntimeError
            If another one is running.
        """
        if self._worker is not None:
            raise RuntimeError("the task is running already")
        steps = _steps(function)
        worker: ClosingWorker
        if self._announced:
            worker = create_worker(
                steps,
                *args,
                _start_thread=False,
                _ignore_errors=True,
                _worker_class=ClosingWorker,
            )
        else:
            worker = ClosingWorker(steps, *args)
        self._worker, self._cancelled = worker, False
        worker.yielded.connect(self._on_yielded)
        worker.warned.connect(self._on_warned)
        worker.errored.connect(self._on_errored)
        worker.finished.connect(self._on_finished)
        pool = QThreadPool.globalInstance()
        if pool is not None and pool.maxThreadCount() < FEWEST_THREADS:
            pool.setMaxThreadCount(FEWEST_THREADS)  # long work of one dock would stop all others
        worker.start()

    def cancel(self) -> None:
        """Ask the generator to end where it next yields; what it yields from now is not told."""
        if self._worker is not None:
            self._cancelled = True
            self._worker.quit()

    def close(self) -> None:
        """Cancel, and tell nothing more, not even the end."""
        if self._worker is not None:
            self._worker.quit()
            self._worker = None

    def _is_current(self) -> bool:
        """Return whether the signal that is handled is the running worker's, not a closed one's."""
        return self._worker is not None and self.sender() is self._worker.signals

    def _on_yielded(self, step: Any) -> None:
        if self._is_current() and not self._cancelled:
            self.step.emit(step)

    def _on_warned(self, warning: tuple[Any, ...]) -> None:
        """Tell a warning of this package or a plain one; a worker hears those of all threads."""
        if not self._is_current():
            return
        message, category = warning[:2]
        if category is UserWarning or category.__module__.partition(".")[0] == PACKAGE:
            self.warned.emit(str(message))
        else:
            log.warning("%s: %s", category.__name__, message)

    def _on_errored(self, error: Exception) -> None:
        if self._is_current():
            self.failed.emit(error)

    def _on_finished(self) -> None:
        if self._is_current():
            self._worker = None
            self.finished.emit(self._cancelled)
