"""Slices of a scan as truths: reduced, enlarged again, and compared with what they were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from scipy import ndimage

from napari_metasr.background import constant_background
from napari_metasr.geometry.grids import AxisGrid, OutputGrid
from napari_metasr.normalisation import HEAD_LEVEL, fill_missing
from napari_metasr.quality.hallucination import flagged_share
from napari_metasr.quality.metrics import SSIM_WINDOW, psnr, ssim
from napari_metasr.quality.trial import Quality
from napari_metasr.trust.own_acquisition import cut_background
from napari_metasr.zoom.baselines import interpolate_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from napari_metasr.geometry.windows import Window
    from napari_metasr.trust.own_acquisition import OwnAcquisition
    from napari_metasr.trust.risk import RiskModel
    from napari_metasr.volume import Plane, Volume
    from napari_metasr.zoom.protocols import Engine

Item = TypeVar("Item")

NETWORK = "network"
INTERPOLATIONS = ("bicubic", "lanczos")
METHODS = (NETWORK, *INTERPOLATIONS)
"""What is compared, the network first."""

LEAST_REDUCED = 16
"""Rows and columns that a reduced slice must keep."""

RIM = 2.0
"""Reduced pixels along the cut edge of a mask that are not compared: the cut is no anatomy."""

LEAST_HEAD = 0.5
"""Share of the largest head's area from which a slice is looked at."""


@dataclass(frozen=True)
class OwnSlice:
    """A slice that serves as the truth.

    Attributes
    ----------
    index
        Its place in the volume.
    image
        (rows, columns), float32, in the scan's units, without gaps.
    head
        Boolean, of the image's shape: the head, within the region that is looked at, without gaps.
    depth
        Distance from where the slice was cut out by a mask, and from gaps, in pixels; infinite
        without either.
    part
        The rows and columns that are looked at: the region's, or all.
    """

    index: int
    image: NDArray[np.float32]
    head: NDArray[np.bool_]
    depth: NDArray[np.float64]
    part: tuple[slice, slice]

    def inside(self, scale: float) -> NDArray[np.bool_]:
        """Mark what is compared at a scale: the head without the rim of a mask or a gap."""
        marked: NDArray[np.bool_] = self.head & (self.depth > RIM * scale)
        return marked


@dataclass(frozen=True)
class Compared:
    """One slice at one scale.

    Attributes
    ----------
    index
        The slice's place in the volume.
    scale
        By how much its rows and columns were reduced, to a float's accuracy.
    quality
        PSNR (dB) and SSIM of each method, inside the head; NaN where nothing is to be compared.
    flagged
        Share of patches, 0..1, in which a method departs from the truth where the scan had
        measured it (sFRC); NaN where what is looked at is smaller than a patch.
    """

    index: int
    scale: tuple[float, float]
    quality: Mapping[str, Quality]
    flagged: Mapping[str, float]


def _head_of(image: NDArray[Any], intensity_range: tuple[float, float]) -> NDArray[np.bool_]:
    """Mark the head: brighter than a tenth of the intensity range, and what that encloses.

    Background as bright as that, as of intensities that were standardised within a mask, is none
    of it.
    """
    low, high = intensity_range
    level = low + HEAD_LEVEL * (high - low)
    head: NDArray[np.bool_] = ndimage.binary_fill_holes(image > level)
    background = constant_background(image)
    if background is not None and image[background][0] > level:
        head &= ~background
    return head


def own_slices(
    volume: Volume,
    plane: Plane,
    count: int,
    *,
    index: int | None = None,
    region: Window | None = None,
) -> list[OwnSlice]:
    """Choose slices, evenly spread over those that hold much of the head.

    Parameters
    ----------
    count
        How many at most.
    index
        Only this slice.
    region
        Compare only there, in pixel edges of a slice.

    Raises
    ------
    ValueError
        If there is no such slice or region, or nothing to see in it.
    """
    low, high = volume.intensity_range
    if not low < high:
        raise ValueError("the scan is empty: all of its voxels have the same value")
    places = range(volume.slice_count(plane)) if index is None else [index]
    found = [_own_slice(volume, plane, place, region) for place in places]
    areas = [int(np.count_nonzero(one.head)) for one in found]
    if not max(areas):
        where = "the scan" if index is None else f"slice {index}"
        where = where if region is None else f"the region of {where}"
        raise ValueError(f"{where} is empty: nothing in it stands out from the background")
    enough = [
        one for one, area in zip(found, areas, strict=True) if area >= LEAST_HEAD * max(areas)
    ]
    chosen = np.unique(np.linspace(0, len(enough) - 1, min(count, len(enough))).round())
    return [enough[int(place)] for place in chosen]


