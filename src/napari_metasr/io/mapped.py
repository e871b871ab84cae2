"""Arrays in uncompressed files, read and written a part at a time in bounded memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Place = tuple[slice, ...]

__all__ = ["MappedArray"]

DIGEST_BYTES = 16
MAPPED_BYTES = 32 << 20
"""No more of a file than this, or one layer if that is larger, is mapped at a time."""


@dataclass(frozen=True)
class MappedArray:
    """A (t, z, y, x) array in a file, in C order.

    Attributes
    ----------
    path
        The file.
    shape
        Four numbers.
    dtype
        Of the numbers.
    offset
        Bytes of the file before the array.
    """

    path: Path
    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    offset: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the file up to the array's end."""
        return self.offset + int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    @property
    def ndim(self) -> int:
        """Four."""
        return len(self.shape)

    def __getitem__(self, place: tuple[int | slice, ...]) -> NDArray[Any]:
        """Read single places and slices without steps, as of an array in memory."""
        parts = tuple(
            slice(part, part + 1) if isinstance(part, int) else slice(*part.indices(size)[:2])
            for part, size in zip(place, self.shape, strict=True)
        )
        kept = tuple(0 if isinstance(part, int) else slice(None) for part in place)
        found: NDArray[Any] = self.read(parts)[kept]
        return found

    def read(self, place: Place) -> NDArray[Any]:
        """Read a part, given by four slices without steps, into memory."""
        out = np.empty([part.stop - part.start for part in place], self.dtype)
        for mapped, own in self._pieces(place, "r"):
            out[own] = mapped
        return out

    def digest(self, place: Place | None = None) -> str:
        """Hash a part, or all of the array, to detect later changes.

        Raises
        ------
        ValueError
            If the file is shorter than the array.
        """
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        if self.path.stat().st_size < self.nbytes:
            raise ValueError(f"{self.path}: the file was cut short")
        for mapped, _ in self._pieces(place or tuple(slice(0, size) for size in self.shape), "r"):
            digest.update(np.ascontiguousarray(mapped).data)
        return digest.hexdigest()

    def write(self, place: Place, block: NDArray[Any]) -> None:
        """Put numbers of the array's type in their place."""
        for mapped, own in self._pieces(place, "r+"):
            mapped[...] = block[own]

    def _pieces(self, place: Place, mode: str) -> Iterator[tuple[NDArray[Any], tuple[Any, ...]]]:
        """Yield views of a few mapped layers, and where in the part they belong."""
        times, layers, *rest = place
        _, depth, *plane = self.shape
        layer = int(np.prod(plane)) * self.dtype.itemsize
        step = max(MAPPED_BYTES // layer, 1)
        for time in range(times.start, times.stop):
            for first in range(layers.start, layers.stop, step):
                last = min(first + step, layers.stop)
                mapped = np.memmap(
                    self.path,
                    self.dtype,
                    mode,  # type: ignore[call-overload]
                    offset=self.offset + (time * depth + first) * layer,
                    shape=(last - first, *plane),
                )
                own = (time - times.start, slice(first - layers.start, last - layers.start))
                yield mapped[(slice(None), *rest)], own
