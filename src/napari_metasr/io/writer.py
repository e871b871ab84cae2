"""Volumes, slices and napari layers to NIfTI files."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from napari_metasr.files import Inputs, check_writable, replacing
from napari_metasr.geometry.affines import slice_to_volume
from napari_metasr.io.layers import affine_of_layer, volume_of
from napari_metasr.io.nifti import affine_in_mm
from napari_metasr.io.opening import files_of
from napari_metasr.io.orientation import from_canonical
from napari_metasr.normalisation import cast_to_dtype
from napari_metasr.volume import Plane, Source

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import DTypeLike, NDArray

__all__ = [
    "WRITTEN_SUFFIXES",
    "check_source_kept",
    "image_like",
    "write_image",
    "write_labels",
    "write_slice",
    "write_volume",
]

WRITTEN_SUFFIXES = (".nii", ".nii.gz")

_DESCRIP_BYTES = 79
_MAX_NIFTI1_SIZE = 32767
_MEANING = (
    *("intent_code", "intent_name", "intent_p1", "intent_p2", "intent_p3"),
    *("cal_min", "cal_max"),
)
"""Elements of the header that say what the numbers are."""

_UNKNOWN, _ALIGNED = 0, 2


def write_volume(
    path: str | os.PathLike[str],
    data: NDArray[Any],
    affine: NDArray[np.float64],
    source: Source,
    *,
    dtype: DTypeLike | None = None,
    description: str = "",
    keeps_meaning: bool = True,
    labels: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write canonical voxels as NIfTI, in the orientation of the file they come from.

    The file appears under its name when it is whole, never before.

    Parameters
    ----------
    path : path
        ``.nii`` or ``.nii.gz``, in a folder that exists.
    data : ndarray, shape (y, x), (z, y, x) or (t, z, y, x)
        Canonical voxels.
    affine : ndarray, shape (4, 4)
        Canonical voxel (x, y, z) to world mm.
    source : Source
        Gives the axis order and directions, the sform and qform codes and the time step.
    dtype : dtype, optional
        Type of the numbers in the file; values are rounded and clipped to it. By default that of
        ``data``, with float32 for every floating type.
    description : str
        What the image is, for the header; cut to the 79 characters it can hold.
    keeps_meaning : bool
        Whether the numbers mean what the source's do; not so for a mask.
    labels : bool
        Say in the header that the numbers are labels, whatever the source's mean.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FileExistsError
        The file exists and ``overwrite`` is not set.
    FileNotFoundError
        The folder does not exist.
    InputReplacedError
        The output would replace the file that ``source`` names.
    ValueError
        The name's ending, the shape or the type cannot be written as NIfTI.
    """
    path = _checked_path(path, overwrite=overwrite)
    check_source_kept(path, source)
    data = np.asarray(data)
    if not 2 <= data.ndim <= 4 or data.size == 0:
        raise ValueError(f"{path}: expected 2 to 4 dimensions to write, found shape {data.shape}")
    if data.dtype.kind not in "biuf":
        raise ValueError(f"{path}: expected real numbers to write, found {data.dtype.name}")
    stored = _stored_dtype(data, dtype)
    numbers = data if data.dtype == stored else cast_to_dtype(data, stored)
    flat = data.ndim == 2
    voxels, stored_affine = from_canonical(
        numbers[np.newaxis] if flat else numbers, affine, source.affine
    )
    if flat and voxels.shape[2] == 1:
        voxels = voxels[:, :, 0]
    image = image_like(
        path,
        voxels,
        stored_affine,
        source,
        description,
        keeps_meaning=keeps_meaning,
        labels=labels,
    )
    with replacing(path, overwrite=overwrite) as temporary:
        nib.save(image, temporary)
        _inputs(source).keep_private(temporary)
    return path


def write_slice(
    path: str | os.PathLike[str],
    image: NDArray[Any],
    affine: NDArray[np.float64],
    plane: Plane,
    source: Source,
    *,
    dtype: DTypeLike | None = None,
    description: str = "",
    overwrite: bool = False,
) -> Path:
    """Write a slice of a plane as a NIfTI volume that is one slice thick.

    Parameters
    ----------
    path, source, dtype, description, overwrite
        As `write_volume`.
    image : ndarray, shape (rows, columns)
        The slice, in the canonical order of the plane.
    affine : ndarray, shape (4, 4)
        Of the canonical (x, y, z) volume one slice thick; see `geometry.affines.slice_affine`.
    plane : Plane
        Which plane it is a slice of.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError
        As `write_volume`.
    """
    if image.ndim != 2:
        raise ValueError(f"{path}: expected a 2-D slice to write, found shape {image.shape}")
    return write_volume(
        path,
        slice_to_volume(image, plane),
        affine,
        source,
        dtype=dtype,
        description=description,
        overwrite=overwrite,
    )


