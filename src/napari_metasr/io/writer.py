"""Volumes, slices and napari layers to files, in the format that the name stands for."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import Inputs, check_writable, naming, replacing_all
from napari_metasr.geometry.affines import slice_to_volume
from napari_metasr.io.freesurfer import integers_held
from napari_metasr.io.layers import affine_of_layer, volume_of
from napari_metasr.io.names import FREESURFER, check_written_name, has_ending, sidecar_path
from napari_metasr.io.opening import files_of
from napari_metasr.io.orientation import from_canonical
from napari_metasr.io.start import Outline, Packing
from napari_metasr.io.starting import start_of
from napari_metasr.normalisation import cast_to_dtype
from napari_metasr.volume import Plane, Source

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import DTypeLike, NDArray

    from napari_metasr.io.start import Start

__all__ = [
    "check_source_kept",
    "write_image",
    "write_labels",
    "write_slice",
    "write_volume",
]

LEVEL = 4
"""Level of gzip, as for files that are written a part at a time."""


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
    record: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write canonical voxels to a file, in the orientation of the file they come from.

    The file appears under its name when it is whole, never before.

    Parameters
    ----------
    path : path
        Ends in one of `napari_metasr.io.names.WRITTEN_SUFFIXES`, in a folder that exists.
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
    record : mapping, optional
        Fields of a JSON file that is written beside it: both appear, or neither. Only if the
        process is killed between two renames may the volume lie there without it.
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
        The name's ending is none of these, or its format cannot hold the shape or the type.
    """
    path = _checked_path(path, overwrite=overwrite)
    files = [path] if record is None else [path, sidecar_path(path)]
    for file in files:
        check_writable(file, overwrite=overwrite)
        check_source_kept(file, source)
    data = np.asarray(data)
    if not 2 <= data.ndim <= 4 or data.size == 0:
        raise ValueError(f"{path}: expected 2 to 4 dimensions to write, found shape {data.shape}")
    if data.dtype.kind not in "biuf":
        raise ValueError(f"{path}: expected real numbers to write, found {data.dtype.name}")
    stored = _stored_dtype(data, dtype)
    if dtype is None and has_ending(path, FREESURFER):
        stored = integers_held(data, stored)
    numbers = data if data.dtype == stored else cast_to_dtype(data, stored)
    flat = data.ndim == 2
    voxels, stored_affine = from_canonical(
        numbers[np.newaxis] if flat else numbers, affine, source.affine
    )
    if flat and voxels.shape[2] == 1:
        voxels = voxels[:, :, 0]
    start = start_of(
        Outline(
            path,
            voxels.shape,
            stored_affine,
            stored,
            source,
            description,
            keeps_meaning=keeps_meaning,
            labels=labels,
        )
    )
    with naming(path), replacing_all(files, overwrite=overwrite) as temporary:
        _write(temporary[0], start, voxels)
        for beside in temporary[1:]:
            text = json.dumps(record, indent=2, ensure_ascii=False)
            beside.write_text(f"{text}\n", encoding="utf-8")
        for file in temporary:
            _inputs(source).keep_private(file)
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
    record: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a slice of a plane as a volume that is one slice thick.

    Parameters
    ----------
    path, source, dtype, description, record, overwrite
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
        record=record,
        overwrite=overwrite,
    )


def write_image(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write one napari image layer as a volume (npe2's single-layer writer).

    A layer that carries its volume is written in the frame, orientation and codes of that
    volume's file; any other one by its own transform, its axes taken for x, y and z, as an image
    of which no left and right are known. An existing file is replaced: napari has asked by then.

    Parameters
    ----------
    path : str
        Ends as for `write_volume`.
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
        The layer is in colour, or has a shape or transform that no volume has.
    """
    if meta.get("rgb"):
        name = _name_of(path, meta)
        raise ValueError(f"{name}: expected a gray image layer to write as a volume, found colour")
    return _write_layer(path, data, meta)


def write_labels(path: str, data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write one napari labels layer as a volume, as `write_image` does.

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
        The layer has a shape, type or transform that no volume has.
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
    source = volume.source if volume is not None else Source(name=name, is_oriented=False)
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


def _write(path: Path, start: Start, voxels: NDArray[Any]) -> None:
    """Write what is around voxels, and the voxels, a layer at a time."""
    with path.open("wb") as file:
        if start.packing is not Packing.WHOLE:
            file.write(start.content)
        if start.packing is Packing.NONE:
            _write_voxels(file, start, voxels)
            return
        with gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed:
            if start.packing is Packing.WHOLE:
                packed.write(start.content)
            _write_voxels(packed, start, voxels)


def _write_voxels(file: IO[bytes] | gzip.GzipFile, start: Start, voxels: NDArray[Any]) -> None:
    for layer in voxels.T.reshape(-1, *voxels.T.shape[-2:]):
        file.write(np.ascontiguousarray(layer, start.dtype).data)
    file.write(start.end)


def _checked_path(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    path = Path(path)
    check_written_name(path)
    check_writable(path, overwrite=overwrite)
    return path


def _stored_dtype(data: NDArray[Any], dtype: DTypeLike | None) -> np.dtype[Any]:
    if dtype is not None:
        return np.dtype(dtype)
    return np.dtype({"f": np.float32, "b": np.uint8}.get(data.dtype.kind, data.dtype))
