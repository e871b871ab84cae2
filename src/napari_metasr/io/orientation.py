"""Between a file's own voxel order and the canonical one (RAS+, transposed to z, y, x)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from nibabel import orientations

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["axis_codes", "canonical_axes", "from_canonical", "to_canonical"]

_CANONICAL = np.array([[0, 1], [1, 1], [2, 1]])


def axis_codes(affine: NDArray[np.float64]) -> str:
    """Return the anatomical directions of the voxel axes, such as ``"LPS"``."""
    return "".join(orientations.aff2axcodes(affine))


def canonical_axes(affine: NDArray[np.float64]) -> tuple[int, ...]:
    """Return the canonical (z, y, x) axis that each voxel axis i, j, k becomes."""
    return tuple(2 - int(axis) for axis in orientations.io_orientation(affine)[:, 0])


def to_canonical(data: NDArray, affine: NDArray[np.float64]) -> tuple[NDArray, NDArray[np.float64]]:
    """Reorient a file's array to the closest canonical axes.

    Parameters
    ----------
    data : ndarray, shape (i, j, k) or (i, j, k, t)
        Voxels in the file's order.
    affine : ndarray, shape (4, 4)
        The file's affine, voxel (i, j, k) to world.

    Returns
    -------
    data : ndarray, shape (z, y, x) or (t, z, y, x)
        A view where the memory order allows it.
    affine : ndarray, shape (4, 4)
        Canonical voxel (x, y, z) to world; the same point for the same value.
    """
    change = orientations.io_orientation(affine)
    return _reoriented(data, affine, change, transposed=True)


def from_canonical(
    data: NDArray, affine: NDArray[np.float64], file_affine: NDArray[np.float64]
) -> tuple[NDArray, NDArray[np.float64]]:
    """Reorient canonical voxels to the axis order and directions of a file's affine.

    Parameters
    ----------
    data : ndarray, shape (z, y, x) or (t, z, y, x)
        Canonical voxels.
    affine : ndarray, shape (4, 4)
        Canonical voxel (x, y, z) to world.
    file_affine : ndarray, shape (4, 4)
        An affine with the wanted axis order and directions (its spacing and origin are not used).

    Returns
    -------
    data : ndarray, shape (i, j, k) or (i, j, k, t)
    affine : ndarray, shape (4, 4)
        Voxel (i, j, k) to world.
    """
    change = orientations.ornt_transform(_CANONICAL, orientations.io_orientation(file_affine))
    return _reoriented(data.T, affine, change, transposed=False)


def _reoriented(
    data: NDArray, affine: NDArray[np.float64], change: NDArray, *, transposed: bool
) -> tuple[NDArray, NDArray[np.float64]]:
    moved = orientations.apply_orientation(data, change)
    affine = affine @ orientations.inv_ornt_aff(change, data.shape[:3])
    return (moved.T if transposed else moved), affine
