"""NIfTI files a part at a time: for volumes that do not fit into memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.openers import ImageOpener

from napari_metasr.files import file_sha256
from napari_metasr.io.grid import FileGrid
from napari_metasr.io.nifti import (
    UNREADABLE,
    affine_in_mm,
    cause,
    check_affine,
    check_type,
    image_shape,
    open_image,
    read_to_end,
    scaled,
    stem,
)
from napari_metasr.io.orientation import axis_codes
from napari_metasr.volume import Source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["StoredVolume"]

READ_BYTES = 32 << 20


@dataclass(frozen=True)
class StoredVolume(FileGrid):
    """A NIfTI file of three or four dimensions, of which nothing but the header is in memory.

    Attributes
    ----------
    path
        The file.
    file_shape
        (i, j, k) or (i, j, k, t), as stored.
    file_affine
        4 x 4, voxel (i, j, k) to world mm.
    image
        nibabel's image, its data not read.

    Raises
    ------
    FileNotFoundError, ValueError
        From ``open``, as `read_volume`.
    """

    path: Path
    file_shape: tuple[int, ...]
    file_affine: NDArray[np.float64]
    image: Any

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> StoredVolume:
        """Read the header, and refuse what cannot be read as a volume."""
        path = Path(path)
        image = open_image(path)
        check_type(path, image.header)
        shape = image_shape(path, image.shape)
        if len(shape) < 3:
            raise ValueError(f"{path}: expected a volume of 3 or 4 dimensions, found a 2-D image")
        affine = affine_in_mm(image.affine, image.header)
        check_affine(path, affine)
        return cls(path, shape, affine, image)

    @cached_property
    def source(self) -> Source:
        """Enough of the file to write another one like it."""
        return Source(
            name=stem(self.path),
            path=self.path,
            affine=self.file_affine,
            orientation=axis_codes(self.file_affine),
            dtype=self.image.get_data_dtype(),
            header=self.image.header,
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """What is read: native integers, or float32 for all that is scaled or floating."""
        stored = self.image.get_data_dtype()
        plain = (self.image.dataobj.slope, self.image.dataobj.inter) == (1.0, 0.0)
        return np.dtype(np.float32 if stored.kind == "f" or not plain else stored.newbyteorder("="))

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, or both of a pair."""
        return tuple(sorted({Path(one.filename) for one in self.image.file_map.values()}))

    @property
    def record_names(self) -> tuple[str, ...]:
        """The file's name without folders."""
        return (self.path.name,)

    def sha256(self) -> str:
        """The hash of the file's content, of a pair's of both contents' hashes."""
        if len(self.files) == 1:
            return file_sha256(self.path)
        digests = [file_sha256(path) for path in self.files]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def blocks(self) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
        """The voxels, in the file's order, once through.

        Yields
        ------
        place, block
            Slices along t, z, y, x, and the canonical voxels there, `dtype`.

        Raises
        ------
        ValueError
            The file ends too early or is damaged, or a value is beyond float32.
        """
        proxy = self.image.dataobj
        layer = int(np.prod(self.file_shape[:2]))
        stored = self.image.get_data_dtype()
        step = max(READ_BYTES // (layer * stored.itemsize), 1)
        depth = self.file_shape[2]
        try:
            with ImageOpener(proxy.file_like) as file:
                file.seek(proxy.offset)
                for time in range(self.time_points):
                    for first in range(0, depth, step):
                        last = min(first + step, depth)
                        size = layer * (last - first) * stored.itemsize
                        content = file.read(size)
                        if len(content) < size:
                            raise EOFError
                        values = np.frombuffer(content, stored)
                        values = values.reshape((*self.file_shape[:2], last - first), order="F")
                        yield self.canonical_part(self._scaled(values), time, first)
                read_to_end(file)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{self.path}: the other file of the pair is missing"
            ) from error
        except UNREADABLE as error:
            if isinstance(error, ValueError):
                raise
            raise ValueError(f"{self.path}: expected a whole NIfTI file, {cause(error)}") from error

    def _scaled(self, values: NDArray[Any]) -> NDArray[Any]:
        proxy = self.image.dataobj
        found = scaled(values, proxy.slope, proxy.inter)
        if found.dtype == np.float64:
            raise ValueError(f"{self.path}: expected values that float32 can hold, found larger")
        return found