def write_image(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write one napari image layer as NIfTI (npe2's single-layer writer).

    A layer that carries its volume is written in the frame, orientation and codes of that
    volume's file; any other one by its own transform, x to the right, y to anterior and z to
    superior. An existing file is replaced: napari has asked by then.

    Parameters
    ----------
    path : str
        ``.nii`` or ``.nii.gz``.
    data : array, or list of arrays of a multiscale layer
        2 to 4 dimensions; a leading time axis of length 1 is dropped.
    meta : mapping
        The layer's attributes.

    Returns
    -------
    list of str
        The file written.

    Raises
    ------
    ValueError
        The layer is in colour, or has a shape or transform that NIfTI cannot hold.
    """
    if meta.get("rgb"):
        name = _name_of(path, meta)
        raise ValueError(f"{name}: expected a gray image layer to write as NIfTI, found colour")
    return _write_layer(path, data, meta)


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write one napari labels layer as NIfTI, as `write_image` does.

    The header says that the numbers are labels; they keep their integer type.

    Parameters
    ----------
    path, data, meta
        As `write_image`.

    Returns
    -------
    list of str
        The file written.

    Raises
    ------
    ValueError
        The layer has a shape, type or transform that NIfTI cannot hold.
    """
    return _write_layer(path, data, meta, labels=True)


def _name_of(path: str, meta: Mapping[str, Any]) -> str:
    return str(meta.get("name") or Path(path).stem)


def _write_layer(
    path: str, data: Any, meta: Mapping[str, Any], *, labels: bool = False
) -> list[str]:
    name = _name_of(path, meta)
    voxels = np.asarray(data[0] if meta.get("multiscale") else data)
    if not 2 <= voxels.ndim <= 4:
        raise ValueError(f"{name}: expected 2 to 4 dimensions to write, found {voxels.ndim}")
    affine = affine_of_layer(meta, voxels.ndim)
    if voxels.ndim == 4 and len(voxels) == 1:
        voxels = voxels[0]
    volume = volume_of(meta.get("metadata") or {})
    source = volume.source if volume is not None else Source(name=name)
    written = write_volume(
        path, voxels, affine, source, description=name, labels=labels, overwrite=True
    )
    return [str(written)]


def check_source_kept(path: Path, source: Source) -> None:
    """Refuse an output that would replace the file a volume was read from, or one beside it.

    Raises
    ------
    InputReplacedError
        If it would.
    """
    _inputs(source).check_kept(path)


def _inputs(source: Source) -> Inputs:
    return Inputs(lambda: () if source.path is None else files_of(source.path))


def _checked_path(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    path = Path(path)
    if not path.name.lower().endswith(WRITTEN_SUFFIXES):
        raise ValueError(f"{path}: expected a name that ends in .nii or .nii.gz")
    check_writable(path, overwrite=overwrite)
    return path


def _stored_dtype(data: NDArray[Any], dtype: DTypeLike | None) -> np.dtype[Any]:
    if dtype is not None:
        return np.dtype(dtype)
    return np.dtype({"f": np.float32, "b": np.uint8}.get(data.dtype.kind, data.dtype))


def image_like(
    path: Path,
    voxels: NDArray[Any],
    affine: NDArray[np.float64],
    source: Source,
    description: str = "",
    *,
    keeps_meaning: bool = True,
    labels: bool = False,
) -> nib.Nifti1Image:
    """Build an image in its file's voxel order, with codes, units and time step of its source.

    Parameters
    ----------
    path
        For messages.
    voxels, affine
        As stored.
    source, description
        As `write_volume`.
    keeps_meaning
        Whether the numbers mean what the source's do: its intent is kept, such as that of a map
        of a statistic.
    labels
        Whether the numbers are labels, whatever the source's mean.

    Raises
    ------
    ValueError
        If NIfTI cannot hold the type.
    """
    large = max(voxels.shape) > _MAX_NIFTI1_SIZE
    second = large or isinstance(source.header, nib.Nifti2Header)
    try:
        image = (nib.Nifti2Image if second else nib.Nifti1Image)(voxels, affine, dtype=voxels.dtype)
    except HeaderDataError as error:
        raise ValueError(
            f"{path}: expected a type that NIfTI can hold, found {voxels.dtype.name}"
        ) from error
    header = source.header
    time_unit = "sec"
    if header is not None and voxels.ndim == 4:
        time_unit = header.get_xyzt_units()[1]
        step = header.get_zooms()[3] if len(header.get_zooms()) > 3 else 1.0
        image.header.set_zooms((*image.header.get_zooms()[:3], step))
        image.header["toffset"] = header["toffset"]
    if header is not None:
        image.header["dim_info"] = header["dim_info"]
    if labels:
        image.header.set_intent("label")
    elif header is not None and keeps_meaning:
        for name in _MEANING:
            image.header[name] = header[name]
    image.header.set_xyzt_units("mm", time_unit)
    forms = _forms(source, affine)
    image.set_sform(*forms["sform"])
    image.set_qform(*forms["qform"])
    image.header["descrip"] = _descrip(description)
    return image


def _forms(
    source: Source, affine: NDArray[np.float64]
) -> dict[str, tuple[NDArray[np.float64] | None, int]]:
    """Compute the sform and qform of a new grid, with their codes, from those of the source.

    A file may hold two different transforms, to the scanner and to an atlas. The one that is used
    for reading becomes ``affine``; the other one moves with it.
    """
    forms: dict[str, tuple[NDArray[np.float64] | None, int]] = {
        "sform": (None, 0),
        "qform": (None, 0),
    }
    if source.header is not None:
        to_source = np.linalg.inv(source.affine) @ affine
        for name, read in (
            ("sform", source.header.get_sform),
            ("qform", source.header.get_qform),
        ):
            with contextlib.suppress(ValueError):  # a quaternion that is no rotation
                form, code = read(coded=True)
                if form is not None and np.isfinite(form).all():
                    forms[name] = (affine_in_mm(form, source.header) @ to_source, int(code))
    used = "qform" if forms["sform"][1] == 0 and forms["qform"][1] > 0 else "sform"
    forms[used] = (affine, forms[used][1] or (_ALIGNED if source.is_oriented else _UNKNOWN))
    return forms


def _descrip(text: str) -> bytes:
    plain = " ".join(text.split()).replace("×", "x").encode("ascii", "replace")
    return plain if len(plain) <= _DESCRIP_BYTES else plain[: _DESCRIP_BYTES - 3] + b"..."
