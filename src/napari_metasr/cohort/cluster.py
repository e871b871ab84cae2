"""Dask workers: processes of this machine, or of a cluster that is already running."""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
import warnings
from contextlib import ExitStack, contextmanager
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

_ADDRESS = re.compile(r"(\w+://)?(\[[^\]\s]+\]|[^\s/:\[\]]+):\d{1,5}")
_LOCAL = {
    "distributed.scheduler.worker-saturation": 1.0,  # a dying worker takes one volume along
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
_NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


def need_distributed() -> None:
    """Refuse to continue without Dask, and what keeps others from its workers.

    Raises
    ------
    ValueError
        If one is missing; the message says how to install it.
    """
    for package in ("distributed", "cryptography"):
        if find_spec(package) is None:
            raise ValueError(f"cohorts need {package}: pip install 'napari-metasr[cohort]'")


@contextmanager
def local_workers(count: int) -> Iterator[Client]:
    """Start worker processes on this machine, each for one volume at a time, and end them.

    A worker that dies is replaced. Interrupts from the terminal reach only this process. They
    listen on the loopback interface, and to those alone that hold a certificate which is made for
    this run and kept in memory: another user of the machine cannot have them run code.

    Raises
    ------
    OSError
        If they cannot be started.
    """
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set(_LOCAL), _interrupts_later(), ExitStack() as started:
        try:
            cluster = started.enter_context(
                LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    memory_limit=0,  # the work has its own bound, and maps files that do not count
                    dashboard_address=None,
                    scheduler_kwargs=_NO_DASHBOARD,
                    security=True,
                    silence_logs=logging.CRITICAL,  # what happens is told as events
                )
            )
            client = started.enter_context(Client(cluster, set_as_default=False))
        except RuntimeError as error:
            raise OSError(f"the workers could not be started: {in_words(error)}") from error
        with _interrupts_now():
            yield client


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Block interrupts, for good in the threads and processes that start meanwhile."""
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
    """Unblock interrupts."""
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
    """Note an interrupt, so that it can be asked for, in place of raising it at any point.

    A second one is raised, in case the first goes unnoticed.
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
    """Connect to a cluster that is already running, and leave it running.

    Raises
    ------
    OSError
        If no scheduler answers.
    ValueError
        If it is no address.
    """
    from distributed import Client

    if not _ADDRESS.fullmatch(scheduler):
        raise ValueError(f"expected an address like tcp://HOST:8786, found {scheduler!r}")
    try:
        client = Client(scheduler, timeout=CONNECTING, set_as_default=False)
    except OSError as error:
        raise OSError(f"{scheduler}: no Dask scheduler answers there") from error
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"expected an address like tcp://HOST:8786, found {scheduler!r}"
        ) from error
    with client:
        yield client


def check_workers(client: Client, *folders: Path) -> None:
    """Refuse workers with another version of the package, or without access to the files.

    Parameters
    ----------
    client
        Client of the cluster. Workers that join later are not checked.
    folders
        Folders of the input and the output.

    Raises
    ------
    ValueError
        If a worker lacks something; the message says which and what.

    Warns
    -----
    UserWarning
        If there are none yet, or some have several threads, which would wait for one another.
    """
    paths = [str(folder) for folder in folders]
    threads = client.nthreads()
    if not threads:
        warnings.warn("the cluster has no workers yet: the work waits for some", stacklevel=2)
        return
    for address, count in threads.items():
        if count > 1:
            warnings.warn(
                f"{address}: the worker has {count} threads but works on one volume at a time; "
                "start workers with one thread each",
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
