"""Whether an image is like what a detector was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry import square_shape
from napari_metasr.networks.lesion_detector import SMALLEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.volume import Plane, Volume
    from napari_metasr.weights import OperatingPoint

HEAD_LEVEL = 0.1
LEAST_HEAD_SHARE = 0.01


def has_head(normalised: NDArray[Any]) -> bool:
    """Whether enough of a slice is brighter than air, intensities 0..1."""
    return bool(np.mean(normalised > HEAD_LEVEL) >= LEAST_HEAD_SHARE)


def check_size(shape: tuple[int, int], spacing: tuple[float, float]) -> None:
    """Refuse slices that no detector can look at.

    Raises
    ------
    ValueError
        If the spacing is not positive, or a side has fewer than 32 square pixels.
    """
    if min(spacing) <= 0:
        raise ValueError(f"expected a positive spacing, found {spacing}")
    rows, columns = square_shape(shape, spacing)
    if min(rows, columns) < SMALLEST:
        raise ValueError(
            f"expected slices of at least {SMALLEST} x {SMALLEST} square pixels to look for "
            f"tumours in, found {rows} x {columns}"
        )


def concerns(
    volume: Volume, plane: Plane, point: OperatingPoint, *, time: int = 0
) -> tuple[str, ...]:
    """What speaks against trusting a detector here: sentences, none if nothing does.

    Raises
    ------
    ValueError
        If the detector cannot be asked at all: the image is constant, its slices are tiny, or
        there is no head in it.
    """
    del volume, time
    known = ", ".join(point.planes)
    return () if plane in point.planes else (f"trained on {known} slices, asked for {plane} ones",)
