"""How well a slice, reduced by a known degradation, is enlarged again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.degradations import DEGRADATIONS, degrade
from napari_metasr.geometry import AxisGrid, OutputGrid, nominal_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice

Enlarge = Callable[["NDArray[np.float32]", OutputGrid], "NDArray[np.float32]"]
"""A low-resolution image in 0..1 and the output grid, to the enlarged image in 0..1."""


def reduced_grid(shape: tuple[int, int], scale: float) -> OutputGrid:
    """The grid that enlarges a reduced slice back to ``shape``; its true scale is near ``scale``."""
    rows, columns = (
        AxisGrid(max(round(Fraction(size) / nominal_scale(scale)), 1), size) for size in shape
    )
    return OutputGrid(rows, columns)


def reduce_slice(
    image: NDArray[np.float32], scale: float, method: str
) -> tuple[NDArray[np.float32], OutputGrid]:
    """A slice reduced by ``scale``, and the grid that leads back to its size."""
    rows, columns = image.shape
    grid = reduced_grid((rows, columns), scale)
    return degrade(image, grid.input_shape, method), grid


def mean_squared_error(image: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Mean of the squared differences."""
    return float(np.mean((image.astype(np.float64) - truth) ** 2))


@dataclass(frozen=True)
class Gain:
    """Mean gain in PSNR (dB) of one method over another, for a degradation and a scale."""

    degradation: str
    scale: float
    decibels: float


def psnr_gains(
    enlarge: Enlarge,
    reference: Enlarge,
    slices: Iterable[Slice],
    scales: Iterable[float] = (2.0, 4.0),
    degradations: Iterable[str] = DEGRADATIONS,
) -> list[Gain]:
    """Mean PSNR of ``enlarge`` over that of ``reference``, for every degradation and scale."""
    gains: dict[tuple[str, float], list[float]] = defaultdict(list)
    scales, degradations = tuple(scales), tuple(degradations)
    for one in slices:
        truth = one.normalised
        for method in degradations:
            for scale in scales:
                low_resolution, grid = reduce_slice(truth, scale, method)
                ours, theirs = (
                    mean_squared_error(np.clip(call(low_resolution, grid), 0, 1), truth.clip(0, 1))
                    for call in (enlarge, reference)
                )
                gains[method, scale].append(10 * np.log10(theirs / ours))
    return [Gain(*key, float(np.mean(values))) for key, values in gains.items()]
