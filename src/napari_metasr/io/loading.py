"""Volumes that fit into memory, from files of every kind that is read in parts."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from napari_metasr.io.stored import StoredVolume
from napari_metasr.io.unchanged import unchanged
from napari_metasr.volume import Volume

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_metasr.io.protocols import VolumeReader

__all__ = ["loaded", "read_volume"]


def read_volume(path: str | os.PathLike[str]) -> Volume:
    """Read a file of NIfTI, FreeSurfer, NRRD or MetaImage as a canonical volume.

    Parameters
    ----------
    path : path
        ``.nii``, ``.nii.gz`` or either file of a ``.hdr`` / ``.img`` pair; ``.mgh`` or ``.mgz``;
        ``.nrrd`` or ``.nhdr``; ``.mha`` or ``.mhd``. In any orientation, with two to four
        dimensions, the fourth being time; further ones may only have length 1. Whether NIfTI and
        FreeSurfer's files are compressed is told by their content.

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
        The file is of none of these formats, is damaged, or holds something that is not a gray
        image with at least one finite voxel and a usable affine, or more than fits into memory.
        The message is one line.

    Warns
    -----
    UserWarning
        Some voxels are not finite, or the header had to be repaired; see ``Source.concerns``.
    """
    stored = StoredVolume.open(Path(path), flat=True)
    volume = loaded(stored, stored.blocks(wide=True))
    if stored.is_flat and volume.data.shape[0] == 1:
        return Volume(volume.data[0], volume.affine, volume.spacing[1:], volume.source)
    return volume


def loaded(
    stored: VolumeReader, blocks: Iterator[tuple[tuple[slice, ...], NDArray[Any]]] | None = None
) -> Volume:
    """Read all voxels of a volume.

    Parameters
    ----------
    stored
        The volume.
    blocks
        Its voxels; by default ``stored.blocks()``.

    Raises
    ------
    ValueError
        As `VolumeReader.blocks`; or there is not enough memory for it, or no finite voxel.

    Warns
    -----
    UserWarning
        For everything in ``Source.concerns``, and if some voxels are not finite.
    """
    needed = int(np.prod(stored.shape, dtype=object)) * stored.dtype.itemsize
    if needed > psutil.virtual_memory().available:
        raise ValueError(
            f"{stored.path}: expected an image that fits into memory, found {needed / 2**30:.1f} "
            "GiB of voxels"
        )
    data = np.empty(stored.shape, stored.dtype)
    with unchanged(stored.path, stored.files):
        for place, block in stored.blocks() if blocks is None else blocks:
            if block.dtype.itemsize > data.dtype.itemsize:
                data = data.astype(block.dtype)
            data[place] = block
    for concern in stored.source.concerns:
        warnings.warn(f"{stored.path.name}: {concern}", stacklevel=3)
    _check_finite(stored.path, data)
    return Volume(
        data=data if stored.time_points > 1 else data[0],
        affine=stored.affine,
        spacing=stored.spacing,
        source=stored.source,
    )


def _check_finite(path: Path, data: NDArray[Any]) -> None:
    """Refuse voxels none of which is finite, and warn of single ones."""
    if data.dtype.kind != "f":
        return
    missing = data.size - sum(int(np.count_nonzero(np.isfinite(part))) for part in data)
    if missing == data.size:
        raise ValueError(f"{path}: expected an image, found no finite voxel")
    if missing:
        warnings.warn(
            f"{path.name}: {missing} of {data.size} voxels are NaN or Inf; they count as the "
            "lowest value and stay NaN or Inf in every result",
            stacklevel=4,
        )
