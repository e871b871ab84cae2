"""Every intensity mapping: what a network sees, what a screen shows, what a file stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

INFERENCE_PERCENTILES = (0.1, 99.9)
HEAD_LEVEL = 0.1
"""Share of the intensity range above which a pixel belongs to the head and not to the air."""

FAINT_HEAD_LEVEL = 0.05
"""The same where dim tissue counts too, and some air may: which slices are worth training on."""

NOISY_HEAD_LEVEL = 0.15
"""The same where no air may count as head: where the noise of the air is measured."""
DISPLAY_PERCENTILES = (1.0, 99.8)
SAMPLED_VALUES = 4_000_000
PIXELS_FOR_FULL_RANGE = 500
NARROWEST_WINDOW = 1e-3
SHARE_OF_WINDOW = 10


def _finite(data: NDArray[Any]) -> NDArray[Any]:
    """Return the finite values as a flat array."""
    data = np.asarray(data)
    if data.dtype.kind not in "fiu":
        raise ValueError(f"expected a real-valued image, found values of type {data.dtype}")
    if data.size == 0:
        raise ValueError("expected an image with at least one pixel, found an empty one")
    values = _finite_values(data)
    if values.size == 0:
        raise ValueError("expected an image with finite values, found only NaN or infinity")
    return values


def _finite_values(data: NDArray[Any]) -> NDArray[Any]:
    values = data.reshape(-1)
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def value_range(data: NDArray[Any]) -> tuple[float, float]:
    """Return the smallest and the largest finite value.

    Raises
    ------
    ValueError
        If the image is empty, not real-valued, or has no finite value.
    """
    values = _finite(data)
    return float(values.min()), float(values.max())


def _percentile_range(data: NDArray[Any], percentiles: tuple[float, float]) -> tuple[float, float]:
    values = _finite(data)
    step = -(-values.size // SAMPLED_VALUES)
    low, high = np.percentile(values[::step], percentiles)
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return float(low), float(high)


class StreamedRange:
    """The smallest and largest finite value, and ``intensity_range``, of an array in parts.

    The parts are given twice, in the array's order: to ``look`` and, once all were, to ``sample``.
    Then `intensity_range` and `value_range` are what the functions of that name return of the
    whole array.

    Attributes
    ----------
    finite, missing
        How many values are finite, and how many are not.
    """

    def __init__(self) -> None:
        self.finite = 0
        self.missing = 0
        self._low, self._high = np.inf, -np.inf
        self._samples: list[NDArray[Any]] = []
        self._seen = 0

    def look(self, part: NDArray[Any]) -> None:
        """Take a part in."""
        values = _finite_values(part)
        self.missing += part.size - values.size
        if values.size:
            self.finite += values.size
            self._low = min(self._low, values.min())
            self._high = max(self._high, values.max())

    def sample(self, part: NDArray[Any]) -> None:
        """Take evenly spaced values of a part."""
        values = _finite_values(part)
        step = -(-self.finite // SAMPLED_VALUES)
        self._samples.append(values[-self._seen % step :: step].copy())
        self._seen += values.size

    @property
    def value_range(self) -> tuple[float, float]:
        """The smallest and the largest finite value."""
        return float(self._low), float(self._high)

    @property
    def intensity_range(self) -> tuple[float, float]:
        """The 0.1 and 99.9 percentiles of what was sampled, or `value_range` if they coincide."""
        low, high = np.percentile(np.concatenate(self._samples), INFERENCE_PERCENTILES)
        return (float(low), float(high)) if high > low else self.value_range


def intensity_range(data: NDArray[Any]) -> tuple[float, float]:
    """Return the 0.1 and 99.9 percentiles of the finite values.

    Where they coincide (an image that is almost everywhere background) the smallest and the
    largest value are returned; of a constant image both are that constant. Arrays of more than
    ``SAMPLED_VALUES`` are sampled evenly.

    Raises
    ------
    ValueError
        If the image is empty, not real-valued, or has no finite value.
    """
    return _percentile_range(data, INFERENCE_PERCENTILES)


def quantiles_above(
    image: NDArray[Any], level: float, shares: Sequence[float]
) -> NDArray[np.float64]:
    """Compute quantiles (shares 0..1) of the values above a level, of which there must be some."""
    return np.quantile(image[image > level], shares)


def contrast_limits(data: NDArray[Any]) -> tuple[float, float]:
    """Return limits for display that ignore a few bright voxels, low < high.

    Raises
    ------
    ValueError
        If the image is empty, not real-valued, or has no finite value.
    """
    low, high = _percentile_range(data, DISPLAY_PERCENTILES)
    return (low, high) if high > low else (low, low + 1.0)


def brain_limits(data: NDArray[Any]) -> tuple[float, float]:
    """Return limits for display that suit the brain of a whole head, low < high.

    Scalp and fat, which may be far brighter, lie at the rim of the head: the limits are those of
    the middle third of it along every axis, or of all where nothing is known of that.

    Raises
    ------
    ValueError
        As `contrast_limits`.
    """
    low, high = contrast_limits(data)
    inside = np.nan_to_num(np.asarray(data, np.float32), nan=low) > low + HEAD_LEVEL * (high - low)
    middle = []
    for axis in range(inside.ndim):
        others = tuple(other for other in range(inside.ndim) if other != axis)
        found = np.flatnonzero(inside.any(axis=others))
        first, stop = (found[0], found[-1] + 1) if len(found) else (0, inside.shape[axis])
        third = (stop - first) // 3
        middle.append(slice(first + third, stop - third))
    part = np.asarray(data)[tuple(middle)]
    return contrast_limits(part if np.isfinite(part).any() else data)


def difference_limit(limits: tuple[float, float]) -> float:
    """Return a tenth of an intensity window: up to which differences are shown, each way."""
    low, high = limits
    return float(high - low) / SHARE_OF_WINDOW


def dragged_limits(
    limits: tuple[float, float], right: float, up: float, full_range: float
) -> tuple[float, float]:
    """Return contrast limits after a drag on the canvas: window and level.

    Parameters
    ----------
    limits
        Contrast limits when the drag began, in intensity units.
    right, up
        How far it went, in screen pixels: right widens the window (less contrast), up raises
        the level (darker).
    full_range
        Intensities that a drag over ``PIXELS_FOR_FULL_RANGE`` pixels changes them by.
    """
    per_pixel = full_range / PIXELS_FOR_FULL_RANGE
    low = limits[0] + (up - right / 2) * per_pixel
    high = limits[1] + (up + right / 2) * per_pixel
    narrowest = NARROWEST_WINDOW * full_range
    if high - low < narrowest:
        middle = (low + high) / 2
        return middle - narrowest / 2, middle + narrowest / 2
    return low, high


@dataclass(frozen=True)
class LinearMap:
    """Map intensities so that ``low`` becomes 0 and ``high`` becomes 1, without clipping.

    For a constant image (``low == high``) everything maps to 0 and back to that constant.
    """

    low: float
    high: float

    def standardised(self, mean: float, std: float) -> LinearMap:
        """Return the map to (y - mean) / std, where this one maps to y."""
        width = self.high - self.low
        return LinearMap(self.low + mean * width, self.low + (mean + std) * width)

    def forward(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """Convert source units to the network's, computed in float64, returned as float32."""
        width = self.high - self.low
        if width == 0:
            return np.zeros(image.shape, np.float32)
        return ((np.asarray(image, np.float64) - self.low) / width).astype(np.float32)

    def inverse(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert the network's units to the source's."""
        return image * np.float32(self.high - self.low) + np.float32(self.low)


class MissingPixelsWarning(UserWarning):
    """Some pixels are NaN or infinite."""


def fill_missing(
    image: NDArray[Any], value: float
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Replace NaN and infinity by ``value``.

    Returns
    -------
    filled, missing
        The image without gaps, and where they were (None if there were none).
    """
    if image.dtype.kind != "f":
        return image, None
    missing = ~np.isfinite(image)
    if not missing.any():
        return image, None
    return np.where(missing, image.dtype.type(value), image), missing


def unit_range(image: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Map display limits to 0..1 and clip, as a screen does."""
    return np.clip(LinearMap(*limits).forward(image), 0, 1)


def cast_to_dtype(image: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Convert to ``dtype``: integers are rounded and clipped to what the type can hold."""
    target = np.dtype(dtype)
    if target.kind not in "iu":
        return np.asarray(image).astype(target)
    limits = np.iinfo(target)
    image = np.asarray(image)
    small = image.dtype == np.float32 and target.itemsize <= 2  # which float32 can hold
    finite = np.nan_to_num(
        image.astype(np.float32 if small else np.float64),
        copy=False,
        posinf=limits.max,
        neginf=limits.min,
    )
    rounded = np.rint(finite, out=finite)
    if small:
        return np.clip(rounded, limits.min, limits.max, out=rounded).astype(target)
    below, above = rounded <= limits.min, rounded >= limits.max
    cast = np.where(below | above, 0, rounded).astype(target)
    return np.where(below, target.type(limits.min), np.where(above, target.type(limits.max), cast))
