"""Files of every format but DICOM a part at a time: for volumes that do not fit into memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import file_sha256
from napari_metasr.io.acquisition import acquisition_of
from napari_metasr.io.body import UNREADABLE, cause, read_to_end
from napari_metasr.io.freesurfer import open_mgh
from napari_metasr.io.grid import FileGrid
from napari_metasr.io.inherited import fields_of
from napari_metasr.io.metaimage import open_metaimage
from napari_metasr.io.names import (
    FREESURFER,
    METAIMAGE,
    NRRD,
    has_ending,
    legible,
    stem,
)
from napari_metasr.io.nifti import open_nifti, scaled
from napari_metasr.io.nrrd import open_nrrd
from napari_metasr.io.orientation import axis_codes
from napari_metasr.io.phases import phase_concern
from napari_metasr.io.told import told_by_sidecar
from napari_metasr.volume import Source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_metasr.io.volume_file import VolumeFile

__all__ = ["StoredVolume"]

READ_BYTES = 32 << 20


def open_file(path: Path) -> VolumeFile:
    """Read the header of a file, in the format that its ending stands for; NIfTI by default.

    Raises
    ------
    FileNotFoundError, ValueError
        As `open_nifti`.
    """
    if has_ending(path, FREESURFER):
        return open_mgh(path)
    if has_ending(path, NRRD):
        return open_nrrd(path)
    return open_metaimage(path) if has_ending(path, METAIMAGE) else open_nifti(path)


@dataclass(frozen=True)
class StoredVolume(FileGrid):
    """A file of three or four dimensions, of which nothing but the header is in memory.

    Attributes
    ----------
    path
        The file.
    file_shape
        (i, j, k) or (i, j, k, t), as stored.
    file_affine
        4 x 4, voxel (i, j, k) to world mm.
    file
        What its header says.
    is_flat
        Whether it is stored as a 2-D image; then ``file_shape`` ends in 1.

    Raises
    ------
    FileNotFoundError, ValueError
        From ``open``, as `read_volume`.
    """

    path: Path
    file_shape: tuple[int, ...]
    file_affine: NDArray[np.float64]
    file: VolumeFile
    is_flat: bool = False

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, flat: bool = False) -> StoredVolume:
        """Read the header, and refuse what cannot be read as a volume.

        Parameters
        ----------
        path
            The file.
        flat
            Take a 2-D image as well, as a volume one voxel thick.
        """
        file = open_file(Path(path))
        is_flat = len(file.shape) == 2
        if is_flat and not flat:
            raise ValueError(f"{path}: expected a volume of 3 or 4 dimensions, found a 2-D image")
        shape = (*file.shape, 1) if is_flat else file.shape
        return cls(file.path, shape, file.affine, file, is_flat)

    @cached_property
    def source(self) -> Source:
        """Enough of the file to write another one like it."""
        fields = fields_of(self.path)
        told = told_by_sidecar(fields)
        return Source(
            name=legible(stem(self.path)),
            path=self.path,
            affine=self.file_affine,
            orientation=axis_codes(self.file_affine),
            dtype=self.file.dtype,
            header=self.file.header,
            concerns=(*self.file.concerns, *phase_concern(told.get("ImageType"), self.path)),
            is_oriented=self.file.is_oriented,
            holds_labels=self.file.holds_labels,
            acquisition=acquisition_of(fields),
            told=told,
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        """What is read: native integers, or float32 for all that is scaled or floating."""
        stored = self.file.dtype
        plain = self.file.slope_inter == (1.0, 0.0)
        return np.dtype(np.float32 if stored.kind == "f" or not plain else stored.newbyteorder("="))

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, or both of a header and its data."""
        return self.file.files

    @property
    def record_names(self) -> tuple[str, ...]:
        """The file's name without folders."""
        return (legible(self.path.name),)

    def sha256(self) -> str:
        """Hash the file's content; for a pair, hash the hashes of both contents."""
        if len(self.files) == 1:
            return file_sha256(self.path)
        digests = [file_sha256(path) for path in self.files]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def blocks(self, *, wide: bool = False) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
        """Yield the voxels in the file's order; see `VolumeReader.blocks`.

        Parameters
        ----------
        wide
            Give a block with a value beyond float32 as float64, in place of refusing it.
        """
        layer = int(np.prod(self.file_shape[:2]))
        stored = self.file.dtype
        step = max(READ_BYTES // (layer * stored.itemsize), 1)
        depth = self.file_shape[2]
        try:
            with self.file.body.opened() as stream:
                for time in range(self.time_points):
                    for first in range(0, depth, step):
                        last = min(first + step, depth)
                        size = layer * (last - first) * stored.itemsize
                        content = stream.read(size)
                        if len(content) < size:
                            raise EOFError
                        values = np.frombuffer(content, stored)
                        values = values.reshape((*self.file_shape[:2], last - first), order="F")
                        yield self.canonical_part(self._scaled(values, wide), time, first)
                read_to_end(stream)
        except UNREADABLE as error:
            if str(self.path) in str(error):
                raise
            raise ValueError(
                f"{self.path}: expected a whole {self.file.kind} file, {cause(error)}"
            ) from error

    def _scaled(self, values: NDArray[Any], wide: bool) -> NDArray[Any]:
        found = scaled(values, *self.file.slope_inter)
        if found.dtype == np.float64 and not wide:
            raise ValueError(f"{self.path}: expected values that float32 can hold, found larger")
        return found
