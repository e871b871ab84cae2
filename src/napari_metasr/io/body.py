"""Where the voxels of a volume's file are, and how they become plain numbers again."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from nibabel.spatialimages import HeaderDataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["UNREADABLE", "Body", "Encoding", "cause", "read_to_end", "unpacked"]

UNREADABLE = (HeaderDataError, OSError, EOFError, OverflowError, zlib.error, ValueError)
"""What reading a damaged file may raise."""

PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
"""How what begins with two bytes is unpacked."""

ZSTANDARD = b"\x28\xb5\x2f\xfd"

REST_BYTES = 32 << 20
MOST_REST_BYTES = 1 << 30
"""Read at a time, and in total, of what is behind the voxels."""

DEFLATE_RATIO = 1032
"""No deflate stream unpacks to more than so many times its size (zlib's technical notes)."""

TEXT_BYTES = 2
"""The shortest number of a text: a digit and what parts it from the next one."""

LONGEST_NUMBER = 400
"""Characters of a text without a blank that may still be a number."""

ANY_DEFLATE = 47
"""zlib's code for streams with a header of zlib or gzip."""


class Encoding(Enum):
    """How numbers are stored."""

    WHOLE_FILE = auto()
    """As they are, in a file that may be compressed as a whole."""
    RAW = auto()
    DEFLATE = auto()
    BZIP2 = auto()
    TEXT = auto()


@dataclass(frozen=True)
class Body:
    """The voxels of a file, the first axis running fastest.

    Attributes
    ----------
    path
        The file.
    offset
        Bytes before the voxels: of what the file holds unpacked if it is packed as a whole, and
        of the file itself otherwise.
    encoding
        How the numbers are stored.
    dtype
        Of the numbers.
    skipped
        Bytes of the unpacked numbers before the voxels.
    """

    path: Path
    offset: int
    encoding: Encoding
    dtype: np.dtype[Any]
    skipped: int = 0

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open the numbers as plain bytes, at the first voxel.

        Raises
        ------
        OSError, EOFError, zlib.error, ValueError
            While it is read, if it is damaged.
        """
        with ExitStack() as stack:
            if self.encoding is Encoding.WHOLE_FILE:
                stream = stack.enter_context(unpacked(self.path))
                stream.seek(self.offset)
            else:
                file = stack.enter_context(self.path.open("rb"))
                file.seek(self.offset)
                stream = self._plain(file)
            _skip(stream, self.skipped)
            yield stream

    def _plain(self, file: BinaryIO) -> BinaryIO:
        if self.encoding is Encoding.DEFLATE:
            return cast("BinaryIO", io.BufferedReader(_Inflated(file)))
        if self.encoding is Encoding.BZIP2:
            return cast("BinaryIO", bz2.BZ2File(file))
        if self.encoding is Encoding.TEXT:
            return cast("BinaryIO", io.BufferedReader(_Parsed(file, self.dtype)))
        return file

    def check_room(self, path: Path, kind: str, count: int) -> None:
        """Refuse more voxels than the file can hold, before there is memory for them.

        Parameters
        ----------
        path, kind
            The file that was opened and its format, for the message.
        count
            Voxels.

        Raises
        ------
        ValueError
            If it cannot hold so many.
        """
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            start = file.read(2)
        whole = self.encoding is Encoding.WHOLE_FILE
        packed = self.encoding is Encoding.DEFLATE or (whole and start in PACKED)
        if self.encoding is Encoding.BZIP2 or (whole and start == b"BZ"):
            return  # repetitions shrink without a limit that would help
        if self.encoding is Encoding.TEXT:
            wanted = self.offset + TEXT_BYTES * count - 1
        else:
            wanted = self.offset + self.skipped + count * self.dtype.itemsize
        if wanted > size * (DEFLATE_RATIO if packed else 1):
            raise ValueError(
                f"{path}: expected a whole {kind} file, found a truncated or damaged one: its "
                f"header describes {wanted:,} bytes, which {size:,}"
                f"{' compressed' if packed else ''} bytes cannot hold"
            )


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read what it holds: unpacked if it is compressed, whatever its name says.

    Raises
    ------
    ValueError
        It is compressed in a way that is not read here.
    """
    with path.open("rb") as file:
        start = file.read(len(ZSTANDARD))
    if start == ZSTANDARD:
        raise ValueError(f"{path}: expected a file that gzip can unpack, found Zstandard")
    opener = PACKED.get(start[:2])
    with cast("BinaryIO", opener(path) if opener else path.open("rb")) as stream:
        yield stream


def read_to_end(stream: BinaryIO) -> None:
    """Read what is left: a compressed file's checksum is at its end.

    Raises
    ------
    ValueError
        If that is far more than belongs behind voxels.
    """
    _skip(stream, MOST_REST_BYTES)
    if stream.read(1):
        raise ValueError(f"found more than {MOST_REST_BYTES >> 30} GiB behind the voxels")


def cause(error: BaseException) -> str:
    """Describe what was found instead of an intact file."""
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return "found a truncated or damaged one"
    return "found a damaged header or body (" + " ".join(str(error).split()) + ")"


def _skip(stream: BinaryIO, count: int) -> None:
    """Read on over some bytes, or to the end."""
    while count > 0 and (content := stream.read(min(count, REST_BYTES))):
        count -= len(content)


class _Inflated(io.RawIOBase):
    """The content of a stream of zlib or gzip that begins where a file is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._inflate, self._left = file, zlib.decompressobj(ANY_DEFLATE), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._inflate.eof:
            content = self._left or self._file.read(len(buffer))
            found = self._inflate.decompress(content, len(buffer))
            self._left = self._inflate.unconsumed_tail
            if found:
                buffer[: len(found)] = found
                return len(found)
            if not content:
                raise EOFError
        return 0


class _Parsed(io.RawIOBase):
    """Numbers that stand in a text, as bytes of their type."""

    def __init__(self, file: BinaryIO, dtype: np.dtype[Any]) -> None:
        self._file, self._dtype, self._rest = file, dtype, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        step = max(len(buffer) // self._dtype.itemsize, 1)
        while True:
            content = self._file.read(step)
            text = self._rest + content
            words = text.split()
            self._rest = b""
            if content and words and not text[-1:].isspace():
                self._rest = words.pop()  # it may go on
                if len(self._rest) > LONGEST_NUMBER:
                    raise ValueError("found no numbers")
            if words:
                found = np.array([word.decode() for word in words]).astype(self._dtype).tobytes()
                buffer[: len(found)] = found
                return len(found)
            if not content:
                return 0
