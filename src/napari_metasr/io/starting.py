"""What a volume's file begins with, in the format that its name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.io.freesurfer import mgh_start
from napari_metasr.io.metaimage import metaimage_start
from napari_metasr.io.names import FREESURFER, METAIMAGE, NRRD, has_ending
from napari_metasr.io.nifti_start import nifti_start
from napari_metasr.io.nrrd import nrrd_start

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import DTypeLike, NDArray

    from napari_metasr.io.start import Start
    from napari_metasr.volume import Source

__all__ = ["start_of"]


def start_of(
    path: Path,
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    dtype: DTypeLike,
    source: Source,
    description: str = "",
    *,
    keeps_meaning: bool = True,
    labels: bool = False,
) -> Start:
    """Build what stands around the voxels of a file.

    Parameters
    ----------
    path
        The file to be written; its ending is one of `WRITTEN_SUFFIXES`.
    shape
        (i, j, k) or (i, j, k, t), as stored; (i, j) of a flat image.
    affine
        4 x 4, voxel (i, j, k) to world mm (RAS+).
    dtype
        Type of the voxels.
    source, description, keeps_meaning, labels
        As `write_volume`.

    Raises
    ------
    ValueError
        If the format cannot hold the type.
    """
    if has_ending(path, FREESURFER):
        return mgh_start(path, shape, affine, dtype, source.header, description)
    if has_ending(path, NRRD + METAIMAGE):
        build = nrrd_start if has_ending(path, NRRD) else metaimage_start
        return build(
            path,
            shape,
            affine,
            dtype,
            is_oriented=source.is_oriented,
            description=description,
        )
    return nifti_start(
        path,
        shape,
        affine,
        dtype,
        source,
        description,
        keeps_meaning=keeps_meaning,
        labels=labels,
    )
