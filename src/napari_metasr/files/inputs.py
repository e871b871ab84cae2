"""Inputs that no output may take the place of."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

OTHERS = 0o077
"""Bits of a file's mode that say what others than its owner may do."""


class InputReplacedError(ValueError):
    """An output would take the place of what it is made from."""


class Inputs:
    """Files that nothing may take the place of; they are listed when that is first asked.

    Parameters
    ----------
    listed
        Gives files and folders; a folder stands for every file in it. What is missing is passed
        over.
    """

    def __init__(self, listed: Callable[[], Iterable[Path]]) -> None:
        self._listed = listed

    def check_kept(self, output: Path) -> None:
        """Refuse an output that is one of the inputs, by whatever name, link or way.

        Parameters
        ----------
        output
            A file or folder to be written.

        Raises
        ------
        InputReplacedError
            If it is.
        """
        status = _status(output)
        if status is None:
            return
        found = self._found.get((status.st_dev, status.st_ino))
        if found is not None:
            raise InputReplacedError(f"{output}: the output would replace the input {found[0]}")

    def keep_private(self, path: Path) -> None:
        """Let a new file be used by none who may not use all inputs in the same way."""
        mode = path.stat().st_mode
        private = mode & self._mode
        if private != mode:
            path.chmod(stat.S_IMODE(private))

    @cached_property
    def _found(self) -> dict[tuple[int, int], tuple[Path, int]]:
        """What is listed, and its mode, by the identity of each file."""
        found = {}
        for path in self._listed():
            for file in (path, *files_below(path)):
                status = _status(file)
                if status is not None:
                    found[status.st_dev, status.st_ino] = path, status.st_mode
        return found

    @cached_property
    def _mode(self) -> int:
        """What a new file may have of a mode: all that its owner may do, and all inputs allow."""
        modes = (mode for _, mode in self._found.values() if stat.S_ISREG(mode))
        return reduce(and_, modes, -1) | ~OTHERS


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:  # missing, a broken link, or not to be looked at
        return None


def files_below(path: Path) -> Iterator[Path]:
    """List the files in a folder and its folders."""
    for parent, _, names in os.walk(path):
        yield from (Path(parent, name) for name in names)


_kept: ContextVar[tuple[Inputs, ...]] = ContextVar("_kept", default=())
"""What nothing that is written now may take the place of."""


@contextmanager
def keeping(listed: Callable[[], Iterable[Path]]) -> Iterator[None]:
    """Let no file that is written meanwhile, by any function here, replace one of the inputs.

    Parameters
    ----------
    listed
        As `Inputs`.
    """
    token = _kept.set((*_kept.get(), Inputs(listed)))
    try:
        yield
    finally:
        _kept.reset(token)


def check_kept(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of these inputs; see `Inputs.check_kept`.

    Raises
    ------
    InputReplacedError
        If it is.
    """
    Inputs(lambda: inputs).check_kept(output)


def check_all_kept(path: Path) -> None:
    """Refuse an output that is one of the inputs of what is going on; see `keeping`.

    Raises
    ------
    InputReplacedError
        If it is.
    """
    for inputs in _kept.get():
        inputs.check_kept(path)


def keep_private(path: Path) -> None:
    """Let a new file be used by none who may not use all inputs of what is going on."""
    for inputs in _kept.get():
        inputs.keep_private(path)
