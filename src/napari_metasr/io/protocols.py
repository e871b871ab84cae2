"""What code may ask of a volume, whatever it is stored as and whether it is in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.volume import Plane, Source


class VolumeSpace(Protocol):
    """Where a volume lies: enough to compare it with another one.

    Attributes
    ----------
    spatial_shape
        (z, y, x) canonical; (y, x) of a picture.
    affine
        4 x 4, canonical voxel (x, y, z) to world mm.
    spacing
        Between voxels in mm, in the order of ``spatial_shape``.
    source
        Where it comes from; named in messages.
    """

    @property
    def spatial_shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def affine(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def spacing(self) -> tuple[float, ...]: ...  # noqa: D102

    @property
    def source(self) -> Source: ...  # noqa: D102


class SlicedVolume(Protocol):
    """A volume whose slices are looked at one by one, wherever its voxels are."""

    def range_at(self, time: int) -> tuple[float, float]:
        """Return the intensities of one time point that inference maps to 0 and 1."""

    def slice(self, plane: Plane = ..., index: int = ..., time: int = ...) -> NDArray[Any]:
        """Return one slice (rows, columns); ValueError where there is none."""

    def slice_count(self, plane: Plane = ...) -> int:
        """Count the slices of a plane."""

    def plane_spacing(self, plane: Plane = ...) -> tuple[float, float]:
        """Return the spacing of a slice's rows and columns, in mm."""

    def slice_spacing(self, plane: Plane = ...) -> float:
        """Return the spacing from slice to slice, in mm."""


class ScannedVolume(SlicedVolume, Protocol):
    """A volume whose acquisition is looked into, slice by slice.

    Attributes
    ----------
    spatial_shape
        (z, y, x) canonical; (y, x) of a picture.
    spacing
        Between voxels in mm, in the order of ``spatial_shape``.
    time_points
        Number of volumes; 1 without a time axis.
    source
        Where it comes from, with what its header tells.
    """

    @property
    def spatial_shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def spacing(self) -> tuple[float, ...]: ...  # noqa: D102

    @property
    def time_points(self) -> int: ...  # noqa: D102

    @property
    def source(self) -> Source: ...  # noqa: D102


class VolumeGrid(Protocol):
    """Voxels of a volume of three or four dimensions, without their values.

    Attributes
    ----------
    shape
        (t, z, y, x), canonical; t is 1 without a time axis.
    spacing
        Between voxels in mm, along z, y, x.
    axes
        The canonical (z, y, x) axis of each of the file's own axes i, j, k.
    time_points
        Number of volumes; 1 without a time axis.
    dtype
        Number type as the voxels are read.
    source
        Where it comes from; it identifies no patient.
    """

    @property
    def shape(self) -> tuple[int, int, int, int]: ...  # noqa: D102

    @property
    def spacing(self) -> tuple[float, float, float]: ...  # noqa: D102

    @property
    def axes(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def time_points(self) -> int: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102

    @property
    def source(self) -> Source: ...  # noqa: D102


class VolumeReader(VolumeGrid, Protocol):
    """A stored volume that is read a part at a time, whatever it is stored as.

    Attributes
    ----------
    path
        The file or folder that was opened; named in messages.
    file_shape
        (i, j, k) or (i, j, k, t): the order in which scales and spacings are given and a NIfTI
        file is written.
    file_affine
        4 x 4, voxel (i, j, k) to world mm (RAS+).
    spatial_shape
        (z, y, x), canonical.
    affine
        4 x 4, canonical voxel (x, y, z) to world mm.
    files
        Every file that it is read from.
    record_names
        Names under which records may mention the input; () if they may not.
    """

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def file_shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def file_affine(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def spatial_shape(self) -> tuple[int, int, int]: ...  # noqa: D102

    @property
    def affine(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def files(self) -> tuple[Path, ...]: ...  # noqa: D102

    @property
    def record_names(self) -> tuple[str, ...]: ...  # noqa: D102

    def blocks(self) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
        """Read the voxels once through, in any order.

        Yields
        ------
        place, block
            Slices along t, z, y, x, and the canonical voxels there, `dtype`.

        Raises
        ------
        ValueError
            If the input ends too early or is damaged, or a value is beyond float32.
        """

    def sha256(self) -> str:
        """Return the hash of the content, which identifies the input."""
