"""What the training commands share: durations, and how they are interrupted."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds(duration: str) -> float:
    """A duration such as ``2h``, ``90m``, ``1.5h``, ``7200`` in seconds.

    Raises
    ------
    ValueError
        If it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", duration.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"expected a duration such as 2h, 90m or 7200, found {duration!r}")
    return float(match[1]) * UNITS[match[2]]


@contextmanager
def interruptible() -> Iterator[Event]:
    """An event that Ctrl-C or a termination signal sets; a second one ends the process."""
    asked = Event()

    def ask(number: int, frame: object) -> None:
        asked.set()
        for one, handler in before.items():
            signal.signal(one, handler)

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
