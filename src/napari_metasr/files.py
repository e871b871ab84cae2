"""Files and folders that appear whole or not at all, and never in place of what was read."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HASHED_BYTES = 8 << 20

_kept: ContextVar[tuple[Callable[[], Iterable[Path]], ...]] = ContextVar("_kept", default=())
"""What gives the files that nothing may take the place of."""


class InputReplacedError(ValueError):
    """An output would take the place of what it is made from."""


def file_sha256(path: Path) -> str:
    """Return the hash of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASHED_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def keeping(inputs: Callable[[], Iterable[Path]]) -> Iterator[None]:
    """Let no file that is written meanwhile, by any function here, replace one of the inputs.

    Parameters
    ----------
    inputs
        Gives files and folders; a folder stands for every file in it. It is called only when an
        existing file is about to be replaced.
    """
    token = _kept.set((*_kept.get(), inputs))
    try:
        yield
    finally:
        _kept.reset(token)


def check_kept(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that is one of the inputs, by whatever name, link or way it is reached.

    Parameters
    ----------
    output
        A file or folder to be written.
    inputs
        Files and folders; a folder stands for every file in it. Those that are missing are
        passed over.

    Raises
    ------
    InputReplacedError
        If it is.
    """
    if not os.path.lexists(output):
        return
    written = output.resolve()
    for path in inputs:
        if path.resolve() == written or any(
            _is_same_file(output, file) for file in _files_below(path)
        ):
            raise InputReplacedError(f"{output}: the output would replace the input {path}")


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is a broken link, or may not be looked at
        return False


def _files_below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
    for parent, _, names in os.walk(path):
        yield from (Path(parent, name) for name in names)


def check_writable(path: Path, *, overwrite: bool = False) -> None:
    """Refuse an output before any work is done for it.

    Raises
    ------
    InputReplacedError
        If it would replace an input of what is going on; see `keeping`.
    FileExistsError
        If the file exists and may not be overwritten.
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If it is a folder.
    """
    _check_all_kept(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a file to write, found a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: the file exists; overwrite is needed to replace it")


def _check_all_kept(path: Path) -> None:
    for inputs in _kept.get():
        check_kept(path, inputs())


def allocate(path: Path, size: int) -> None:
    """Make a file of zeros whose room on the disk is certain.

    Raises
    ------
    OSError
        If there is not so much room, or a file may not be so large.
    """
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise OSError(
            errno.ENOSPC,
            f"expected {size / 2**30:.2f} GiB of room on the disk, found {free / 2**30:.2f}",
            str(path),
        )
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(size)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to, which takes its place at the end.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`.
    """
    check_writable(path, overwrite=overwrite)
    temporary = path.with_name(f".{uuid.uuid4().hex}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Give a new folder beside ``folder``, which takes its place at the end, or goes.

    What was there before stays until then, and comes back if the new one cannot take its place.

    Raises
    ------
    InputReplacedError
        If it holds an input of what is going on; see `keeping`.
    OSError
        If the folders cannot be made or renamed.
    """
    folder = folder.resolve()
    for file in _files_below(folder):  # all of them go
        _check_all_kept(file)
    new, old = (folder.with_name(f".{uuid.uuid4().hex}.{folder.name}") for _ in range(2))
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
