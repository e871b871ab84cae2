"""Slices of a part of a volume enlarged one after the other: by a network, or around it not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.windows import Window
from napari_metasr.zoom.baselines import interpolate_pixels
from napari_metasr.zoom.whole import WholeSlices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.zoom.engine import ZoomModel

    Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

BAND_PIXELS = 1 << 23


@dataclass(frozen=True)
class SlabPass:
    """One way through a volume.

    Attributes
    ----------
    axes
        The (z, y, x) axes that slices are stacked along, and that their rows and columns count
        along.
    grid
        Of every slice.
    model
        What enlarges them.
    intensity, limits
        The volume's intensity and value range.
    boxes
        Where the model works: edges (start, stop) along z, y, x in the voxels that the pass
        reads. Everywhere if there are none; around them bicubic interpolation does.
    """

    axes: tuple[int, int, int]
    grid: OutputGrid
    model: ZoomModel
    intensity: tuple[float, float]
    limits: tuple[float, float]
    boxes: tuple[Box, ...] = ()

    @cached_property
    def _by_network(self) -> WholeSlices:
        return WholeSlices(self.model, self.grid, self.intensity, self.limits)

    def __call__(self, block: NDArray[Any], first: int) -> NDArray[np.float32]:
        """Enlarge all slices of a part (z, y, x), the first one being slice ``first``."""
        self._by_network.restart()  # a part is the same whatever was done before it
        slices = block.transpose(self.axes)
        out = np.empty((len(slices), *self.grid.output_shape), np.float32)
        for number, image in enumerate(slices):
            self._enlarge(image, first + number, out[number])
        back = np.argsort(self.axes)
        return out.transpose(tuple(int(axis) for axis in back))

    def _enlarge(self, image: NDArray[Any], index: int, out: NDArray[np.float32]) -> None:
        if not np.isfinite(image).any():
            out[...] = image[np.ix_(self.grid.rows.cells(), self.grid.columns.cells())]
        elif not self.boxes:
            self._by_network(image, [self.grid.pixel_range()], out)
        else:
            for band in _bands((0, 0, *out.shape)):
                out[_part(band)] = interpolate_pixels(image, self.grid, band, limits=self.limits)
            windows = [self.grid.pixel_range(window) for window in self._windows(index)]
            if windows:
                self._by_network(image, windows, out)

    def _windows(self, index: int) -> Iterator[Window]:
        normal, rows, columns = self.axes
        for box in self.boxes:
            start, stop = box[normal]
            if start < index + 1 and stop > index:
                yield Window(box[rows][0], box[columns][0], box[rows][1], box[columns][1])


def _bands(pixels: tuple[int, int, int, int]) -> Iterator[tuple[int, int, int, int]]:
    """A range of pixels in rows that are few enough to be rendered at a time."""
    top, left, bottom, right = pixels
    step = max(math.floor(BAND_PIXELS / (right - left)), 1)
    for first in range(top, bottom, step):
        yield first, left, min(first + step, bottom), right


def _part(pixels: tuple[int, int, int, int]) -> tuple[slice, slice]:
    top, left, bottom, right = pixels
    return slice(top, bottom), slice(left, right)
