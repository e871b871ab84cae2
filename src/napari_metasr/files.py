"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HASHED_BYTES = 8 << 20


def file_sha256(path: Path) -> str:
    """The hash of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASHED_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_writable(path: Path, *, overwrite: bool = False) -> None:
    """Refuse an output before any work is done for it.

    Raises
    ------
    FileExistsError
        If the file exists and may not be overwritten.
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If it is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a file to write, found a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: the file exists; overwrite is needed to replace it")


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
    FileExistsError, FileNotFoundError, IsADirectoryError
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
    OSError
        If the folders cannot be made or renamed.
    """
    folder = folder.resolve()
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
