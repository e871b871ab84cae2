"""What a command does when nothing reads its output any more, as after ``| head``: it ends."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO

from napari_metasr.cli.exit_codes import READER_GONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")


class _Output:
    """A stream that ends the process, and not with an error, when its reader has gone."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.is_read = stream, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        with self._ending():
            return self.stream.write(text)

    def flush(self) -> None:
        with self._ending():
            self.stream.flush()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.is_read = False
            raise SystemExit(READER_GONE) from None


def ending_with_its_reader(main: Callable[P, int]) -> Callable[P, int]:
    """Decorate the function of a command: it ends in silence when its reader has gone.

    Its exit code is then that of a process that has been ended by the signal of a pipe.
    """

    @wraps(main)
    def run(*args: P.args, **kwargs: P.kwargs) -> int:
        output = _Output(sys.stdout)
        sys.stdout = output
        try:
            code = main(*args, **kwargs)
        finally:
            sys.stdout = output.stream
            with suppress(SystemExit):
                output.flush()
            if not output.is_read:
                _write_nowhere(output.stream)
        return code if output.is_read else READER_GONE

    return run


def _write_nowhere(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere, or Python says at its end that it cannot write."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
