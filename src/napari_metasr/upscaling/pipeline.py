"""Read, compute and write at the same time, in order."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

Item = TypeVar("Item")


def pipelined(
    items: Sequence[Item],
    read: Callable[[Item], Any],
    compute: Callable[[Item, Any], Any],
    write: Callable[[Item, Any], None],
    seconds: dict[str, float],
) -> Iterator[tuple[Item, Any]]:
    """Compute all items, while the next one is read and the last one written.

    Parameters
    ----------
    items
        Items, in order.
    read, write
        Run in threads of their own, one call of each at a time.
    compute
        Runs in the caller's thread.
    seconds
        Accumulates the time spent ``computing``, and ``waiting`` for reading and writing.

    Yields
    ------
    item, result
        Each item with its result, once that is written.
    """
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        upcoming: Future[Any] | None = reader.submit(read, items[0]) if items else None
        last: tuple[Item, Any, Future[None]] | None = None
        for number, item in enumerate(items):
            started = time.perf_counter()
            block = upcoming.result() if upcoming is not None else None
            following = items[number + 1 : number + 2]
            upcoming = reader.submit(read, following[0]) if following else None
            read_at = time.perf_counter()
            result = compute(item, block)
            computed_at = time.perf_counter()
            if last is not None:
                last[2].result()
                yield last[:2]
            last = item, result, writer.submit(write, item, result)
            seconds["computing"] += computed_at - read_at
            seconds["waiting"] += read_at - started
        if last is not None:
            started = time.perf_counter()
            last[2].result()
            seconds["waiting"] += time.perf_counter() - started
            yield last[:2]
