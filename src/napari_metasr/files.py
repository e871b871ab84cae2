"""Files that appear whole or not at all."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
