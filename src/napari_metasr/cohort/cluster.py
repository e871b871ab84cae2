"""Workers: processes of this machine, or of a Dask cluster that runs already."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing.resource_tracker import ensure_running
from typing import TYPE_CHECKING

from napari_metasr import __version__
from napari_metasr.errors import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from distributed import Client

CONNECTING = 15
"""Seconds within which a scheduler must answer."""

_LOCAL = {
    "distributed.scheduler.worker-saturation": 1.0,  # a dying worker takes no second volume along
}


def need_distributed() -> None:
    """Refuse to go on without Dask.

    Raises
    ------
    ValueError
        That it is missing, and how to get it.
    """
    if find_spec("distributed") is None:
        raise ValueError("cohorts need distributed: pip install 'napari-metasr[cohort]'")


@contextmanager
def local_workers(count: int) -> Iterator[Client]:
    """Start worker processes on this machine, one volume a time each, and end them.

    One that dies is replaced. Interrupts of the terminal reach this process alone.
    """
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(_LOCAL),
        _interrupts_later(),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            memory_limit=0,  # the work has its own bound, and maps files that do not count
            dashboard_address=None,
            silence_logs=logging.CRITICAL,  # what happens is told as events
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
        _interrupts_now(),
    ):
        yield client


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Keep interrupts waiting, also for good in the threads and processes that start here."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # where it starts, it lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupts_now() -> Iterator[None]:
    """Let interrupts through again."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def interrupts_noticed() -> Iterator[Callable[[], bool]]:
    """Tell whether an interrupt has come, in place of raising it wherever this process is.

    A second one is raised, should nobody ask any more.
    """
    noticed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield noticed.is_set
        return

    def notice(*_: object) -> None:
        if noticed.is_set():
            raise KeyboardInterrupt
        noticed.set()

    before = signal.signal(signal.SIGINT, notice)
    try:
        yield noticed.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def workers_of(scheduler: str) -> Iterator[Client]:
    """Use the workers of a cluster that runs already, and leave it running.

    Raises
    ------
    OSError
        If no scheduler answers.
    ValueError
        If that is no address.
    """
    from distributed import Client

    try:
        client = Client(scheduler, timeout=CONNECTING, set_as_default=False)
    except OSError as error:
        raise OSError(f"{scheduler}: expected a Dask scheduler, found none that answers") from error
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"expected an address like tcp://HOST:8786, found {scheduler!r}"
        ) from error
    with client:
        yield client


def check_workers(client: Client, *folders: Path) -> None:
    """Refuse workers that lack this very package, or do not see the files.

    Parameters
    ----------
    client
        Of the cluster. Workers that come later are not asked.
    folders
        Of the input and the output.

    Raises
    ------
    ValueError
        Which worker lacks what.

    Warns
    -----
    UserWarning
        If there are none yet, or some have threads that will wait for one another.
    """
    paths = [str(folder) for folder in folders]
    threads = client.nthreads()
    if not threads:
        warnings.warn("expected workers, found none yet: the work waits for some", stacklevel=2)
        return
    for address, count in threads.items():
        if count > 1:
            warnings.warn(
                f"{address}: expected a worker with one thread, found {count}; it works on one "
                "volume at a time all the same",
                stacklevel=2,
            )
    for address, found in client.run(_seen, paths, on_error="return").items():
        if isinstance(found, BaseException):
            raise ValueError(
                f"{address}: expected a worker with napari-metasr {__version__}, found "
                f"{in_words(found)}"
            )
        version, missing = found
        if version != __version__:
            raise ValueError(
                f"{address}: expected a worker with napari-metasr {__version__}, found {version}"
            )
        if missing:
            raise ValueError(
                f"{address}: expected a worker that sees the folder {missing[0]}, found one that "
                "does not"
            )


def _seen(folders: list[str]) -> tuple[str, list[str]]:
    return __version__, [folder for folder in folders if not os.path.isdir(folder)]  # noqa: PTH112
