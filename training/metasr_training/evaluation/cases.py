"""A slice, what became of it under a condition, and where in it methods are compared."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, Field

from metasr_training.datasets.eight_bits import eight_bit_range, eight_bits
from metasr_training.datasets.regions import Roi
from metasr_training.datasets.windows import (
    PUBLISHED_CROP,
    mask_box,
    maximal_information_crop,
    roi_window,
)
from napari_metasr.degradations import add_k_space_noise, degrade
from napari_metasr.geometry.grids import AxisGrid, OutputGrid, nominal_scale
from napari_metasr.geometry.windows import Window
from napari_metasr.quality.metrics import brain_box

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from metasr_training.catalogue import Region
    from metasr_training.condition import Condition
    from metasr_training.datasets.slices import Slice

    # The lesion's box in a slice's pixels, or None, from its low-resolution image, what is 0 and 1
    # to the detector, and the slice's shape.
    Detect = Callable[[NDArray[np.float32], tuple[float, float], tuple[int, int]], Window | None]


class RegionOptions(BaseModel, extra="forbid", frozen=True):
    """Where methods are compared.

    Attributes
    ----------
    roi
        What the window of interest is centred on: ``mask``, the box of the slice's tumour (of the
        brain where the data set has no masks; a slice without a tumour is left out);
        ``detector``, the surest box that the lesion detector finds in the low-resolution slice
        (the brain's where it finds none, so that the same slices are compared);
        ``box``, the one that holds the brain.
    roi_size
        Rows and columns of the window of interest, in high-resolution pixels.
    crop_size
        Rows and columns of the maximal-information crop, in high-resolution pixels.
    """

    roi: Roi = "mask"
    roi_size: int = Field(96, ge=11)
    crop_size: tuple[int, int] = PUBLISHED_CROP


@dataclass(frozen=True)
class Case:
    """One slice under one condition.

    Attributes
    ----------
    slice
        Where it is from.
    condition
        Name of the condition.
    truth
        (H, W) on the 0..255 scale; for a whole scale its sides are multiples of the scale.
    low_resolution
        (h, w), the truth as it went through the condition.
    grid
        From the one to the other.
    regions
        Name to window (top, left, bottom, right) of the truth; the first is the one that tables
        are about.
    """

    slice: Slice
    condition: str
    truth: NDArray[np.float32]
    low_resolution: NDArray[np.float32]
    grid: OutputGrid
    regions: dict[str, Window]

    @property
    def main(self) -> str:
        """The name of the region that tables are about."""
        return next(iter(self.regions))

    @property
    def intensity_range(self) -> tuple[float, float]:
        """What networks see as 0 and 1, on the 0..255 scale."""
        return eight_bit_range(self.slice)


def reduced_grid(shape: tuple[int, int], scale: float) -> OutputGrid:
    """Return the grid from a slice reduced by about ``scale`` back to ``shape``."""
    rows, columns = (
        AxisGrid(max(round(Fraction(size) / nominal_scale(scale)), 1), size) for size in shape
    )
    return OutputGrid(rows, columns)


def whole_pixels(one: Slice, scale: float) -> Slice:
    """Cut a slice, at its bottom and right, to a multiple of a whole scale.

    Networks of one scale give exactly that many times the low-resolution pixels. Nothing is cut
    for a scale that is not whole.
    """
    rows, columns = (size - size % whole_step(scale) for size in one.image.shape)
    mask = None if one.mask is None else one.mask[:rows, :columns]
    return replace(one, image=one.image[:rows, :columns], mask=mask)


def noise_rng(one: Slice, condition: Condition) -> np.random.Generator:
    """Return the random generator of a slice's noise, the same in every evaluation."""
    name = f"{one.source}/{one.name}/{condition.name}"
    return np.random.default_rng(zlib.crc32(name.encode()))


def degrade_slice(
    one: Slice, condition: Condition
) -> tuple[Slice, NDArray[np.float32], NDArray[np.float32], OutputGrid]:
    """Reduce a slice under a condition.

    Returns
    -------
    slice, truth, low_resolution, grid
        The slice cut to whole low-resolution pixels; it and its low-resolution image, with the
        condition's noise, on the 0..255 scale; and the grid from the one to the other.
    """
    one = whole_pixels(one, condition.scale)
    truth = eight_bits(one)
    grid = reduced_grid((len(truth), len(truth[0])), condition.scale)
    low_resolution = degrade(truth, grid.input_shape, condition.degradation)
    if condition.noise:
        rng = noise_rng(one, condition)
        low_resolution = add_k_space_noise(low_resolution, condition.noise, rng)
    return one, truth, low_resolution, grid


def whole_step(scale: float) -> int:
    """Return the pixels in a low-resolution pixel of a whole scale; 1 for any other scale."""
    exact = nominal_scale(scale)
    return exact.numerator if exact.denominator == 1 else 1


def lesion_box(one: Slice, truth: NDArray[np.float32]) -> Window | None:
    """Return the box of the tumour, or of the brain if there is no mask; None without a tumour."""
    box = brain_box(truth) if one.mask is None else mask_box(one.mask)
    return None if box is None else Window(*box)


def interest(
    one: Slice,
    truth: NDArray[np.float32],
    low_resolution: NDArray[np.float32],
    options: RegionOptions,
    detect: Detect | None,
) -> Window | None:
    """Return the box that the window of interest is centred on; None if there is none.

    Raises
    ------
    ValueError
        If the detector's box is asked for and no detector is given.
    """
    if options.roi == "box":
        return Window(*brain_box(truth))
    box = lesion_box(one, truth)
    if options.roi == "mask" or box is None:
        return box
    if detect is None:
        raise ValueError("expected a lesion detector for regions of interest, found none")
    rows, columns = truth.shape
    return detect(low_resolution, eight_bit_range(one), (rows, columns)) or Window(
        *brain_box(truth)
    )


def make_case(
    one: Slice,
    condition: Condition,
    region: Region,
    options: RegionOptions,
    detect: Detect | None = None,
) -> Case | None:
    """Make the case of a slice under a condition; None if its region has nothing to compare.

    That is a slice without a tumour where regions of interest are compared, or one whose region
    has a single intensity, of which there is no PSNR.
    """
    one, truth, low_resolution, grid = degrade_slice(one, condition)
    rows, columns = truth.shape
    whole = Window(0, 0, rows, columns)
    regions: dict[str, Window] = {}
    if region == "crop":
        regions["crop"] = Window(*maximal_information_crop(truth, options.crop_size))
    if region == "roi":
        box = interest(one, truth, low_resolution, options, detect)
        if box is None:
            return None
        step = whole_step(condition.scale)
        regions["roi"] = Window(*roi_window(box, options.roi_size, (rows, columns), step))
    regions["slice"] = whole
    if region == "slice":
        regions["brain"] = Window(*brain_box(truth))
    case = Case(one, condition.name, truth, low_resolution, grid, regions)
    part = cut(truth, regions[case.main])
    return case if part.min() < part.max() else None


def cut(image: NDArray[Any], window: Window) -> NDArray[Any]:
    """Cut a window out of an image."""
    top, left, bottom, right = (int(edge) for edge in window)
    return image[top:bottom, left:right]
