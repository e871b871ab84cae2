"""The band of spatial frequencies that holds signal, along each axis of an image.

Scanners interpolate: k-space is padded with zeros before the last Fourier transform, so that more
pixels are stored than were acquired. Nothing lies between the acquired and the stored Nyquist
frequency but rounding and what the magnitude adds, and where the acquired band ends the mean power
falls by more within a few frequencies than it does anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_metasr.background import masked_background
from napari_metasr.degradations.k_space import truncation_matrix
from napari_metasr.normalisation import fill_missing, value_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SAMPLES = 32
"""Samples along an axis below which its spectrum is too coarse to tell."""

DROP_WIDTH = 0.08
"""Share of the band within which an acquired band ends."""

LOWEST_CUT = 0.3
"""Share of the band below which anatomy's own spectrum falls too steeply to tell."""

HIGHEST_CUT = 0.93
"""Share of the band above which its end is the roll-off of interpolation, and nothing is gained."""

LEAST_DROP = 0.45
"""Decades of power beyond the usual slope that make the end of a band."""

STEADY_DROP = 0.25
STEADY_SCATTER = 5.0
"""What does so in the mean over several slices: fewer decades, and times the slopes' scatter."""

SEVERAL_SLICES = 8

LEAST_CONTRAST = 0.5
"""Decades between the lowest and the highest frequencies without which there is noise alone."""

TAPER = 10.0
"""Pixels inside a mask over which its edge, which fills the whole band, is faded out."""

DEVIATION = 1.4826
"""A standard deviation in median absolute deviations, of normal values."""

WINDOW_DROP = 0.45
"""Decades by which power has fallen at a band's end; a bin beyond it Hann's window leaves 0.78."""

_SMALLEST_POWER = 1e-12


@dataclass(frozen=True)
class Band:
    """The part of an axis' band that holds signal.

    Attributes
    ----------
    share
        Acquired over stored Nyquist frequency, in (0, 1]; 1 where signal fills the band.
    drop
        Decades by which the power falls more than usual where the band ends; the largest there
        is where signal fills the band.
    """

    share: float
    drop: float

    @property
    def limited(self) -> bool:
        """Whether the axis was interpolated: part of its band is empty."""
        return self.share < 1

    def samples(self, stored: int) -> int:
        """Return how many of ``stored`` samples the band amounts to, at least 1."""
        return max(round(stored * self.share), 1)


def _inside(image: NDArray[Any]) -> NDArray[np.float64] | None:
    """Compute weights that fade out the edge of a masked image (..., rows, columns); else None."""
    background = masked_background(image)
    if background is None:
        return None
    planes = (~background).reshape(-1, *image.shape[-2:])
    depth = np.stack(
        [ndimage.distance_transform_edt(ndimage.binary_opening(plane)) for plane in planes]
    )
    return (np.sin(np.minimum(depth / TAPER, 1) * np.pi / 2) ** 2).reshape(image.shape)


