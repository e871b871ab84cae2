"""Compute the grid to which a volume is upscaled, and check its size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.geometry.affines import affine_on
from napari_metasr.geometry.grids import AxisGrid, nominal_scale, output_size
from napari_metasr.upscaling.errors import TooLargeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.io.protocols import VolumeGrid
    from napari_metasr.lesions.lesion import Box
    from napari_metasr.upscaling.options import UpscaleOptions

LARGEST_SIDE = 4096
LARGEST_VOXELS = 1 << 32
SAME_SPACING = 1e-5
FINEST_FRACTION = 10**9


@dataclass(frozen=True)
class Target:
    """Output voxels over input voxels, along canonical z, y, x.

    Attributes
    ----------
    axes
        Grid of each axis.
    input_spacing
        Spacing of the input, in mm.
    """

    axes: tuple[AxisGrid, AxisGrid, AxisGrid]
    input_spacing: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Output voxels along z, y, x."""
        z, y, x = (axis.output for axis in self.axes)
        return z, y, x

    @property
    def scale(self) -> tuple[float, float, float]:
        """Output voxels for each input voxel."""
        z, y, x = (float(axis.scale) for axis in self.axes)
        return z, y, x

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Spacing of the output voxels, in mm."""
        z, y, x = (
            axis.place(size, 0.0)[0]
            for axis, size in zip(self.axes, self.input_spacing, strict=True)
        )
        return z, y, x

    def affine(self, input_affine: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the affine from output voxels (x, y, z) to world mm, given that of the input."""
        return affine_on(input_affine, self.axes[::-1])


def target_of(volume: VolumeGrid, options: UpscaleOptions) -> Target:
    """Compute the grid that the options ask for.

    Raises
    ------
    ValueError
        If it is coarser than the volume's along an axis, or its own, or far too large.
    """
    axes: list[AxisGrid] = [AxisGrid(1, 1)] * 3
    for number, axis in enumerate(volume.axes):
        size = volume.shape[1 + axis]
        if options.scale is not None:
            factor = options.scale[number % len(options.scale)]
            axes[axis] = AxisGrid(size, output_size(size, nominal_scale(factor)))
        elif options.spacing is not None:
            wanted = options.spacing[number % len(options.spacing)]
            axes[axis] = spaced_axis(size, volume.spacing[axis], wanted, number)
    target = Target((axes[0], axes[1], axes[2]), volume.spacing)
    if all(axis.is_identity for axis in target.axes):
        raise ValueError("the requested grid equals the input's: nothing to do")
    return target


def spaced_axis(size: int, spacing: float, wanted: float, number: int = 0) -> AxisGrid:
    """Lay output voxels exactly ``wanted`` mm apart, centred on the input.

    Their extent differs from the input's by at most half an output voxel.

    Parameters
    ----------
    size, spacing
        Voxels of the input, and mm between them.
    wanted
        Spacing of the output, in mm.
    number
        Number of the file's axis, for messages.

    Raises
    ------
    ValueError
        If that is coarser than the input, or would be more voxels than can be handled.
    """
    step = (Fraction(str(wanted)) / Fraction(spacing)).limit_denominator(FINEST_FRACTION)
    if step == 0:
        raise ValueError(
            f"expected a spacing of at least {spacing / FINEST_FRACTION:g} mm along axis "
            f"{number + 1}, found {wanted:g} mm"
        )
    if abs(step - 1) < SAME_SPACING:
        return AxisGrid(size, size)
    if step > 1:
        raise ValueError(
            f"expected a spacing of at most {spacing:g} mm, the file's own, along axis "
            f"{number + 1}, found {wanted:g} mm"
        )
    output = output_size(size, 1 / step)
    return AxisGrid(size, output, None if output * step == size else step)


def check_size(target: Target, times: int, itemsize: int, *, force: bool = False) -> None:
    """Refuse an output so large that it is probably a slip.

    Parameters
    ----------
    target
        Grid of the output.
    times
        Number of time points.
    itemsize
        Bytes of an output voxel.
    force
        Allow any size.

    Raises
    ------
    TooLargeError
        If a side has more than 4096 voxels or the whole more than 2^32; with the size.
    """
    voxels = times * int(np.prod(target.shape, dtype=object))
    before = times * int(np.prod([axis.input for axis in target.axes], dtype=object))
    if force or (max(target.shape) <= LARGEST_SIDE and voxels <= LARGEST_VOXELS):
        return
    size = " x ".join(map(str, target.shape[::-1])) + (f" x {times}" if times > 1 else "")
    # the input as stored, both views in single precision, and the uncompressed output
    meanwhile = before * itemsize + voxels // times * 8 + voxels * itemsize
    raise TooLargeError(
        f"the output would have {size} voxels (x, y, z), {voxels * itemsize / 2**30:.1f} GiB, and "
        f"need up to {meanwhile / 2**30:.1f} GiB more of disk space while it is made"
    )


def upscaled_box(box: Box, target: Target, normal: int) -> Box:
    """Convert a box from input edges to those of voxels that are upscaled along all other axes."""
    edges = [
        (start, stop)
        if number == normal
        else (
            max(float(axis.edge(start)), 0.0),
            min(float(axis.edge(stop)), float(axis.output)),
        )
        for number, (axis, (start, stop)) in enumerate(zip(target.axes, box, strict=True))
    ]
    return edges[0], edges[1], edges[2]
