"""What a volume must offer to be enlarged a part at a time, whatever it is stored as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.volume import Source

__all__ = ["VolumeInParts"]


class VolumeInParts(Protocol):
    """A volume of three or four dimensions, of which nothing but the geometry is in memory.

    Attributes
    ----------
    path
        What was opened: a file or a folder. Named in messages.
    file_shape
        (i, j, k) or (i, j, k, t): the order in which scales and spacings are given and a NIfTI
        file is written.
    file_affine
        4 x 4, voxel (i, j, k) to world mm (RAS+).
    source
        Enough to write a file like it; names nobody that may not be named.
    time_points
        How many volumes there are; 1 without a time axis.
    dtype
        Of what is read.
    affine
        4 x 4, canonical voxel (x, y, z) to world mm.
    shape
        (t, z, y, x), canonical; t is 1 without a time axis.
    spacing
        Between voxels, in mm, along z, y, x.
    axes
        The canonical (z, y, x) axis of each of the axes i, j, k.
    files
        All that it is read from.
    record_names
        What the input may be called in records; () if it may not be called anything.
    """

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def file_shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def file_affine(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def source(self) -> Source: ...  # noqa: D102

    @property
    def time_points(self) -> int: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102

    @property
    def affine(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def shape(self) -> tuple[int, int, int, int]: ...  # noqa: D102

    @property
    def spacing(self) -> tuple[float, float, float]: ...  # noqa: D102

    @property
    def axes(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def files(self) -> tuple[Path, ...]: ...  # noqa: D102

    @property
    def record_names(self) -> tuple[str, ...]: ...  # noqa: D102

    def blocks(self) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
        """The voxels, once through, in any order.

        Yields
        ------
        place, block
            Slices along t, z, y, x, and the canonical voxels there, `dtype`.

        Raises
        ------
        ValueError
            The input ends too early or is damaged, or a value is beyond float32.
        """

    def sha256(self) -> str:
        """The hash of the content, by which the same input is known again."""
