"""A lock on a file that the operating system lets go of, however the program ends."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """Holds a file locked until `release`.

    The file itself stays behind, empty: removing it would let two programs hold two files of
    one name.

    Parameters
    ----------
    path
        Made if it is not there.
    message
        What to say if somebody else holds it.

    Raises
    ------
    BlockingIOError
        If somebody else holds it, in this program or another.
    """

    def __init__(self, path: Path, message: str) -> None:
        self._file: IO[bytes] | None = path.open("ab")
        try:
            _lock(self._file)
        except (BlockingIOError, PermissionError):
            self.release()
            raise BlockingIOError(message) from None
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let go of the file; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
