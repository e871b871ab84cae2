"""Batches of low- and high-resolution patches at one random scale a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, Field

from napari_metasr.degradations import DEGRADATIONS, degradation_matrix
from napari_metasr.geometry import AxisGrid, OutputGrid, PixelRange

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from metasr_training.datasets.slices import Slice


class PatchConfig(BaseModel, extra="forbid", frozen=True):
    """How batches are drawn.

    Attributes
    ----------
    batch
        Patches a batch.
    patch
        Rows and columns of the high-resolution patch that is compared, in pixels (up to one
        more or less, since its edges are those of low-resolution pixels).
    context
        Low-resolution pixels shown to the network around the patch, as in a whole slice.
    canvas
        Rows and columns of the zero-filled field that a slice lies in when it is degraded.
    scales
        The scales a batch is drawn from.
    anisotropic_share
        Share of batches whose two scales are drawn apart; in half of them one is 1.
    degradations
        Relative frequency of each degradation.
    sources
        Relative frequency of each data set.
    """

    batch: int = Field(8, ge=1)
    patch: int = Field(96, ge=8)
    context: int = Field(4, ge=0)
    canvas: int = Field(256, ge=16)
    scales: tuple[float, ...] = tuple(round(1 + tenths / 10, 1) for tenths in range(1, 31))
    anisotropic_share: float = Field(0.25, ge=0, le=1)
    degradations: dict[str, float] = {"bicubic": 1, "bilinear": 1, "box": 0.6, "k-space": 1.6}
    sources: dict[str, float] = {"tcga-lgg": 0.4, "cheng": 0.25, "brats20": 0.35}


@dataclass(frozen=True)
class Batch:
    """Low-resolution patches and the truth of the output pixels ``pixels``.

    Attributes
    ----------
    low_resolution
        (batch, 1, h, w), with context.
    truth
        (batch, 1, H, W).
    grid, pixels, origin
        The output grid of the canvas, which of its pixels ``truth`` holds, and where on the
        low-resolution canvas ``low_resolution`` begins.
    """

    low_resolution: Tensor
    truth: Tensor
    grid: OutputGrid
    pixels: PixelRange
    origin: tuple[int, int]


@dataclass(frozen=True)
class _AxisCut:
    """The part of an axis that a patch takes: cells with context, and output pixels."""

    grid: AxisGrid
    cells: slice
    pixels: slice


def _cut(canvas: int, patch: int, context: int, scale: float, rng: np.random.Generator) -> _AxisCut:
    low = canvas if scale == 1 else min(round(canvas / scale), canvas)
    grid = AxisGrid(low, canvas)
    length = min(max(round(patch / float(grid.scale)), 1), low)
    first = int(rng.integers(0, low - length + 1))
    start, stop = grid.pixel_range(first, first + length)
    return _AxisCut(
        grid,
        slice(max(first - context, 0), min(first + length + context, low)),
        slice(start, stop),
    )


class PatchSampler:
    """Draw batches from slices held in memory.

    Every slice lies on a canvas of zeros and is moved cyclically by whole pixels, so that a
    random point of the head comes to the patch; it is flipped and turned at random, and the
    whole canvas is degraded, so that nothing of the patch's border is made up.

    Parameters
    ----------
    slices
        Training slices, none larger than the canvas.
    config
        How to draw.

    Raises
    ------
    ValueError
        If a slice is larger than the canvas, or a degradation is unknown.
    """

    def __init__(self, slices: list[Slice], config: PatchConfig) -> None:
        unknown = set(config.degradations) - set(DEGRADATIONS)
        if unknown:
            raise ValueError(f"expected degradations among {DEGRADATIONS}, found {unknown}")
        self.config = config
        self._canvases: dict[str, list[NDArray[np.float16]]] = {}
        for one in slices:
            canvas = np.zeros((config.canvas, config.canvas), np.float16)
            rows, columns = one.image.shape
            if max(rows, columns) > config.canvas:
                raise ValueError(
                    f"expected slices of at most {config.canvas} pixels, "
                    f"found {one.name} of {rows} x {columns}"
                )
            canvas[:rows, :columns] = one.normalised
            self._canvases.setdefault(one.source, []).append(canvas)
        self._sources = [name for name in config.sources if name in self._canvases]

    def _scales(self, rng: np.random.Generator) -> tuple[float, float]:
        scale = float(rng.choice(self.config.scales))
        if rng.random() >= self.config.anisotropic_share:
            return scale, scale
        other = 1.0 if rng.random() < 1 / 2 else float(rng.choice(self.config.scales))
        return (scale, other) if rng.random() < 1 / 2 else (other, scale)

    def _image(self, rows: slice, columns: slice, rng: np.random.Generator) -> NDArray[np.float32]:
        weights = np.array([self.config.sources[name] for name in self._sources])
        pool = self._canvases[rng.choice(self._sources, p=weights / weights.sum())]
        canvas = pool[int(rng.integers(len(pool)))]
        canvas = np.rot90(canvas, int(rng.integers(4)))
        if rng.random() < 1 / 2:
            canvas = canvas[::-1]
        head = np.argwhere(canvas[::8, ::8] > 0) * 8
        point = head[int(rng.integers(len(head)))] + rng.integers(0, 8, 2)
        centre = np.array([rows.start + rows.stop, columns.start + columns.stop]) // 2
        moved = np.roll(canvas, tuple(int(step) for step in centre - point), axis=(0, 1))
        return moved.astype(np.float32)

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch: one pair of scales and one degradation for all of it."""
        config = self.config
        scales = self._scales(rng)
        y, x = (_cut(config.canvas, config.patch, config.context, r, rng) for r in scales)
        weights = np.array(list(config.degradations.values()))
        method = str(rng.choice(list(config.degradations), p=weights / weights.sum()))
        images = np.stack([self._image(y.pixels, x.pixels, rng) for _ in range(config.batch)])
        left, right = (
            degradation_matrix(method, cut.grid.output, cut.grid.input)[cut.cells].astype(
                np.complex64 if method == "k-space" else np.float32
            )
            for cut in (y, x)
        )
        low_resolution = np.real(left @ images @ right.T).astype(np.float32)
        return Batch(
            torch.tensor(low_resolution)[:, None],
            torch.tensor(images[:, y.pixels, x.pixels])[:, None],
            OutputGrid(y.grid, x.grid),
            (y.pixels.start, x.pixels.start, y.pixels.stop, x.pixels.stop),
            (y.cells.start, x.cells.start),
        )
