"""Run many jobs on the workers of a Dask cluster."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from napari_metasr.cohort.work_item import Outcome, State, StoppedError, carry_out
from napari_metasr.errors import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from distributed import Client, Future

    from napari_metasr.cohort.items import Item

TELLING = 1.0
"""Seconds between two progress reports on the same volume."""

WAKING = 0.5
"""Seconds within which an interrupt is noticed on every system."""


@dataclass(frozen=True)
class Started:
    """A worker begins a volume, perhaps after another worker died on it."""

    name: str
    worker: str
    process: int


@dataclass(frozen=True)
class Advanced:
    """A share of a volume is done, 0 to 1."""

    name: str
    share: float


@dataclass(frozen=True)
class Ended:
    """The work on a volume is over."""

    name: str
    outcome: Outcome


Event = Started | Advanced | Ended


def work_through(
    client: Client, items: Iterable[Item], interrupted: Callable[[], bool] = lambda: False
) -> Iterator[Event]:
    """Do all items, in any order.

    Parameters
    ----------
    client
        Client of the cluster.
    items
        Items with different names.
    interrupted
        Whether to stop; asked at least every half second.

    Yields
    ------
    Event
        In the order of events; `Ended` once for each item. Closing the generator stops the work;
        unfinished work stays beside its output.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted.
    """
    topic = f"napari-metasr-{uuid4().hex}"
    events: SimpleQueue[Started | Advanced | tuple[str, Future]] = SimpleQueue()
    client.subscribe_topic(topic, lambda event: events.put(_event_of(event[1])))
    tasks = _tasks_at_a_time(client)
    futures: dict[str, Future] = {}
    try:
        for item in items:
            key = f"upscale-{uuid4().hex}"  # one group, so that the scheduler keeps the queue
            future = client.submit(_on_worker, item, topic, tasks, key=key)
            future.add_done_callback(lambda done, name=item.name: events.put((name, done)))
            futures[item.name] = future
        while futures:
            if interrupted():
                raise KeyboardInterrupt
            try:
                event = events.get(timeout=WAKING)
            except Empty:
                continue
            if isinstance(event, tuple):
                name, future = event
                del futures[name]
                yield Ended(name, _outcome_of(future))
            elif event.name in futures:
                yield event
    finally:
        client.cancel(list(futures.values()))
        client.unsubscribe_topic(topic)


def _event_of(told: Mapping[str, Any]) -> Started | Advanced:
    return Advanced(**told) if "share" in told else Started(**told)


def _outcome_of(future: Future) -> Outcome:
    from distributed import KilledWorker

    if future.status == "finished":
        outcome: Outcome | None = future.result()
        return outcome or Outcome(State.FAILED, "it was stopped")
    if future.status != "error":
        return Outcome(State.FAILED, "the scheduler was lost")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return Outcome(
            State.FAILED, f"{error.allowed_failures + 1} workers died while they worked on it"
        )
    return Outcome(State.FAILED, in_words(error))


def _tasks_at_a_time(client: Client) -> dict[str, int]:
    """Count the volumes that each host works on at a time: one for each process."""
    from distributed.comm.addressing import get_address_host

    return Counter(map(get_address_host, client.nthreads()))


def _on_worker(item: Item, topic: str, tasks: dict[str, int]) -> Outcome | None:
    """Carry out a job in a worker's process, and report progress to the client."""
    from distributed import get_worker
    from distributed.comm.addressing import get_address_host

    worker = get_worker()
    key = worker.get_current_task()
    share_cores(tasks.get(get_address_host(worker.address), 1))
    worker.log_event(topic, {"name": item.name, "worker": worker.address, "process": os.getpid()})
    told = time.monotonic()

    def tell(share: float) -> None:
        nonlocal told
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":
            raise StoppedError
        if time.monotonic() - told > TELLING:
            told = time.monotonic()
            worker.log_event(topic, {"name": item.name, "share": share})

    try:
        return carry_out(item.job, tell, place=item.place)
    except StoppedError:
        return None


def share_cores(tasks: int) -> None:
    """Limit the networks of this process to its share of the cores.

    Parameters
    ----------
    tasks
        Number of volumes that the machine works on at a time.
    """
    import numba
    import torch
    from dask.system import CPU_COUNT

    threads = max(CPU_COUNT // tasks, 1)
    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads, most))
    torch.set_num_threads(threads)  # after numba, which changes it
