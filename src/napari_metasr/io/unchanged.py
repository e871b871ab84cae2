"""Whether files are as they were when reading them began."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["check_unchanged", "stamps_of", "unchanged"]


def stamps_of(files: Iterable[Path]) -> tuple[tuple[int, int], ...]:
    """Return bytes and time of change (ns) of each file; (-1, -1) of one that is gone."""
    found = []
    for path in files:
        try:
            status = path.stat()
        except OSError:
            found.append((-1, -1))
        else:
            found.append((status.st_size, status.st_mtime_ns))
    return tuple(found)


def check_unchanged(path: Path, files: Sequence[Path], stamps: Sequence[tuple[int, int]]) -> None:
    """Refuse an input whose files have changed.

    Parameters
    ----------
    path
        What the message calls it.
    files, stamps
        Its files, and what `stamps_of` said of them before.

    Raises
    ------
    ValueError
        If one is another one, or gone.
    """
    now = stamps_of(files)
    if now != tuple(stamps):
        gone = any(was != (-1, -1) == one for was, one in zip(stamps, now, strict=True))
        done = "vanished" if gone else "changed"
        raise ValueError(f"{path}: the input {done} while it was being read")


@contextmanager
def unchanged(path: Path, files: Sequence[Path]) -> Iterator[None]:
    """Read files that must stay as they are meanwhile; other errors of ones that do not are theirs.

    Raises
    ------
    ValueError
        As `check_unchanged`.
    """
    stamps = stamps_of(files)
    try:
        yield
    except (OSError, ValueError):
        check_unchanged(path, files, stamps)
        raise
    check_unchanged(path, files, stamps)
