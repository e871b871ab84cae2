"""From a file's own voxel axes to the canonical ones, for volumes that are read in parts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.affines import voxel_sizes

from napari_metasr.io.orientation import axis_codes, canonical_axes, to_canonical

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FileGrid"]


class FileGrid:
    """What follows from the shape and the affine of a file.

    Attributes
    ----------
    file_shape
        (i, j, k) or (i, j, k, t), as stored.
    file_affine
        4 x 4, voxel (i, j, k) to world mm.
    """

    file_shape: tuple[int, ...]
    file_affine: NDArray[np.float64]

    @property
    def time_points(self) -> int:
        """How many volumes there are; 1 without a time axis."""
        return self.file_shape[3] if len(self.file_shape) == 4 else 1

    @cached_property
    def affine(self) -> NDArray[np.float64]:
        """4 x 4, canonical voxel (x, y, z) to world mm."""
        return self._canonical[1]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(t, z, y, x), canonical; t is 1 without a time axis."""
        z, y, x = self._canonical[0].shape
        return self.time_points, z, y, x

    @property
    def spatial_shape(self) -> tuple[int, int, int]:
        """(z, y, x), canonical."""
        return self.shape[1:]

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """Between voxels, in mm, along z, y, x."""
        x, y, z = (float(size) for size in voxel_sizes(self.affine))
        return z, y, x

    @property
    def axes(self) -> tuple[int, ...]:
        """The canonical (z, y, x) axis of each of the file's own axes i, j, k."""
        return canonical_axes(self.file_affine)

    def canonical_part(
        self, values: NDArray[Any], time: int, first: int
    ) -> tuple[tuple[slice, ...], NDArray[Any]]:
        """Turn some layers of a time point from the file's axes to the canonical ones.

        Parameters
        ----------
        values
            (i, j, layers), whole in i and j.
        time, first
            The time point, and which layer along k is the first.

        Returns
        -------
        place, block
            Slices along t, z, y, x, and the voxels there, of four dimensions.
        """
        block, _ = to_canonical(values, self.file_affine)
        place = [slice(0, size) for size in self.shape]
        axis = self.axes[2]
        size, last = self.shape[1 + axis], first + values.shape[2]
        flipped = axis_codes(self.file_affine)[2] in "LPI"
        place[0] = slice(time, time + 1)
        place[1 + axis] = slice(size - last, size - first) if flipped else slice(first, last)
        return tuple(place), block[np.newaxis]

    @cached_property
    def _canonical(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """An array of the canonical shape without memory of its own, and the affine."""
        shapes = np.broadcast_to(np.uint8(0), self.file_shape[:3])
        return to_canonical(shapes, self.file_affine)
