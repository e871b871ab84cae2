"""NIfTI files that are written a part at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import allocate
from napari_metasr.io.mapped import MappedArray
from napari_metasr.io.orientation import axis_codes, canonical_axes, from_canonical
from napari_metasr.io.writer import image_like
from napari_metasr.normalisation import cast_to_dtype

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_metasr.volume import Source

__all__ = ["UnfinishedVolume"]


@dataclass(frozen=True)
class UnfinishedVolume:
    """An uncompressed NIfTI file whose header is right and whose voxels come in parts.

    Attributes
    ----------
    voxels
        As stored: (t, k, j, i) in C order.
    file_affine
        Gives the order and the directions of the file's axes.
    """

    voxels: MappedArray
    file_affine: NDArray[np.float64]

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
    ) -> tuple[UnfinishedVolume, bytes]:
        """Return a volume to write and the header that it begins with; nothing is written yet.

        Parameters
        ----------
        path
            Of the uncompressed file.
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

        Raises
        ------
        ValueError
            If NIfTI cannot hold the type.
        """
        empty = np.broadcast_to(np.zeros((), dtype), shape)
        canonical = empty[0] if shape[0] == 1 else empty
        stored, stored_affine = from_canonical(canonical, affine, source.affine)
        image = image_like(path, stored, stored_affine, source, description, labels=labels)
        header = image.header.copy()
        header.set_data_offset(header.single_vox_offset)
        header["magic"] = header.single_magic
        header.set_slope_inter(1, 0)
        content = header.binaryblock
        content += b"\0" * (header.get_data_offset() - len(content))
        i, j, k = stored.shape[:3]
        voxels = MappedArray(path, (shape[0], k, j, i), np.dtype(dtype), len(content))
        return cls(voxels, source.affine), content

    def begins_with(self, header: bytes) -> bool:
        """Return whether the file exists, is complete and has this header."""
        try:
            with self.voxels.path.open("rb") as file:
                return (
                    file.read(len(header)) == header
                    and self.voxels.path.stat().st_size == self.voxels.nbytes
                )
        except FileNotFoundError:
            return False

    def create(self, header: bytes) -> None:
        """Make the file, all voxels 0.

        Raises
        ------
        OSError
            If there is no room for it.
        """
        allocate(self.voxels.path, self.voxels.nbytes)
        with self.voxels.path.open("rb+") as file:
            file.write(header)

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
