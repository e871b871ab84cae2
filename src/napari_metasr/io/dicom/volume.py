"""A DICOM series, read a few slices at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from napari_metasr.io.dicom.choice import choose
from napari_metasr.io.dicom.files import Opener
from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.dicom.frame import RefusalError
from napari_metasr.io.dicom.pixels import decode_with_padding
from napari_metasr.io.grid import FileGrid
from napari_metasr.io.volume_file import LARGEST_NIFTI1, check_affine
from napari_metasr.volume import Source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.series import Series

__all__ = ["DicomVolume"]

READ_BYTES = 32 << 20
SCANNER = 1
HASH_DIGITS = 6


@dataclass(frozen=True)
class DicomVolume(FileGrid):
    """A series of which nothing but the headers is in memory; i, j, k are column, row, slice.

    Attributes
    ----------
    path
        The folder, archive or file that it was found in.
    file_shape
        (column, row, slice) or (column, row, slice, time).
    file_affine
        4 x 4, voxel (column, row, slice) to world mm (RAS+).
    series
        Its images.
    concerns
        What speaks against trusting the volume.
    """

    path: Path
    file_shape: tuple[int, ...]
    file_affine: NDArray[np.float64]
    series: Series
    concerns: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, series: str | None = None) -> DicomVolume:
        """Find a series, and refuse what is no volume.

        Parameters
        ----------
        path
            A folder (searched with all below it), a .zip file or a DICOM file.
        series
            Its number or description as `napari-metasr series` lists them, or its UID, see
            `choose`; not needed where there is one alone.

        Raises
        ------
        FileNotFoundError, ValueError
            In one line; with all series, if it is not clear which is meant.
        """
        path = Path(path)
        chosen, concerns = choose(find_series(path), series, path)
        return cls.of(path, chosen, concerns)

    @classmethod
    def of(cls, path: Path, series: Series, concerns: tuple[str, ...] | None = None) -> DicomVolume:
        """Take a series that was found.

        Parameters
        ----------
        path
            Where it was found.
        series
            The series.
        concerns
            What speaks against it; by default its own.

        Raises
        ------
        ValueError
            If it is no volume.
        """
        if series.refusal is not None:
            raise ValueError(f"{path}: {series.title}: {series.refusal}")
        check_affine(path, series.affine)
        times = (series.time_points,) if series.time_points > 1 else ()
        shape = (*series.matrix, series.slices, *times)
        told = series.concerns if concerns is None else concerns
        return cls(path, shape, series.affine, series, told)

    @property
    def _told(self) -> dict[str, Any]:
        """What the first frame's header tells; in some files its thickness is the frame's own."""
        first = self.series.frames[0][0]
        own = {} if first.thickness is None else {"SliceThickness": first.thickness}
        return {**first.header.told, **own}

    @cached_property
    def source(self) -> Source:
        """Enough to write a NIfTI file of it, aligned to the scanner; without file names."""
        return Source(
            name=self.series.name,
            path=self.path,
            affine=self.file_affine,
            orientation=self.series.orientation,
            dtype=self.dtype,
            header=self._header(),
            told=self._told,
            concerns=self.concerns,
            acquisition=self._acquisition,
        )

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """What is read: the stored integers, or float32 for all that is rescaled or floating."""
        frames = [frame for frames in self.series.frames for frame in frames]
        stored = np.result_type(*{frame.header.pixels for frame in frames})
        plain = all((frame.slope, frame.intercept) == (1.0, 0.0) for frame in frames)
        return np.dtype(np.float32) if stored.kind == "f" or not plain else np.dtype(stored)

    @property
    def files(self) -> tuple[Path, ...]:
        """The series' files, or the archive that holds them."""
        frames = [frame for frames in self.series.frames for frame in frames]
        return tuple(sorted({frame.header.file.path for frame in frames}))

    @property
    def record_names(self) -> tuple[str, ...]:
        """None: names of DICOM files and folders may be those of patients."""
        return ()

    def sha256(self) -> str:
        """Hash voxels and geometry: the same however the files are named or compressed."""
        digest = hashlib.sha256()
        affine = np.round(self.file_affine, HASH_DIGITS) + 0.0
        digest.update(f"{self.file_shape} {self.dtype.str} {affine.tolist()}".encode())
        for _, _, values in self._layers():
            digest.update(np.asfortranarray(values).tobytes(order="F"))
        return digest.hexdigest()

    def blocks(self) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
        """Yield the voxels in the order of slices and time points; see `VolumeReader.blocks`."""
        for time, first, values in self._layers():
            yield self.canonical_part(values, time, first)

    def _layers(self) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """Yield a few slices at a time, (column, row, slice), with time point and first slice."""
        for time, first, images in self._decoded():
            values = np.empty((len(images), *images[0][0].shape), self.dtype)
            for slot, (image, padding) in zip(values, images, strict=True):
                if image.dtype == np.float64 != self.dtype:
                    raise ValueError(
                        f"{self.path}: expected values that float32 can hold, found larger"
                    )
                slot[:] = image
                if padding is not None and self._lowest is not None:
                    slot[padding] = self._lowest
            yield time, first, values.T

    @cached_property
    def _lowest(self) -> float | None:
        """The smallest value that is no padding; None if there is none."""
        return min(
            (
                image[~padding].min().item()
                for _, _, images in self._decoded()
                for image, padding in images
                if padding is not None and not padding.all()
            ),
            default=None,
        )

    def _decoded(self) -> Iterator[tuple[int, int, list[Any]]]:
        """Yield a few images at a time with their padding, with time point and first slice."""
        columns, rows = self.series.matrix
        step = max(READ_BYTES // (columns * rows * self.dtype.itemsize), 1)
        with Opener() as opener:
            for time, frames in enumerate(self.series.frames):
                for first in range(0, len(frames), step):
                    try:
                        images = decode_with_padding(frames[first : first + step], opener)
                    except RefusalError as refusal:
                        raise ValueError(f"{self.path}: {self.series.title}: {refusal}") from None
                    yield time, first, images

    @property
    def _acquisition(self) -> dict[str, Any]:
        """What the first image says, where it holds for all; times in seconds."""
        frames = [frame for frames in self.series.frames for frame in frames]
        milliseconds = {
            "EchoTime": {frame.kinds.get("echo time") for frame in frames},
            "InversionTime": {frame.kinds.get("inversion time") for frame in frames},
        }
        seconds = {"RepetitionTime": {frame.repetition_time for frame in frames}}
        for name, times in milliseconds.items():
            seconds[name] = {None if time is None else time / 1000 for time in times}
        return {
            name: value
            for name, (value, *others) in ((name, list(times)) for name, times in seconds.items())
            if value is not None and not others
        }

    @property
    def _time_step(self) -> float | None:
        """In seconds, where it is said; of echo-planar volumes it is the repetition time."""
        first = self.series.frames[0][0]
        if first.time_step is None and first.is_echo_planar:
            return first.repetition_time
        return first.time_step

    def _header(self) -> nib.Nifti1Header:
        large = max(self.file_shape) > LARGEST_NIFTI1
        header = nib.Nifti2Header() if large else nib.Nifti1Header()
        header.set_data_dtype(self.dtype)
        header.set_data_shape(self.file_shape)
        step = self._time_step
        timed = len(self.file_shape) == 4
        header.set_zooms((*self.series.spacing, *((step or 1.0,) if timed else ())))
        header.set_xyzt_units("mm", "sec" if step else "unknown")
        header.set_sform(self.file_affine, SCANNER)
        header.set_qform(self.file_affine, SCANNER)
        return header
