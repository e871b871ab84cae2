"""NIfTI files to volumes."""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.openers import ImageOpener
from nibabel.spatialimages import HeaderDataError

from napari_metasr.io.orientation import axis_codes, to_canonical
from napari_metasr.io.told import told_by_sidecar
from napari_metasr.volume import Source, Volume

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["SUFFIXES", "affine_in_mm", "is_nifti", "read_volume", "stem"]

SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")
"""Endings of the files that are read as NIfTI."""

SPACING_RANGE = (1e-4, 1e3)
"""Voxel sizes, in mm, that a medical image or a micrograph can have."""

REST_BYTES = 32 << 20
"""Read at a time, of what is behind the voxels."""

UNREADABLE = (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error, ValueError)
_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}


def is_nifti(path: str | os.PathLike[str]) -> bool:
    """Tell by its ending whether a file should be read as NIfTI."""
    return Path(path).name.lower().endswith(SUFFIXES)


def stem(path: str | os.PathLike[str]) -> str:
    """Return the file's name without folder and NIfTI ending (``.nii.gz`` is one ending)."""
    name = Path(path).name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(name).stem


def affine_in_mm(affine: NDArray[np.float64], header: nib.Nifti1Header) -> NDArray[np.float64]:
    """Return an affine of a header with its world axes in mm, whatever the header's unit is."""
    factor = _MILLIMETRES[header.get_xyzt_units()[0]]
    return np.diag([factor, factor, factor, 1.0]) @ np.asarray(affine, dtype=np.float64)


def read_volume(path: str | os.PathLike[str], *, volume_index: int | None = None) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file, in any orientation, as a canonical volume.

    Parameters
    ----------
    path : path
        ``.nii``, ``.nii.gz`` or either file of a ``.hdr`` / ``.img`` pair. Two to four dimensions,
        the fourth being time; further ones may only have length 1.
    volume_index : int, optional
        Read this one time point, counted from 0, of a 4-D file.

    Returns
    -------
    Volume
        Closest canonical orientation (RAS+), shape (z, y, x), (t, z, y, x) or, for a 2-D axial
        image, (y, x). Integers keep their type; values scaled by ``scl_slope`` and ``scl_inter``
        and floating ones become float32 (float64 stays only where float32 would overflow).
        Spacing and affine are in mm. NaN and Inf stay in the data.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is no NIfTI, is damaged, or holds something that is not a gray image with at
        least one finite voxel and a usable affine. The message is one line.

    Warns
    -----
    UserWarning
        Some voxels are not finite.
    """
    path = Path(path)
    image = open_image(path)
    check_type(path, image.header)
    shape = image_shape(path, image.shape)
    file_affine = affine_in_mm(image.affine, image.header)
    check_affine(path, file_affine)
    data = _load(path, image, shape, volume_index)
    check_finite(path, data)

    flat = data.ndim == 2
    if flat:
        data = data[:, :, np.newaxis]
    data, affine = to_canonical(data, file_affine)
    if flat and data.shape[0] == 1:
        data = data[0]
    spacing = tuple(nib.affines.voxel_sizes(affine)[::-1])
    return Volume(
        data=np.ascontiguousarray(data),
        affine=affine,
        spacing=tuple(float(size) for size in spacing[-data.ndim :]),
        source=Source(
            name=stem(path),
            path=path,
            affine=file_affine,
            orientation=axis_codes(file_affine),
            dtype=image.get_data_dtype(),
            header=image.header,
            told=told_by_sidecar(path.with_name(f"{stem(path)}.json")),
        ),
    )


def open_image(path: Path) -> nib.Nifti1Pair:
    """Open a file with its header alone, having checked that it is NIfTI."""
    if path.is_dir():
        raise ValueError(f"{path}: expected a NIfTI file, found a folder")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: expected a NIfTI file, found an empty file")
    try:
        image = nib.load(path, mmap=False)
    except UNREADABLE as error:
        raise ValueError(f"{path}: expected a NIfTI file, {cause(error)}") from error
    if not isinstance(image, nib.Nifti1Pair):
        found = type(image).__name__.removesuffix("Image")
        raise ValueError(f"{path}: expected a NIfTI file, found the format {found}")
    return image


def cause(error: BaseException) -> str:
    """What was found in place of a NIfTI file, in words."""
    if isinstance(error, EOFError | zlib.error) or "Expected" in str(error):
        return "found a truncated or damaged one"
    if "data code 1 not supported" in str(error):
        return "found boolean (1-bit) voxels, which are not an image"
    if isinstance(error, ImageFileError):
        return "found no NIfTI header"
    return "found a damaged header or body (" + " ".join(str(error).split()) + ")"


def check_type(path: Path, header: nib.Nifti1Header) -> None:
    """Refuse voxels that are not gray."""
    dtype = header.get_data_dtype()
    if dtype.fields is not None:
        raise ValueError(
            f"{path}: expected gray voxels, found colour ({'/'.join(dtype.fields)} per voxel)"
        )
    if dtype.kind not in "iuf":
        raise ValueError(f"{path}: expected integer or floating voxels, found {dtype.name}")


def image_shape(path: Path, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the file's shape without trailing or extra dimensions of length 1."""
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"{path}: expected an image of 2 to 4 dimensions, found shape {shape}")
    series = tuple(size for size in shape[3:] if size != 1)
    if len(series) > 1:
        raise ValueError(
            f"{path}: expected at most one dimension beyond space (time), found shape {shape}"
        )
    return shape[:3] + series


