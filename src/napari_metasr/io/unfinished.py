"""Files that are written a part at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import allocate
from napari_metasr.io.compressed import compress
from napari_metasr.io.mapped import MappedArray
from napari_metasr.io.orientation import axis_codes, canonical_axes, from_canonical
from napari_metasr.io.start import Outline, Packing
from napari_metasr.io.starting import start_of
from napari_metasr.normalisation import cast_to_dtype

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_metasr.io.start import Start
    from napari_metasr.volume import Source

__all__ = ["UnfinishedVolume"]


@dataclass(frozen=True)
class UnfinishedVolume:
    """A file that is not compressed yet, whose header is right and whose voxels come in parts.

    Attributes
    ----------
    voxels
        As stored: (t, k, j, i) in C order.
    file_affine
        Gives the order and the directions of the file's axes.
    start
        What stands around the voxels.
    """

    voxels: MappedArray
    file_affine: NDArray[np.float64]
    start: Start

    @classmethod
    def at(
        cls,
        path: Path,
        shape: tuple[int, int, int, int],
        affine: NDArray[np.float64],
        source: Source,
        dtype: DTypeLike,
        description: str = "",
        *,
        labels: bool = False,
        output: Path | None = None,
    ) -> UnfinishedVolume:
        """Return a volume to write; nothing is written yet.

        Parameters
        ----------
        path
            Of the file while it is not compressed.
        shape
            (t, z, y, x), canonical; with one time point the file has three dimensions.
        affine
            4 x 4, canonical voxel (x, y, z) to world mm.
        source, description
            As `write_volume`.
        dtype
            Of the numbers in the file.
        labels
            As `write_volume`.
        output
            The file that it becomes, whose name stands for the format; by default ``path``.

        Raises
        ------
        ValueError
            If the format cannot hold the type.
        """
        empty = np.broadcast_to(np.zeros((), dtype), shape)
        canonical = empty[0] if shape[0] == 1 else empty
        stored, stored_affine = from_canonical(canonical, affine, source.affine)
        outline = Outline(
            output or path, stored.shape, stored_affine, dtype, source, description, labels=labels
        )
        start = start_of(outline)
        i, j, k = stored.shape[:3]
        voxels = MappedArray(path, (shape[0], k, j, i), start.dtype, len(start.content))
        return cls(voxels, source.affine, start)

    @property
    def is_begun(self) -> bool:
        """Whether the file exists, with the right size and header."""
        start = self.start
        try:
            with self.voxels.path.open("rb") as file:
                return file.read(
                    len(start.content)
                ) == start.content and self.voxels.path.stat().st_size == self.voxels.nbytes + len(
                    start.end
                )
        except FileNotFoundError:
            return False

    def create(self) -> None:
        """Make the file, all voxels 0.

        Raises
        ------
        OSError
            If there is no room for it.
        """
        start = self.start
        allocate(self.voxels.path, self.voxels.nbytes + len(start.end))
        with self.voxels.path.open("rb+") as file:
            file.write(start.content)
            file.seek(self.voxels.nbytes)
            file.write(start.end)

    def packed(self, target: Path, threads: int) -> Iterator[float]:
        """Compress what the format compresses into a file; parameters and errors as `compress`."""
        plain = len(self.start.content) if self.start.packing is Packing.VOXELS else 0
        return compress(self.voxels.path, target, threads, plain=plain)

    @property
    def is_packed(self) -> bool:
        """Whether the format compresses anything."""
        return self.start.packing is not Packing.NONE

    def write(self, place: tuple[slice, ...], block: NDArray[Any]) -> None:
        """Put canonical voxels in their place, rounded and clipped to the file's type.

        Parameters
        ----------
        place
            Slices along t, z, y, x.
        block
            Of that shape.
        """
        parts, order, flips = self.stored_place(place)
        stored = np.flip(block.transpose(order), flips)
        dtype = self.voxels.dtype
        self.voxels.write(parts, stored if stored.dtype == dtype else cast_to_dtype(stored, dtype))

    def stored_place(
        self, place: tuple[slice, ...]
    ) -> tuple[tuple[slice, ...], tuple[int, ...], tuple[int, ...]]:
        """Locate canonical voxels in the file.

        Parameters
        ----------
        place
            Slices along t, z, y, x.

        Returns
        -------
        parts, order, flips
            Slices along t, k, j, i; which of the canonical axes these are, and which of these
            run the other way.
        """
        codes = axis_codes(self.file_affine)
        order, parts, flips = [0], [place[0]], []
        for axis in (2, 1, 0):  # k, j, i
            canonical = 1 + canonical_axes(self.file_affine)[axis]
            part = place[canonical]
            if codes[axis] in "LPI":
                size = self.voxels.shape[3 - axis]
                part = slice(size - part.stop, size - part.start)
                flips.append(3 - axis)
            order.append(canonical)
            parts.append(part)
        return tuple(parts), tuple(order), tuple(flips)
