"""What is compared: a slice and a scale to an enlarged slice, by interpolation or by a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry import Scale
    from napari_metasr.zoom.engine import ZoomModel

Method = Callable[["NDArray[Any]", "Scale"], "NDArray[np.float32]"]


def interpolation(name: str) -> Method:
    """Interpolation by its name among ``napari_metasr.zoom.baselines.BASELINES``."""
    return lambda image, scale: interpolate(image, scale, method=name)


def methods(model: ZoomModel) -> dict[str, Method]:
    """Bicubic, Lanczos and the model, the reference first."""
    return {
        "bicubic": interpolation("bicubic"),
        "lanczos": interpolation("lanczos"),
        model.name: model.upscale,
    }