def _own_slice(volume: Volume, plane: Plane, index: int, region: Window | None) -> OwnSlice:
    stored = volume.slice(plane, index)
    filled, missing = fill_missing(stored, volume.value_range[0])
    image = filled.astype(np.float32)
    head = _head_of(image, volume.intensity_range)
    shape = (image.shape[0], image.shape[1])
    unknown = np.zeros(shape, bool)
    for found in (missing, cut_background(image)):
        if found is not None:
            unknown |= found
    depth = np.full(shape, np.inf)
    if unknown.any():
        depth = ndimage.distance_transform_edt(~unknown)
    if missing is not None:
        head &= ~missing
    top, left, bottom, right = (
        (0, 0, *shape) if region is None else region.inside(shape).pixels(shape)
    )
    part = np.s_[top:bottom, left:right]
    inside = np.zeros(shape, bool)
    inside[part] = True
    return OwnSlice(index, image, head & inside, depth, part)


def reduced_shape(shape: tuple[int, ...], scale: float) -> tuple[int, int] | None:
    """Return the rows and columns of a slice reduced by a scale; None if too few are left."""
    rows, columns = (max(round(size / scale), 1) for size in shape)
    return (rows, columns) if min(rows, columns) >= LEAST_REDUCED else None


class Enlargement:
    """Reduce slices of one shape by one scale and enlarge them by every method.

    Parameters
    ----------
    model
        The network.
    acquisition
        How slices are reduced.
    shape
        Rows and columns of the slices.
    scale
        By how much they are reduced.
    intensity_range, value_range
        Of the volume.
    seed
        Of the noise: a slice has the same noise whatever is put into it.

    Raises
    ------
    ValueError
        If the reduced slice were too small.
    """

    def __init__(
        self,
        model: Engine,
        acquisition: OwnAcquisition,
        shape: tuple[int, ...],
        scale: float,
        *,
        intensity_range: tuple[float, float],
        value_range: tuple[float, float],
        seed: int = 0,
    ) -> None:
        reduced = reduced_shape(shape, scale)
        if reduced is None:
            raise ValueError(f"a slice of {shape[0]} x {shape[1]} pixels is too small for x{scale}")
        self.scale = scale
        self.grid = OutputGrid(
            *(AxisGrid(few, many) for few, many in zip(reduced, shape, strict=True))
        )
        self._model, self._acquisition = model, acquisition
        self._intensity_range, self._value_range = intensity_range, value_range
        self._seed = seed

    def reduced(self, image: NDArray[Any], index: int) -> NDArray[np.float32]:
        """Reduce a slice; ``index`` decides its noise."""
        rng = np.random.default_rng((self._seed, index))
        return self._acquisition.reduce(image, self.grid.input_shape, rng)

    def __call__(self, image: NDArray[Any], index: int) -> dict[str, NDArray[np.float32]]:
        """Reduce a slice, (rows, columns), and return it enlarged by each of the `METHODS`."""
        reduced = self.reduced(image, index)
        results = {NETWORK: self.enlarged(reduced, self._model)}
        for method in INTERPOLATIONS:
            results[method] = interpolate_pixels(
                reduced, self.grid, self.grid.pixel_range(), method, self._value_range
            )
        return results

    def enlarged(
        self, reduced: NDArray[np.float32], model: Engine | RiskModel
    ) -> NDArray[np.float32]:
        """Enlarge a reduced slice by a network, or its estimated error by the error head."""
        encoded = model.encode(reduced, self._intensity_range, self._value_range)
        return model.render_pixels(encoded, self.grid, self.grid.pixel_range())

    @property
    def measured_scale(self) -> float:
        """The scale to the highest frequency that the reduced scan has measured."""
        return max(max(self.grid.true_scale) / self._acquisition.share, 1.0)

    def compare(self, truth: OwnSlice, results: Mapping[str, NDArray[np.float32]]) -> Compared:
        """Compare the results of a slice with the slice."""
        inside = truth.inside(max(self.grid.true_scale))
        quality, flagged, part = {}, {}, truth.part
        for name, image in results.items():
            shown = np.where(inside, image, truth.image)  # what is outside counts for nothing
            quality[name] = self._quality(shown, truth.image, inside)
            flagged[name] = flagged_share(
                shown[part], truth.image[part], self.measured_scale, truth.head[part]
            )
        return Compared(truth.index, self.grid.true_scale, quality, flagged)

    @property
    def width(self) -> float:
        """Width of the volume's intensity range."""
        return self._intensity_range[1] - self._intensity_range[0]

    def _quality(
        self, image: NDArray[np.float32], truth: NDArray[np.float32], inside: NDArray[np.bool_]
    ) -> Quality:
        if not inside.any():
            return Quality(math.nan, math.nan)
        large = min(truth.shape) >= SSIM_WINDOW
        similarity = ssim(image, truth, self.width, inside) if large else math.nan
        return Quality(psnr(image[None, inside], truth[None, inside], self.width), similarity)


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """Choose at most ``count`` of these, evenly spread, not at their ends: the middle for one."""
    count = min(count, len(items))
    return [items[(2 * number + 1) * len(items) // (2 * count)] for number in range(count)]


def mean(compared: Sequence[Compared], value: Callable[[Compared], float]) -> float:
    """Average what is finite over slices; NaN where nothing is."""
    values = [one for one in map(value, compared) if math.isfinite(one)]
    return float(np.mean(values)) if values else math.nan