def check_affine(path: Path, affine: NDArray[np.float64]) -> None:
    """Refuse an affine that puts voxels nowhere, or at sizes that no image has."""
    low, high = SPACING_RANGE
    if not np.isfinite(affine).all():
        raise ValueError(f"{path}: expected a finite affine, found NaN or Inf in it")
    sizes = nib.affines.voxel_sizes(affine)
    if not ((sizes >= low) & (sizes <= high)).all():
        found = " x ".join(f"{size:g}" for size in sizes)
        raise ValueError(
            f"{path}: expected voxel sizes between {low:g} and {high:g} mm, found {found} mm"
        )
    if abs(np.linalg.det(affine[:3, :3] / sizes)) < 1e-3:
        raise ValueError(
            f"{path}: expected an affine with three independent axes, found a singular one"
        )


def _load(path: Path, image: Any, shape: tuple[int, ...], volume_index: int | None) -> NDArray:
    index: tuple[slice | int, ...] = tuple(slice(None) for _ in image.shape)
    if volume_index is not None:
        count = shape[3] if len(shape) == 4 else 1
        if not 0 <= volume_index < count:
            raise ValueError(
                f"{path}: expected a volume index of 0 to {count - 1}, found {volume_index}"
            )
        extra = (volume_index if size != 1 else 0 for size in image.shape[3:])
        index = (*index[:3], *extra)
        shape = shape[:3]
    proxy = image.dataobj
    try:
        with ImageOpener(proxy.file_like) as file:
            stored = ArrayProxy(file, (proxy.shape, proxy.dtype, proxy.offset), mmap=False)
            data = scaled(np.asanyarray(stored[index]), proxy.slope, proxy.inter)
            read_to_end(file)
    except MemoryError as error:
        size = np.prod(shape, dtype=float) * image.get_data_dtype().itemsize / 2**30
        raise ValueError(
            f"{path}: expected an image that fits into memory, found {size:.1f} GiB of voxels"
        ) from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: the other file of the pair is missing") from error
    except UNREADABLE as error:
        raise ValueError(f"{path}: expected a whole NIfTI file, {cause(error)}") from error
    return data.reshape(shape, order="F")


def read_to_end(file: ImageOpener) -> None:
    """Read what is left: a compressed file's checksum is at its end."""
    while file.read(REST_BYTES):
        pass


def scaled(stored: NDArray[Any], slope: float, inter: float) -> NDArray[Any]:
    """Return stored values in the image's units: native integers, or float32 where they fit."""
    if stored.dtype.kind != "f" and (slope, inter) == (1.0, 0.0):
        return stored.astype(stored.dtype.newbyteorder("="), copy=False)
    wide = stored.dtype.kind == "f" and stored.dtype.itemsize > 4
    data: NDArray[Any] = stored.astype(np.float64 if wide else np.float32, copy=False)
    if (slope, inter) != (1.0, 0.0):
        data = data * float(slope) + float(inter)
    if not wide:
        return data
    with np.errstate(over="ignore"):
        single = data.astype(np.float32)
    overflow = np.isinf(single) & np.isfinite(data)
    return data if overflow.any() else single


def check_finite(path: Path, data: NDArray) -> None:
    """Refuse voxels none of which is finite, and warn of single ones."""
    if data.dtype.kind != "f":
        return
    missing = data.size - int(np.count_nonzero(np.isfinite(data)))
    if missing == data.size:
        raise ValueError(f"{path}: expected an image, found no finite voxel")
    if missing:
        warnings.warn(
            f"{path.name}: {missing} of {data.size} voxels are NaN or Inf; they count as the "
            "lowest value and stay NaN or Inf in every result",
            stacklevel=3,
        )
