"""Upscale the slices of a slab: by the network inside the boxes, by interpolation outside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.windows import Window
from napari_metasr.trust.correction import Correction
from napari_metasr.zoom.baselines import interpolate_pixels
from napari_metasr.zoom.whole import SliceUpscaler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid, PixelRange
    from napari_metasr.lesions.lesion import Box
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.zoom.engine import ZoomModel

BAND_PIXELS = 1 << 23


@dataclass(frozen=True)
class SlabPass:
    """One way through a volume.

    Attributes
    ----------
    axes
        The (z, y, x) axes along which slices are stacked, and along which their rows and columns
        count.
    grid
        Grid of every slice.
    model
        The network that upscales them.
    intensity_range, value_range
        The volume's intensities that the network sees as 0 and 1, and its extremes.
    boxes
        Where the network works: edges (start, stop) along z, y, x in the voxels that the pass
        reads; everywhere if there are none. Bicubic interpolation fills the rest.
    assumption
        The acquisition with which slices are made consistent, if with any.
    """

    axes: tuple[int, int, int]
    grid: OutputGrid
    model: ZoomModel
    intensity_range: tuple[float, float]
    value_range: tuple[float, float]
    boxes: tuple[Box, ...] = ()
    assumption: Assumption | None = None

    @cached_property
    def _by_network(self) -> SliceUpscaler:
        return SliceUpscaler(self.model, self.grid, self.intensity_range, self.value_range)

    def __call__(self, block: NDArray[Any], first: int) -> NDArray[np.float32]:
        """Upscale all slices of a slab (z, y, x), whose first one is slice ``first``."""
        self._by_network.restart()  # a slab comes out the same whatever was done before it
        slices = block.transpose(self.axes)
        out = np.empty((len(slices), *self.grid.output_shape), np.float32)
        for number, image in enumerate(slices):
            self._upscale(image, first + number, out[number])
        back = np.argsort(self.axes)
        return out.transpose(tuple(int(axis) for axis in back))

    def _upscale(self, image: NDArray[Any], index: int, out: NDArray[np.float32]) -> None:
        if not np.isfinite(image).any():
            out[...] = self.grid.in_cells(image)
        elif not self.boxes:
            self._super_resolve(image, [self.grid.pixel_range()], out)
        else:
            for band in _bands((0, 0, *out.shape)):
                out[_part(band)] = interpolate_pixels(
                    image, self.grid, band, value_range=self.value_range
                )
            windows = [self.grid.pixel_range(window) for window in self._windows(index)]
            if windows:
                self._super_resolve(image, windows, out)

    def _super_resolve(
        self, image: NDArray[Any], ranges: list[PixelRange], out: NDArray[np.float32]
    ) -> None:
        if self.assumption is None:
            self._by_network(image, ranges, out)
            return
        encoded = self.model.encode(image, self.intensity_range, self.value_range)
        correction = Correction(self.model, encoded, self.grid, self.assumption)
        for pixels in ranges:
            out[_part(pixels)] = self.model.render_pixels(encoded, self.grid, pixels, correction)

    def _windows(self, index: int) -> Iterator[Window]:
        normal, rows, columns = self.axes
        for box in self.boxes:
            start, stop = box[normal]
            if start < index + 1 and stop > index:
                yield Window(box[rows][0], box[columns][0], box[rows][1], box[columns][1])


def _bands(pixels: tuple[int, int, int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield a range of pixels in bands that are small enough to render at a time."""
    top, left, bottom, right = pixels
    step = max(math.floor(BAND_PIXELS / (right - left)), 1)
    for first in range(top, bottom, step):
        yield first, left, min(first + step, bottom), right


def _part(pixels: tuple[int, int, int, int]) -> tuple[slice, slice]:
    top, left, bottom, right = pixels
    return slice(top, bottom), slice(left, right)
