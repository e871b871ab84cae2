"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr.files.inputs import check_all_kept, files_below, keep_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


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
    check_all_kept(path)
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
def replacing(path: Path, *, overwrite: bool = False, scratch: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to, which takes its place at the end.

    Parameters
    ----------
    path
        The file to write.
    overwrite
        Replace an existing file.
    scratch
        Do not wait until it is on the disk: what a power cut takes from it is made again.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`.
    """
    with replacing_all([path], overwrite=overwrite, scratch=scratch) as (temporary,), naming(path):
        yield temporary


@contextmanager
def replacing_all(
    paths: Sequence[Path], *, overwrite: bool = False, scratch: bool = False
) -> Iterator[tuple[Path, ...]]:
    """Give a temporary path beside each path; all take their places at the end, or none does.

    They do so in the order given. Where one cannot, those before it go again and what was there
    before comes back. If the process is killed or the power fails in between, the first of the
    new files may lie beside the last of the old ones, each whole.

    Parameters
    ----------
    paths
        The files to write.
    overwrite, scratch
        As for `replacing`.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`, of any of the paths.
    """
    for path in paths:
        check_writable(path, overwrite=overwrite)
    written = tuple(path.with_name(f".{uuid.uuid4().hex}.{path.name}") for path in paths)
    before = tuple(path.with_name(f".{uuid.uuid4().hex}.{path.name}") for path in paths)
    try:
        yield written
        for temporary in written:
            keep_private(temporary)
        if not scratch:
            for temporary in written:
                put_on_disk(temporary)
        put = Path.replace if scratch else rename
        _put_in_place(paths, written, before, put)
    finally:
        for temporary in (*written, *before):
            temporary.unlink(missing_ok=True)


def _put_in_place(
    paths: Sequence[Path],
    written: Sequence[Path],
    before: Sequence[Path],
    put: Callable[[Path, Path], object],
) -> None:
    """Rename the written files by ``put``; where one cannot be, undo those before it."""
    done: list[tuple[Path, Path]] = []
    try:
        for path, temporary, old in zip(paths, written, before, strict=True):
            if path is not paths[-1] and path.exists():
                shutil.copy2(path, old)
            put(temporary, path)
            done.append((path, old))
    except OSError:
        for path, old in reversed(done):
            if old.exists():
                old.replace(path)
            else:
                path.unlink()
        raise


def put_on_disk(path: Path) -> None:
    """Wait until the content of a file is on the disk, so that a power cut leaves it whole.

    Raises
    ------
    OSError
        If it cannot be written there.
    """
    with naming(path), path.open("rb+") as file:
        os.fsync(file.fileno())


def rename(path: Path, target: Path) -> None:
    """Rename a file in place of another one, and put the new name on the disk where that can be.

    Raises
    ------
    OSError
        If it cannot be renamed.
    """
    path.replace(target)
    with suppress(OSError):  # Windows opens no folders, and some file systems sync none
        number = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name a file in the system's errors that name none, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


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
    for file in files_below(folder):  # all of them go
        check_all_kept(file)
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
