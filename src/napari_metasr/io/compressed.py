"""Compression on several cores, to one gzip member that every tool can read."""

from __future__ import annotations

import struct
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

__all__ = ["compress"]

CHUNK = 4 << 20
MOST_THREADS = 16
"""So that what waits for its turn takes a quarter of a GiB at most."""

LEVEL = 4
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Header of a member without name and time, so that equal contents give equal files."""


def compress(source: Path, target: Path, threads: int, *, plain: int = 0) -> Iterator[float]:
    """Compress a file, as pigz does: chunks apart, put together as one deflate stream.

    Parameters
    ----------
    source, target
        The file, and the ``.gz`` to write.
    threads
        How many chunks are compressed at a time, up to ``MOST_THREADS``.
    plain
        Bytes at the beginning that stay as they are, in front of the stream.

    Yields
    ------
    float
        The share that is done, up to 1.

    Raises
    ------
    OSError
        If the target cannot be written.
    """
    size, threads = source.stat().st_size, min(threads, MOST_THREADS)
    checksum, done = 0, min(plain, size)
    waiting: deque[tuple[Future[bytes], int]] = deque()
    try:
        with (
            source.open("rb") as file,
            target.open("wb") as out,
            ThreadPoolExecutor(threads) as pool,
        ):
            out.write(file.read(plain))
            out.write(HEADER)
            while done < size:
                while len(waiting) < 2 * threads and (chunk := file.read(CHUNK)):
                    checksum = zlib.crc32(chunk, checksum)
                    waiting.append((pool.submit(_deflate, chunk, file.tell() == size), len(chunk)))
                compressed, length = waiting.popleft()
                out.write(compressed.result())
                done += length
                yield done / size
            out.write(struct.pack("<II", checksum, (size - plain) & 0xFFFFFFFF))
    except OSError as error:  # writing does not say where
        raise OSError(error.errno, error.strerror, error.filename or str(target)) from error


def _deflate(chunk: bytes, is_last: bool) -> bytes:
    deflater = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(chunk) + deflater.flush(
        zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH
    )
