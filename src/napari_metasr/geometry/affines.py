"""Conversions between array indices, pixel edges, napari's coordinates and the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.grids import HALF, AxisGrid, OutputGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_metasr.geometry.windows import Window
    from napari_metasr.volume import Plane


def resampled_affine(
    affine: NDArray[np.float64],
    n_in: Sequence[int],
    n_out: Sequence[int],
    first_out: Sequence[int] = (0, 0, 0),
) -> NDArray[np.float64]:
    """Resample an affine from ``n_in`` to ``n_out`` voxels, same field of view.

    Parameters
    ----------
    affine
        4 x 4, voxel (x, y, z) to world mm, of the input.
    n_in, n_out
        Numbers of voxels along x, y, z; the step is their quotient, not a nominal factor.
    first_out
        The output voxel that the returned affine maps index (0, 0, 0) to.
    """
    grids = (AxisGrid(int(before), int(after)) for before, after in zip(n_in, n_out, strict=True))
    return affine_on(affine, tuple(grids), first_out)


def affine_on(
    affine: NDArray[np.float64], grids: Sequence[AxisGrid], first_out: Sequence[int] = (0, 0, 0)
) -> NDArray[np.float64]:
    """Return the affine of a volume resampled onto grids along x, y, z; see `resampled_affine`."""
    to_input = np.eye(4)
    for axis, (grid, first) in enumerate(zip(grids, first_out, strict=True)):
        step, start = grid.place(1.0, 0.0, int(first))
        to_input[axis, axis] = step
        to_input[axis, 3] = start
    return affine @ to_input


def slice_affine(
    affine: NDArray[np.float64],
    shape: Sequence[int],
    plane: Plane,
    index: int,
    grid: OutputGrid,
    window: Window | None = None,
) -> NDArray[np.float64]:
    """Return the affine of a rendered window as a canonical (x, y, z) volume one slice thick.

    Parameters
    ----------
    affine, shape
        Of the canonical volume: 4 x 4, and its size in (z, y, x).
    plane, index
        Which slice was rendered.
    grid, window
        How it was rendered.
    """
    i0, j0, _, _ = grid.pixel_range(window)
    n_out, first = list(shape), [0, 0, 0]
    n_out[plane.row_axis], n_out[plane.column_axis] = grid.output_shape
    first[plane.row_axis], first[plane.column_axis] = i0, j0
    first[plane.normal_axis] = index
    return resampled_affine(affine, shape[::-1], n_out[::-1], first[::-1])


def slice_to_volume(image: NDArray, plane: Plane) -> NDArray:
    """Convert a (rows, columns) slice to a (z, y, x) array one slice thick."""
    return np.expand_dims(image, plane.normal_axis)


def world_of_edges(affine: NDArray[np.float64], edges: NDArray[Any]) -> NDArray[np.float64]:
    """Convert points in voxel edges, voxel ``k`` spanning [k, k + 1], to world positions (mm).

    Parameters
    ----------
    affine
        4 x 4, voxel (x, y, z) to world mm.
    edges : ndarray, shape (..., 3)
        Along x, y, z.
    """
    return (np.asarray(edges) - float(HALF)) @ affine[:3, :3].T + affine[:3, 3]


def edges_of_world(affine: NDArray[np.float64], points: NDArray[Any]) -> NDArray[np.float64]:
    """Convert world positions (mm) to voxel edges; the inverse of `world_of_edges`."""
    inverse = np.linalg.inv(affine)
    return np.asarray(points) @ inverse[:3, :3].T + inverse[:3, 3] + float(HALF)


def box_corners(box: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Return the eight corners, shape (8, 3), of a box given as (start, stop) along three axes."""
    return np.stack(np.meshgrid(*box, indexing="ij"), axis=-1).reshape(8, 3).astype(np.float64)


def middle_index(size: int) -> float:
    """Return the middle of an axis as an array index, where pixel ``k`` is centred on ``k``."""
    return size / 2 - float(HALF)


def edges_from_napari(coordinate: float, scale: float, translate: float) -> float:
    """Convert a world coordinate of a napari layer's axis to a low-resolution pixel edge."""
    return (coordinate - translate) / scale + float(HALF)


def napari_from_edges(edge: float, scale: float, translate: float) -> float:
    """Convert a low-resolution pixel edge to a world coordinate of a napari layer's axis."""
    return (edge - float(HALF)) * scale + translate
