"""Choose the demonstration's scene: a volume, an axial slice, a region of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_metasr.geometry.windows import Window
from napari_metasr.io import read_volume
from napari_metasr.normalisation import HEAD_LEVEL, LinearMap, fill_missing
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.volume import Volume

REGION_MM = 96.0
LESION_MM = 36.0
RIM_MM = 8.0


@dataclass(frozen=True)
class Scene:
    """A volume and the region to zoom into.

    Attributes
    ----------
    volume, path
        The volume and its file; a phantom has none.
    index
        The axial slice.
    region
        The part of it to super-resolve, in pixels.
    model, device
        Name of the model and of the device.
    """

    volume: Volume
    path: Path | None
    index: int
    region: Window
    model: str
    device: str


def choose_scene(
    path: Path | None, index: int | None, region: Window | None, model: str, device: str
) -> Scene:
    """Read the volume, by default a sample, and choose slice and region if they are not given.

    Raises
    ------
    FileNotFoundError, ValueError
        If the volume cannot be read, or has no such slice or region.
    """
    mask = None
    if path is not None:
        volume = read_volume(path)
    else:
        volume, mask, path = _sample()
    if volume.data.ndim == 2:
        raise ValueError(f"{path}: the demonstration needs a volume, found a 2-D image")
    volume = volume.at_time(0)
    weights = enhancement(volume.data, volume) if mask is None else mask.astype(np.float32)
    if index is None:
        index = int(np.argmax(weights.sum(axis=(1, 2))))
    shape = (volume.slice(Plane.AXIAL, index).shape[0], volume.slice(Plane.AXIAL, index).shape[1])
    if region is None:
        region = _region_around(weights[index], volume.plane_spacing(Plane.AXIAL), shape)
    return Scene(volume, path, index, region.inside(shape), model, device)


def enhancement(data: NDArray[np.generic], volume: Volume) -> NDArray[np.float32]:
    """Estimate where a bright one-sided lesion may be: a heuristic to aim the demonstration.

    Brightness is raised to the fourth power, so that enhancement outweighs tissue, smoothed, and
    compared with its own mirror image about the head's middle: what is brighter than the other
    side, away from the head's rim, remains.

    Parameters
    ----------
    data : ndarray, shape (z, y, x)
    volume : Volume
        Gives intensity range and spacing.

    Returns
    -------
    ndarray, shape (z, y, x)
        Not negative; all of it in the one block of lesion size that holds the most.
    """
    filled, _ = fill_missing(data, volume.value_range[0])
    brightness = np.clip(LinearMap(*volume.intensity_range).forward(filled), 0, 1)
    head = brightness > HEAD_LEVEL
    columns = np.flatnonzero(head.any(axis=(0, 1)))
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, data.shape[2])
    size = [_odd(LESION_MM / step, n) for step, n in zip(volume.spacing, data.shape, strict=True)]
    rim = [_odd(2 * RIM_MM / step, n) for step, n in zip(volume.spacing, data.shape, strict=True)]
    inner = ndimage.minimum_filter(ndimage.maximum_filter(head, 3), rim, mode="nearest")
    blurred = ndimage.uniform_filter(brightness**4, [max(n // 4, 1) for n in size])
    excess = np.zeros_like(brightness)
    excess[:, :, left:right] = blurred[:, :, left:right] - blurred[:, :, left:right][:, :, ::-1]
    excess = np.where(inner, np.maximum(excess, 0), 0)
    centre = np.unravel_index(np.argmax(ndimage.uniform_filter(excess, size)), data.shape)
    block = tuple(slice(max(c - n, 0), c + n + 1) for c, n in zip(centre, size, strict=True))
    only = np.zeros_like(excess)
    only[block] = excess[block]
    return only


def _region_around(
    weights: NDArray[np.float32], spacing: tuple[float, float], shape: tuple[int, int]
) -> Window:
    """Place a square of ``REGION_MM`` around the weights' centre of mass, inside the slice."""
    if not weights.any():
        weights = np.ones_like(weights)
    centre = ndimage.center_of_mass(weights)
    height, width = (
        min(round(REGION_MM / step), n) for step, n in zip(spacing, shape, strict=True)
    )
    top, left, _, _ = Window.around((centre[0], centre[1]), height, width)
    return Window.at(
        min(max(round(top), 0), shape[0] - height),
        min(max(round(left), 0), shape[1] - width),
        height,
        width,
    )


def _sample() -> tuple[Volume, NDArray[np.uint8] | None, Path | None]:
    """Read the BraTS case, or the phantom and its mask where that is unavailable."""
    from napari_metasr.samples.samples import brats_case, phantom

    try:
        path = brats_case()
    except (OSError, ValueError) as error:
        print(f"{' '.join(str(error).split())}\nUsing the simulated phantom.")
        volume, mask = phantom()
        return volume, mask, None
    return read_volume(path), None, path


def read_sample(path: Path | None) -> Volume:
    """Read the volume of a file, or make the phantom where there is none."""
    from napari_metasr.samples.samples import phantom

    return phantom()[0] if path is None else read_volume(path)


def _odd(size: float, largest: int) -> int:
    """Round a size to an odd whole number, for a filter."""
    return 2 * (min(round(size), largest) // 2) + 1