def power_spectrum(
    image: NDArray[Any], axis: int, weights: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Compute the mean power at the frequencies 0 .. Nyquist of an axis, under a Hann window.

    Parameters
    ----------
    image
        (..., rows, columns), finite.
    axis
        Which axis; power is averaged over all others.
    weights
        Of the image's shape; multiplied with the image less its weighted mean.
    """
    values = np.asarray(image, np.float64)
    if weights is not None:
        values = (values - np.average(values, weights=weights)) * weights
    along = np.moveaxis(values, axis, -1)
    along = along - along.mean(axis=-1, keepdims=True)
    spectrum = np.fft.rfft(along * np.hanning(along.shape[-1]), axis=-1)
    power: NDArray[np.float64] = (np.abs(spectrum) ** 2).mean(axis=tuple(range(along.ndim - 1)))
    return power


def _ends(drops: NDArray[np.float64], width: int, *, several: bool) -> bool:
    """Return whether the largest drop exceeds the others so clearly that a band ends there."""
    largest = int(np.argmax(drops))
    drop = float(drops[largest] - np.median(drops))
    if drop >= LEAST_DROP or not several:
        return drop >= LEAST_DROP
    others = drops[np.abs(np.arange(len(drops)) - largest) > width]
    if not len(others):
        return False
    scatter = DEVIATION * float(np.median(np.abs(others - np.median(others))))
    return drop >= max(STEADY_DROP, STEADY_SCATTER * scatter)


def band_of_spectrum(power: NDArray[np.float64], *, several: bool = False) -> Band | None:
    """Find the band that a power spectrum (0 .. Nyquist) shows; None if the spectrum is unclear.

    The largest drop of log10 power within ``DROP_WIDTH`` of the band is compared with the median
    drop, the usual slope; the band ends where the power has fallen half-way,
    or by ``WINDOW_DROP``.

    Parameters
    ----------
    power
        As `power_spectrum` gives it.
    several
        Whether it is the mean over several slices, and so smooth that a smaller drop tells.
    """
    if 2 * (len(power) - 1) < LEAST_SAMPLES or power.max() <= 0:
        return None
    logarithm = np.log10(np.maximum(power, power.max() * _SMALLEST_POWER))
    count = len(logarithm)
    width = max(round(DROP_WIDTH * count), 2)
    if logarithm[1 : 2 * width].mean() - logarithm[-2 * width :].mean() < LEAST_CONTRAST:
        return None
    first = round(LOWEST_CUT * count)
    drops = logarithm[first:-width] - logarithm[first + width :]
    largest = int(np.argmax(drops))
    drop = float(drops[largest] - np.median(drops))
    if not _ends(drops, width, several=several):
        return Band(1.0, drop)
    start = first + largest
    fall = logarithm[start : start + width + 1]
    below = int(np.argmax(fall < fall[0] - min((fall[0] - fall[-1]) / 2, WINDOW_DROP)))
    share = (start + below - 1 / 2) / (count - 1)
    return Band(share if share <= HIGHEST_CUT else 1.0, drop)


def acquired_bands(
    image: NDArray[Any], axes: tuple[int, ...] = (-2, -1)
) -> tuple[Band | None, ...]:
    """Find the bands that hold signal along rows and columns, or along other axes.

    A masked image (skull-stripped, or defaced) is looked at inside its mask, whose edge was cut
    on the stored grid and fills the band whatever was acquired.

    Parameters
    ----------
    image
        (rows, columns), or a stack of slices (slices, rows, columns), whose spectra are averaged.
    axes
        Which axes.

    Returns
    -------
    tuple of Band or None
        For each axis; None where nothing can be told: fewer than ``LEAST_SAMPLES`` samples, a
        single value, noise alone, or no finite pixel.
    """
    several = image.ndim > 2 and len(image) >= SEVERAL_SLICES
    return tuple(
        None if power is None else band_of_spectrum(power, several=several)
        for power in power_spectra(image, axes)
    )


def power_spectra(
    image: NDArray[Any], axes: tuple[int, ...] = (-2, -1)
) -> tuple[NDArray[np.float64] | None, ...]:
    """Compute the power spectra that `acquired_bands` examines; None if there is nothing to see."""
    if image.size == 0 or not np.isfinite(image).any():
        return (None,) * len(axes)
    filled, _ = fill_missing(image, value_range(image)[0])
    if filled.min() == filled.max():
        return (None,) * len(axes)
    weights = _inside(filled)
    if weights is not None and not weights.any():
        return (None,) * len(axes)
    return tuple(power_spectrum(filled, axis, weights) for axis in axes)


def cropped_to_band(image: NDArray[Any], shares: tuple[float, float]) -> NDArray[np.float32]:
    """Reduce an image to its acquired resolution by cutting k-space where its band ends.

    Parameters
    ----------
    image
        (rows, columns).
    shares
        Acquired over stored Nyquist frequency of rows and columns; an axis of 1 stays as it is.

    Returns
    -------
    float32, of ``round(size * share)`` samples along each axis that is cut.
    """
    found = np.asarray(image, np.float64)
    for axis, share in enumerate(shares):
        count = Band(share, 0.0).samples(image.shape[axis])
        if count < image.shape[axis]:
            matrix = truncation_matrix(image.shape[axis], count)
            found = np.real(np.moveaxis(np.tensordot(matrix, found, (1, axis)), 0, axis))
    return found.astype(np.float32)
