"""Which of a network's fixed scales a rendering is made from; no torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_metasr.weights.card import SLACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.weights import ModelCard


LARGEST_SCALE = 8.0
"""Largest scale that sliders offer."""


def nearest_scale(fixed_scales: Sequence[int], grid: OutputGrid) -> int:
    """Return the fixed scale nearest to a grid's, as factors: of 2 and 4, 2 up to 2.83.

    A grid with two scales counts by their geometric mean.
    """
    return min(fixed_scales, key=lambda scale: abs(math.log(scale * grid.inverse_scale)))


def resampled_from(fixed_scales: Sequence[int], grid: OutputGrid) -> int | None:
    """Return the fixed scale whose image is resampled to a grid.

    The result is None if nothing is resampled: the network gives this very scale, or every scale
    (it has no fixed ones).
    """
    if not fixed_scales:
        return None
    scale = nearest_scale(fixed_scales, grid)
    return None if grid.rows.scale == grid.columns.scale == scale else scale


def scale_concern(card: ModelCard, grid: OutputGrid) -> str:
    """Return what to know of a scale that a model was not trained on; empty if it was.

    Sizes are whole numbers of pixels, so that a true scale may miss the range by a little. An axis
    that keeps its pixels is none to be trained on.
    """
    low, high = card.trained_scales
    if card.fixed_scales:
        finest = max(card.fixed_scales)
        beyond = f"Beyond ×{finest} the network's image is upscaled by bicubic interpolation."
        return beyond if max(grid.true_scale) > finest else ""
    finer = [scale for scale in grid.true_scale if scale != 1] or [1.0]
    if low * (1 - SLACK) <= min(finer) and max(finer) <= high * (1 + SLACK):
        return ""
    return f"Beyond the trained range (×{low:g} to ×{high:g}): extrapolated."
