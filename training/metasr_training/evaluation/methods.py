"""What is compared: a slice and a scale to an upscaled slice, by interpolation or by a model.

Slices are on the 0..255 scale, and every method's output is clipped to it: to clip to what a
low-resolution slice happens to hold would take away peaks that it has lost, and none of its noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from metasr_training.datasets.eight_bits import FULL_RANGE
from metasr_training.evaluation.denoising import non_local_means
from napari_metasr import normalisation
from napari_metasr.normalisation import fill_missing
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import Scale
    from napari_metasr.zoom.engine import ZoomModel

# (image, scale, what a network sees as 0 and 1) to the upscaled image
Method = Callable[["NDArray[Any]", "Scale", "tuple[float, float]"], "NDArray[np.float32]"]


def interpolation(name: str) -> Method:
    """Interpolation by its name among ``napari_metasr.zoom.baselines.BASELINES``."""

    def upscale(
        image: NDArray[Any], scale: Scale, _: tuple[float, float] = FULL_RANGE
    ) -> NDArray[np.float32]:
        return interpolate(image, scale, method=name, value_range=FULL_RANGE)

    return upscale


def bilinear_nld(
    image: NDArray[Any], scale: Scale, _: tuple[float, float] = FULL_RANGE
) -> NDArray[np.float32]:
    """Denoise by parameter-free non-local means, then upscale bilinearly: B+NLD of LFSR.

    In this order, since the noise is white on the low-resolution grid, as non-local means
    assumes; interpolation correlates it, and at x2 gains in PSNR were a tenth that way round.

    Parameters
    ----------
    image
        (rows, columns), in 0..255; NaN and infinity stay where they were.
    scale
        A number or a pair (y, x), at least 1.
    """
    filled, missing = fill_missing(image, normalisation.value_range(image)[0])
    denoised = non_local_means(filled)
    if missing is not None:
        denoised[missing] = image[missing]
    return interpolate(denoised, scale, method="bilinear", value_range=FULL_RANGE)


def by_model(model: ZoomModel) -> Method:
    """Wrap a model, run as the plugin runs it, as a method."""

    def upscale(
        image: NDArray[Any], scale: Scale, intensity_range: tuple[float, float]
    ) -> NDArray[np.float32]:
        return model.render(
            model.encode(image, intensity_range=intensity_range, value_range=FULL_RANGE), scale
        )

    return upscale
