"""Reduce a slice, restore it by a model and by interpolation, and compare both with it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.quality.metrics import SSIM_WINDOW, brain_box, psnr, ssim
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.zoom.protocols import Engine


@dataclass(frozen=True)
class Quality:
    """PSNR in dB and SSIM; SSIM is NaN of fewer than 11 pixels along an axis."""

    psnr: float
    ssim: float

    @classmethod
    def of(cls, image: NDArray[Any], truth: NDArray[Any], data_range: float) -> Quality:
        """Measure an image against the truth, as `psnr` and `ssim`."""
        large = min(truth.shape) >= SSIM_WINDOW
        similarity = ssim(image, truth, data_range) if large else math.nan
        return cls(psnr(image, truth, data_range), similarity)


@dataclass(frozen=True)
class Trial:
    """One slice super-resolved by interpolation and by a model to the size of a known truth.

    Attributes
    ----------
    scale
        The true scale of rows and columns.
    interpolated, super_resolved, truth
        (rows, columns), on one grid, in the source's units.
    box
        The brain's bounding box in the truth: edges (top, left, bottom, right).
    data_range
        For PSNR and SSIM.
    encode_seconds, render_seconds
        What the model took.
    """

    scale: tuple[float, float]
    interpolated: NDArray[Any]
    super_resolved: NDArray[Any]
    truth: NDArray[Any]
    box: tuple[int, int, int, int]
    data_range: float
    encode_seconds: float
    render_seconds: float

    def quality(self, image: NDArray[Any], *, in_box: bool) -> Quality:
        """Compare one of the two images with the truth, in the brain's box or as a whole."""
        top, left, bottom, right = self.box if in_box else (0, 0, *self.truth.shape)
        part = np.s_[top:bottom, left:right]
        return Quality.of(image[part], self.truth[part], self.data_range)


def run_trial(
    low_resolution: NDArray[Any],
    truth: NDArray[Any],
    model: Engine,
    *,
    intensity_range: tuple[float, float],
    value_range: tuple[float, float] | None = None,
) -> Trial:
    """Super-resolve a low-resolution slice to the size of the truth that it was made from.

    Parameters
    ----------
    low_resolution, truth
        (rows, columns) over the same field of view; the truth has at least as many of each.
    intensity_range
        What inference maps to 0 and 1, the volume's ``intensity_range``; its width is the
        metrics' data range.
    value_range
        What results are clipped to, the volume's ``value_range``; by default the smallest and
        largest value of the low-resolution slice.

    Raises
    ------
    ValueError
        If the truth is smaller than the low-resolution slice, or intensities are constant.
    """
    rows, columns = low_resolution.shape
    scale = (truth.shape[0] / rows, truth.shape[1] / columns)
    started = time.perf_counter()
    encoded = model.encode(low_resolution, intensity_range=intensity_range, value_range=value_range)
    encoded.prepare()
    encoded_at = time.perf_counter()
    super_resolved = model.render(encoded, scale)
    rendered_at = time.perf_counter()
    return Trial(
        scale=scale,
        interpolated=interpolate(low_resolution, scale, method="bicubic", value_range=value_range),
        super_resolved=super_resolved,
        truth=truth,
        box=brain_box(truth),
        data_range=intensity_range[1] - intensity_range[0],
        encode_seconds=encoded_at - started,
        render_seconds=rendered_at - encoded_at,
    )
