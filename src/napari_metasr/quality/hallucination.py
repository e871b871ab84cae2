"""Scanning Fourier ring correlation: patches in which an image departs from the truth.

Fourier ring correlation compares two images frequency by frequency (Saxton & Baumeister 1982,
Journal of Microscopy 127; van Heel & Schatz 2005, Journal of Structural Biology 151, eq. 1).
Scanned over small patches it finds places where a restored image is wrong at frequencies at which
it ought to be right (sFRC: Kc, Zeng, Soni & Badano 2026, arXiv 2603.04673). It needs the truth, so
it serves simulations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import HEAD_LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATCH = 48
"""Pixels along a patch's side, as the publication takes for MRI."""

CORRELATION = 0.75
"""Correlation below which two spectra no longer agree, as the publication takes for MRI."""

LEAST_SIGNAL = 0.5
"""Share of a patch's pixels that must lie in the head for the patch to be judged."""

NYQUIST = 0.5
"""Cycles per pixel."""

NOT_JUDGED, RIGHT, WRONG = range(3)
"""Kinds of pixels of a map of patches."""


@dataclass(frozen=True)
class PatchAgreement:
    """How far two images agree in one patch.

    Attributes
    ----------
    window
        The patch, in the pixel edges of the images.
    crossing
        The frequency, 0..0.5 cycles per pixel, at which the ring correlation first falls below
        the threshold; 0.5 where it never does.
    """

    window: Window
    crossing: float


