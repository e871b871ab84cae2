"""Files and folders that appear whole or not at all, and never in place of what was read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import uuid
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

HASHED_BYTES = 8 << 20
OTHERS = 0o077
"""Bits of a file's mode that say what others than its owner may do."""


def cache_folder() -> Path:
    """Return the folder of what can be fetched or computed again; it need not exist.

    The environment variable ``NAPARI_METASR_CACHE`` names it, or ``METASR_CACHE``, the name that
    training had for it; without them it is in the user's cache folder.
    """
    import pooch

    names = ("NAPARI_METASR_CACHE", "METASR_CACHE")
    told = next(filter(None, map(os.environ.get, names)), None)
    return Path(told or pooch.os_cache("napari-metasr"))


class InputReplacedError(ValueError):
    """An output would take the place of what it is made from."""


def numbered(path: Path, number: int, endings: Iterable[str]) -> Path:
    """Put a number before the ending of a file's name.

    Examples
    --------
    >>> numbered(Path("scan.nii.gz"), 2, [".nii.gz"])
    PosixPath('scan-2.nii.gz')
    """
    ending = max((len(one) for one in endings if path.name.lower().endswith(one)), default=0)
    stem = path.name[: len(path.name) - ending]
    return path.with_name(f"{stem}-{number}{path.name[len(stem) :]}")


def file_sha256(path: Path) -> str:
    """Return the hash of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASHED_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def read_json(path: Path) -> Any:
    """Read what a JSON file holds.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no JSON, or is nested too deeply, with its path.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, found something else ({error})") from None


def read_fields(path: Path) -> dict[str, Any]:
    """Return the fields of a JSON object; none if the file is missing or holds something else."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


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
            for file in (path, *_files_below(path)):
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


def _files_below(path: Path) -> Iterator[Path]:
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
        inputs.check_kept(path)


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
        for inputs in _kept.get():
            for temporary in written:
                inputs.keep_private(temporary)
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
