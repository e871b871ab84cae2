"""Batches of low- and high-resolution patches, all of one batch at the same scale."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from metasr_training.datasets.acquired import acquired
from metasr_training.datasets.batch import Batch
from metasr_training.datasets.canvases import Canvas, canvases_of
from metasr_training.datasets.pair_config import PairConfig
from metasr_training.datasets.telling import Told, codes
from napari_metasr.degradations import (
    DEGRADATIONS,
    Reduction,
    add_k_space_noise,
    named_reduction,
)
from napari_metasr.geometry.grids import AxisGrid, OutputGrid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from metasr_training.datasets.slices import Slice
    from metasr_training.datasets.split_files import Patient
    from napari_metasr.geometry.windows import Window


ANISOTROPIC_SHARE = 0.25
AREA = Reduction("gaussian")
"""Without blur: the exact mean over a pixel."""

HALVING = Reduction("bicubic")

INSIDE = 0.5
"""How much of a low-resolution pixel a mask fills at least where it does not cut it off."""


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


@lru_cache(maxsize=128)
def _operator(reduction: Reduction, grid: AxisGrid) -> NDArray:
    matrix = reduction.matrix(grid.output, grid.input)
    return matrix.astype(np.complex64 if np.iscomplexobj(matrix) else np.float32)


def _share_inside(mask: NDArray[Any], rows: _AxisCut, columns: _AxisCut) -> NDArray[np.float32]:
    """Return how much of each low-resolution pixel of a patch a mask on the canvas fills."""
    left, right = (_operator(AREA, axis.grid)[axis.cells] for axis in (rows, columns))
    share: NDArray[np.float32] = left @ mask.astype(np.float32) @ right.T
    return share


class PairSampler:
    """Draw batches from slices held in memory.

    Every slice lies on a canvas of zeros and is moved cyclically by whole pixels, so that a
    point of its window comes to the patch; it is flipped and turned at random, and the whole
    canvas is degraded, so that nothing of the patch's border is made up.

    A batch depends on the seed and on its update alone. ``rank`` of ``ranks`` gets every
    ``ranks``-th of its patches, at the scale and under the degradation of all.

    Parameters
    ----------
    slices
        Training slices; those larger than the canvas are cut into tiles.
    config
        How to draw.
    boxes
        The regions of interest that ``roi`` windows are centred on, by the slices' keys.
    halves
        Whether batches hold the truth at x2 as well: of the slice, not of the patch, whose outer
        pixels would know nothing of what is beyond them. For whole even scales.

    Raises
    ------
    ValueError
        If a degradation is unknown, or no slice has what the windows need.
    """

    def __init__(
        self,
        slices: list[Slice],
        config: PairConfig,
        *,
        seed: int = 0,
        boxes: Mapping[tuple[str, str, str], Window] | None = None,
        halves: bool = False,
    ) -> None:
        unknown = {*config.degradations, *config.untold} - set(DEGRADATIONS)
        if unknown:
            raise ValueError(f"expected degradations among {DEGRADATIONS}, found {unknown}")
        self.config = config
        self.seed = seed
        self.halves = halves
        self.canvases: list[Canvas] = []
        self.patients: set[Patient] = set()
        for one in slices:
            found = canvases_of(
                acquired(one) if config.truths == "acquired" else one,
                config.windows,
                canvas=config.canvas,
                patch=config.patch,
                shown=config.shown,
                crop=config.crop,
                box=boxes.get(one.key) if boxes else None,
            )
            self.canvases += found
            if found:
                self.patients.add((one.source, one.patient))
        if not self.canvases:
            raise ValueError(
                f"expected slices for {config.windows} windows, found none among "
                f"{len(slices)} slices"
            )

    @property
    def updates_per_epoch(self) -> int:
        """Batches in which every image has given its patches."""
        items = len(self.canvases) * self.config.patches_per_image
        return max(items // self.config.batch, 1)

    @lru_cache(maxsize=2)  # noqa: B019 - two epochs of one sampler, that lives as long as the run
    def _order(self, epoch: int) -> NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, epoch))
        count = len(self.canvases)
        length = self.updates_per_epoch * self.config.batch
        if not self.config.sources:
            repeats = -(-length // count)
            return np.concatenate([rng.permutation(count) for _ in range(repeats)])[:length]
        shares = self.config.sources
        others = sum(shares.values()) / len(shares)
        counts = Counter(one.source for one in self.canvases)
        weights = np.array(
            [shares.get(one.source, others) / counts[one.source] for one in self.canvases]
        )
        return rng.choice(count, length, p=weights / weights.sum())

    def _scales(self, rng: np.random.Generator) -> tuple[float, float]:
        scale = float(rng.choice(self.config.scales))
        apart = self.config.axes == "mixed" and rng.random() < ANISOTROPIC_SHARE
        if not apart and self.config.axes != "one":
            return scale, scale
        alone = self.config.axes == "one" or rng.random() < 1 / 2
        other = 1.0 if alone else float(rng.choice(self.config.scales))
        return (scale, other) if rng.random() < 1 / 2 else (other, scale)

    def _reductions(self, rng: np.random.Generator, told: Told) -> tuple[Reduction, Reduction]:
        """Draw the reductions of a batch's rows and columns."""
        config = self.config
        named = config.untold if self._is_plain(told) else config.degradations
        if config.family is not None and named is config.degradations:
            return config.family.draw(rng)
        shares = np.array(list(named.values()))
        method = str(rng.choice(list(named), p=shares / shares.sum()))
        one = named_reduction(method, float(rng.choice(config.thickness)))
        return one, one

    def draw(self, update: int, *, rank: int = 0, ranks: int = 1) -> Batch:
        """Draw the batch of an update; all of it has one pair of scales and one degradation."""
        config = self.config
        rng = np.random.default_rng((self.seed, update, 0))
        y, x = (
            _cut(config.canvas, config.patch, config.context, scale, rng)
            for scale in self._scales(rng)
        )
        told = self._told(update)
        plain = self._is_plain(told)
        reductions = self._reductions(rng, told)
        epoch, step = divmod(update, self.updates_per_epoch)
        first = step * config.batch
        items = self._order(epoch)[first : first + config.batch]
        left, right = (
            _operator(one, axis.grid)[axis.cells]
            for one, axis in zip(reductions, (y, x), strict=True)
        )
        low_resolution, truth, half = [], [], []
        noise_shares: list[float] = []
        positions = range(rank, config.batch, ranks)
        seeds = [(self.seed, update, 1 + position) for position in positions]
        for position, seed in zip(positions, seeds, strict=True):
            draw = np.random.default_rng(seed)
            canvas = self.canvases[items[position]]
            placing = canvas.place(y.pixels, x.pixels, draw)
            cut = canvas.masked if config.masked and draw.random() < config.masked else None
            cut = None if plain else cut
            if cut is None:
                image = placing.of(canvas.image).astype(np.float32)
            else:
                image = placing.of(cut.tissue).astype(np.float32) / np.float32(cut.brightest)
                mask = placing.of(cut.mask)
            reduced = np.real(left @ image @ right.T).astype(np.float32)
            noise_shares.append(0.0)
            if config.noise:
                reduced = canvas.with_levels(
                    reduced, lambda levels, draw=draw: add_k_space_noise(levels, config.noise, draw)
                )
                noise_shares[-1] += config.noise / (canvas.levels[1] - canvas.levels[0])
            if config.varied_noise is not None and not plain:
                share = config.varied_noise.draw(draw)
                sigma = share * (canvas.levels[1] - canvas.levels[0])
                noise = partial(config.varied_noise.add, sigma=sigma, rng=draw)
                reduced = canvas.with_levels(reduced, noise)
                noise_shares[-1] += share
            if cut is not None:
                reduced *= _share_inside(mask, y, x) >= INSIDE
                image *= mask
            low_resolution.append(reduced)
            truth.append(image[y.pixels, x.pixels])
            if self.halves:
                half.append(_halved(image, y.pixels, x.pixels))
        return Batch(
            torch.from_numpy(np.stack(low_resolution))[:, None],
            torch.from_numpy(np.stack(truth))[:, None],
            OutputGrid(y.grid, x.grid),
            (y.pixels.start, x.pixels.start, y.pixels.stop, x.pixels.stop),
            (y.cells.start, x.cells.start),
            reductions,
            torch.from_numpy(np.stack(half))[:, None] if self.halves else None,
            self._codes((y, x), reductions, noise_shares, told, seeds) if config.told else None,
        )

    def _codes(
        self,
        axes: tuple[_AxisCut, _AxisCut],
        reductions: tuple[Reduction, Reduction],
        noise_shares: list[float],
        told: Told,
        seeds: list[tuple[int, int, int]],
    ) -> Tensor:
        rows, columns = (
            None if axis.grid.scale == 1 else reduction
            for axis, reduction in zip(axes, reductions, strict=True)
        )
        draws = [np.random.default_rng((*seed, 1)) for seed in seeds]
        return codes((rows, columns), noise_shares, told, self.config.told_wrongly, draws)

    def _told(self, update: int) -> Told:
        """Draw what the network is told of the batch of an update."""
        return Told.draw(self.config.told, np.random.default_rng((self.seed, update, 0, 1)))

    def _is_plain(self, told: Told) -> bool:
        """Return whether a batch is one that nothing is told of, with degradations of its own."""
        return bool(self.config.untold) and not (told.acquisition or told.noise)


def _halved(image: NDArray[np.float32], rows: slice, columns: slice) -> NDArray[np.float32]:
    """Reduce part of a canvas by 2 (antialiased bicubic)."""
    halving = _operator(HALVING, AxisGrid(len(image) // 2, len(image)))
    up, down = (halving[part.start // 2 : part.stop // 2] for part in (rows, columns))
    return up @ image @ down.T