def ring_correlation(
    first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlate two square patches ring by ring in Fourier space.

    ``FRC(r) = Re sum F1 conj(F2) / sqrt(sum |F1|^2 sum |F2|^2)``, summed over the ring of radius
    r; means are subtracted and a Hann window keeps the borders out.

    Parameters
    ----------
    first, second : ndarray, shape (n, n)
        In the same units.

    Returns
    -------
    frequencies, correlations : ndarray, shape (n // 2,)
        Rings of 1 / n cycles per pixel up to Nyquist, without the mean; correlations are -1..1, 1
        in a ring in which neither patch has energy, 0 where one of them has none.

    Raises
    ------
    ValueError
        If the patches are not square, differ in shape, or are smaller than 8 pixels.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    size = first.shape[0]
    if first.shape != (size, size) or second.shape != first.shape or size < 8:
        raise ValueError(
            f"expected two square patches of at least 8 pixels, found {first.shape} and "
            f"{second.shape}"
        )
    taper = np.hanning(size)
    spectra = [
        np.fft.fft2((patch - patch.mean()) * taper[:, None] * taper) for patch in (first, second)
    ]
    steps = np.fft.fftfreq(size, 1 / size)
    ring = np.rint(np.hypot(steps[:, None], steps)).astype(int).ravel()
    count = size // 2 + 1

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(ring, values.ravel(), minlength=count)[1:count].astype(np.float64)

    shared = total((spectra[0] * spectra[1].conj()).real)
    energies = [total(np.abs(one) ** 2) for one in spectra]
    tiny = 1e-12 * max(float(energy.max(initial=0)) for energy in energies)
    present = [energy > tiny for energy in energies]
    product = np.sqrt(energies[0] * energies[1])
    correlations = np.where(present[0] & present[1], shared / np.where(product > 0, product, 1), 0)
    correlations[~present[0] & ~present[1]] = 1
    return np.arange(1, count) / size, correlations


def crossing_frequency(
    frequencies: NDArray[np.float64], correlations: NDArray[np.float64], threshold: float
) -> float:
    """Return where correlations first fall below a threshold, interpolated linearly.

    Parameters
    ----------
    frequencies, correlations : ndarray, shape (rings,)
        As `ring_correlation` gives them; at frequency 0 the correlation is taken as 1.
    threshold
        0..1.

    Returns
    -------
    float
        In cycles per pixel; Nyquist's 0.5 where they never fall below.
    """
    frequencies = np.concatenate([[0.0], frequencies])
    correlations = np.concatenate([[1.0], correlations])
    below = np.flatnonzero(correlations < threshold)
    if not below.size:
        return NYQUIST
    after = int(below[0])
    high, low = correlations[after - 1], correlations[after]
    share = (high - threshold) / (high - low)
    step = frequencies[after] - frequencies[after - 1]
    return float(frequencies[after - 1] + share * step)


def scan(
    image: NDArray[Any],
    truth: NDArray[Any],
    head: NDArray[np.bool_],
    *,
    patch: int = PATCH,
    stride: int | None = None,
    threshold: float = CORRELATION,
) -> list[PatchAgreement]:
    """Measure agreement patch by patch.

    Parameters
    ----------
    image, truth : ndarray, shape (rows, columns)
        In the same units.
    head : ndarray of bool, shape (rows, columns)
        True where there is something to see; patches with less than half of it are left out.
    patch, stride
        Side of a patch and step between patches, in pixels; patches do not overlap by default.
    threshold
        Correlation below which spectra no longer agree.

    Returns
    -------
    list of PatchAgreement
        Row by row; empty where no patch holds enough of the head.

    Raises
    ------
    ValueError
        If shapes differ, the image is smaller than a patch, or a number is out of range.
    """
    if image.ndim != 2 or image.shape != truth.shape or head.shape != truth.shape:
        raise ValueError(
            f"expected image, truth and head of one 2-D shape, found {image.shape}, "
            f"{truth.shape} and {head.shape}"
        )
    step = patch if stride is None else stride
    if not 8 <= patch <= min(truth.shape) or step < 1 or not 0 < threshold < 1:
        raise ValueError(
            f"expected a patch of 8..{min(truth.shape)} pixels, a stride of at least 1 and a "
            f"threshold between 0 and 1, found {patch}, {step} and {threshold}"
        )
    found = []
    for top in range(0, truth.shape[0] - patch + 1, step):
        for left in range(0, truth.shape[1] - patch + 1, step):
            part = np.s_[top : top + patch, left : left + patch]
            if head[part].mean() < LEAST_SIGNAL:
                continue
            crossing = crossing_frequency(*ring_correlation(image[part], truth[part]), threshold)
            found.append(PatchAgreement(Window(top, left, top + patch, left + patch), crossing))
    return found


def measured_band(scale: float) -> float:
    """Return the highest frequency that a scan measured, in cycles per pixel of the result.

    Nyquist's frequency of the low-resolution grid, ``0.5 / scale``: below it the truth was in the
    scan, so a result that departs from it there shows what was not measured.

    Raises
    ------
    ValueError
        If the scale is below 1.
    """
    if not scale >= 1:
        raise ValueError(f"expected a scale of at least 1, found {scale}")
    return NYQUIST / scale


def judged(
    image: NDArray[Any], truth: NDArray[Any], head: NDArray[np.bool_] | None = None
) -> list[PatchAgreement]:
    """Judge a slice in the usual way: patches of 48 pixels that do not overlap, in the head.

    Parameters
    ----------
    image, truth : ndarray, shape (rows, columns)
        A super-resolved slice and the truth, in the same units.
    head : ndarray of bool, shape (rows, columns), optional
        Where there is something to see; by default what is brighter than a tenth of the truth's
        largest value, which holds where the background is 0.

    Returns
    -------
    list of PatchAgreement
        Empty where no patch holds enough of the head, or the slice is smaller than one.
    """
    if min(truth.shape) < PATCH:
        return []
    return scan(image, truth, truth > HEAD_LEVEL * truth.max() if head is None else head)


def flagged(patches: list[PatchAgreement], frequency: float) -> list[PatchAgreement]:
    """Return the patches that depart from the truth below a frequency (cycles per pixel)."""
    return [one for one in patches if one.crossing < frequency]


def flagged_share(
    image: NDArray[Any],
    truth: NDArray[Any],
    scale: float,
    head: NDArray[np.bool_] | None = None,
) -> float:
    """Return the share of patches with a wrong structure that the scan had measured.

    Parameters
    ----------
    image, truth, head
        As for `judged`.
    scale
        By how much the slice was reduced; at least 1.

    Returns
    -------
    float
        0..1, of the patches of 48 pixels in the head; NaN where there is none.
    """
    patches = judged(image, truth, head)
    return len(flagged(patches, measured_band(scale))) / len(patches) if patches else math.nan


def patch_map(
    image: NDArray[Any],
    truth: NDArray[Any],
    scale: float,
    head: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Map the patches that were judged, pixel by pixel; parameters as for `flagged_share`.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        ``NOT_JUDGED`` outside patches of the head, ``RIGHT``, or ``WRONG`` in flagged patches.
    """
    found, band = np.full(truth.shape, NOT_JUDGED, np.uint8), measured_band(scale)
    for one in judged(image, truth, head):
        top, left, bottom, right = one.window.pixels(truth.shape)
        found[top:bottom, left:right] = WRONG if one.crossing < band else RIGHT
    return found
