"""How well a slice, reduced by a known degradation, is enlarged again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from metasr_training.eight_bits import EIGHT_BITS, eight_bits, intensity_limits
from metasr_training.evaluation.table import Score
from napari_metasr.degradations import DEGRADATIONS, degrade
from napari_metasr.geometry import AxisGrid, OutputGrid, nominal_scale
from napari_metasr.quality.metrics import brain_box, psnr, ssim

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice
    from metasr_training.evaluation.methods import Method

IN_PLANE = tuple(name for name in DEGRADATIONS if name != "slice-profile")
"""The degradations that reduce both axes alike."""


def reduced_grid(shape: tuple[int, int], scale: float) -> OutputGrid:
    """The grid that leads from a slice reduced by about ``scale`` back to ``shape``."""
    rows, columns = (
        AxisGrid(max(round(Fraction(size) / nominal_scale(scale)), 1), size) for size in shape
    )
    return OutputGrid(rows, columns)


def reduce_slice(
    image: NDArray, scale: float, degradation: str
) -> tuple[NDArray[np.float32], OutputGrid]:
    """A slice reduced by about ``scale``, and the grid that leads back to its size."""
    rows, columns = image.shape
    grid = reduced_grid((rows, columns), scale)
    return degrade(image, grid.input_shape, degradation), grid


def score_slice(
    one: Slice,
    methods: Mapping[str, Method],
    scales: Iterable[float],
    degradations: Iterable[str],
) -> Iterator[Score]:
    """Reduce a slice in every way, enlarge it by every method, and compare on the 0..255 scale.

    PSNR and SSIM have a data range of 255, on the whole slice and in the brain's bounding box.
    """
    truth, intensity = eight_bits(one), intensity_limits(one)
    top, left, bottom, right = brain_box(truth)
    scales = tuple(scales)
    for degradation in degradations:
        for scale in scales:
            low_resolution, grid = reduce_slice(truth, scale, degradation)
            for name, enlarge in methods.items():
                output = enlarge(low_resolution, (grid.rows.scale, grid.columns.scale), intensity)
                box, truth_box = (x[top:bottom, left:right] for x in (output, truth))
                yield Score(
                    one.source,
                    degradation,
                    scale,
                    name,
                    psnr(output, truth, EIGHT_BITS),
                    ssim(output, truth, EIGHT_BITS),
                    psnr(box, truth_box, EIGHT_BITS),
                    ssim(box, truth_box, EIGHT_BITS),
                )
