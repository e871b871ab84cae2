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
from napari_metasr.plurals import in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


MOST_LETTERS = 40
"""Of the name of a file that are in that of its temporary one; names have up to 255 bytes, and
letters up to 4."""


class KeptFileError(FileExistsError):
    """A file or folder is there already, and overwriting was not asked for."""


def check_writable(path: Path, *, overwrite: bool = False) -> None:
    """Refuse an output before any work is done for it.

    Raises
    ------
    InputReplacedError
        If it would replace an input of what is going on; see `keeping`.
    KeptFileError
        If the file exists and may not be overwritten.
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If it is a folder.
    PermissionError
        If nothing can be written in its folder.
    ValueError
        If its name is no text, which records beside it could not hold.
    """
    check_all_kept(path)
    try:
        path.name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{path}: expected a name in UTF-8 to write, found another") from None
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected a file to write, found a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist")
    _check_absent(path, overwrite=overwrite)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path}: nothing can be written in the folder {path.parent}")


def _check_absent(path: Path, *, overwrite: bool) -> None:
    if os.path.lexists(path) and not overwrite:  # a link that leads nowhere as well
        raise KeptFileError(f"{path}: the file exists, and is kept unless overwriting is asked for")


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
            f"expected {in_bytes(size)} of room on the disk, found {in_bytes(free)}",
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
    written, before = (tuple(map(_temporary, paths)) for _ in range(2))
    try:
        with _naming_targets(dict(zip(map(str, written), paths, strict=True))):
            yield written
            for temporary in written:
                keep_private(temporary)
            if not scratch:
                for temporary in written:
                    put_on_disk(temporary)
            put = Path.replace if scratch else rename
            _put_in_place(paths, written, before, put if overwrite else claim)
    finally:
        for temporary in (*written, *before):
            with suppress(OSError):  # such as of a disk that has become read-only
                temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """Return a path beside another one, with the end of its name, which may be long."""
    return path.with_name(f".{uuid.uuid4().hex}.{path.name[-MOST_LETTERS:]}")


@contextmanager
def _naming_targets(targets: Mapping[str, Path]) -> Iterator[None]:
    """Name the files to be made, in place of temporary ones, in the system's errors."""
    try:
        yield
    except OSError as error:
        if error.errno is None or str(error.filename) not in targets:
            raise
        target = str(targets[str(error.filename)])
        raise OSError(error.errno, error.strerror, target) from error


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
            if put is not claim and path is not paths[-1] and path.exists():
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
    _put_names_on_disk(target.parent)


def _put_names_on_disk(folder: Path) -> None:
    with suppress(OSError):  # Windows opens no folders, and some file systems sync none
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def append_line(path: Path, line: str) -> int:
    """Append a line and wait until it is on the disk; what fails leaves the file as it was.

    Returns
    -------
    int
        The file's size after it, in bytes.

    Raises
    ------
    OSError
        If it cannot be written, with the path.
    """
    content, is_new = f"{line}\n".encode(), not path.exists()
    with naming(path), path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            if file.write(content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            if is_new:
                path.unlink()
            raise
    return size + len(content)


@contextmanager
def making_folders(folders: Iterable[Path]) -> Iterator[None]:
    """Make folders and those above them; those that were made and stay empty go in the end.

    Raises
    ------
    OSError
        If one cannot be made.
    """
    made: list[Path] = []
    try:
        for folder in folders:
            made += [one for one in (folder, *folder.parents) if not one.exists()]
            folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for folder in sorted(set(made), key=lambda one: len(one.parts), reverse=True):
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def claim(path: Path, target: Path) -> None:
    """Give a file a name that no other file has, even if another process takes it meanwhile.

    Raises
    ------
    FileExistsError
        If the name is taken.
    OSError
        If it cannot be renamed.
    """
    try:
        os.link(path, target)
    except FileExistsError:
        _check_absent(target, overwrite=False)
        raise
    except OSError:  # a file system without hard links
        _check_absent(target, overwrite=False)
        rename(path, target)
    else:
        path.unlink()
        _put_names_on_disk(target.parent)


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
def naming_within(new: Path, folder: Path) -> Iterator[None]:
    """Name files of a folder to be made, in place of those of a temporary one, in errors."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        name = str(error.filename2 or error.filename or new)  # the second is what is written
        if not name.startswith(str(new)):
            raise
        name = f"{folder}{name.removeprefix(str(new))}"
        raise OSError(error.errno, error.strerror, name) from error


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
    new, old = (_temporary(folder) for _ in range(2))
    try:
        with naming_within(new, folder):
            new.mkdir()
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
