"""What the training commands share: durations, interrupts, warnings that are said once."""

from __future__ import annotations

import logging
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Annotated, TypeVar

import tyro

from napari_metasr.cli.repeated import check_values, gathered
from napari_metasr.devices import Device
from napari_metasr.upscaling.job import Job

DeviceOption = Annotated[Device, tyro.conf.arg(help=Job.model_fields["device"].description)]
"""Where networks run; every command's default is ``auto``."""

Result = TypeVar("Result")


def call(
    function: Callable[..., Result], program: str, arguments: Sequence[str] | None = None
) -> Result:
    """Call a function with the arguments of a command line; by default those of the process.

    Raises
    ------
    ValueError
        If an option with several values has none.
    """
    words = gathered(sys.argv[1:] if arguments is None else arguments, function)
    check_values(words, function)
    return tyro.cli(function, prog=program, args=words)


def call_one_of(
    functions: Mapping[str, Callable[..., None]],
    program: str,
    description: str,
    arguments: Sequence[str] | None = None,
) -> None:
    """Call the function that the first argument names with the others, as ``call``.

    Raises
    ------
    ValueError
        As ``call``.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in functions:
        words[1:] = gathered(words[1:], functions[words[0]])
        check_values(words[1:], functions[words[0]])
    tyro.extras.subcommand_cli_from_dict(
        dict(functions), prog=program, description=description, args=words
    )


class _Once(logging.Filter):
    """Lets a warning through once."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        new = record.levelno < logging.WARNING or message not in self.said
        self.said.add(message)
        return new


@contextmanager
def warnings_once() -> Iterator[None]:
    """Say each warning once, however often the data is looked at."""
    filters = [(handler, _Once()) for handler in logging.getLogger().handlers]
    for handler, once in filters:
        handler.addFilter(once)
    try:
        yield
    finally:
        for handler, once in filters:
            handler.removeFilter(once)


UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds(duration: str) -> float:
    """Convert a duration such as ``2h``, ``90m``, ``1.5h`` or ``7200`` to seconds.

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
    """Yield an event that Ctrl-C or a termination signal sets; a second signal ends the process."""
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
