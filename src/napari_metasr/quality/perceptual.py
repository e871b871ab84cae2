"""How an image looks beside the truth, where PSNR favours blur: measures without a download.

PSNR and SSIM reward the average of all likely images, which is smooth; an adversarial network is
trained to make one likely image instead (Blau & Michaeli 2018, CVPR, "The perception-distortion
tradeoff"). These measures see what is lost by smoothing and what is added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.signal import convolve2d

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIF_SCALES = 4
VIF_NOISE = 2.0
"""Variance of the visual noise, for images on a range of 255."""

VIF_SMALLEST = 41
"""Pixels along an axis below which the coarsest of the four scales would be empty."""

HIGH_FREQUENCY = 0.25
"""Cycles per pixel, half of Nyquist, above which energy counts as high-frequency."""

_TINY = 1e-10


def vif(image: NDArray[Any], truth: NDArray[Any], data_range: float) -> float:
    """Measure visual information fidelity in the pixel domain, over four scales.

    The information that the eye could take from the image about the truth, as a share of what it
    could take from the truth itself, both seen through white noise (Sheikh & Bovik 2006, IEEE
    Transactions on Image Processing 15, eq. 14; the pixel-domain form of its authors, with
    Gaussian windows of 17, 9, 5 and 3 pixels).

    Parameters
    ----------
    image, truth : ndarray, shape (rows, columns)
        The same slice in the same units, at least 41 pixels along each axis.
    data_range : float
        The difference between the largest and the smallest value there can be, in their units.

    Returns
    -------
    float
        1 where the two are equal, below 1 where detail was lost, above 1 where contrast was added
        to the truth's own structures; 1 for two constant images.

    Raises
    ------
    ValueError
        If the shapes differ, an axis is shorter than 41 pixels, a value is not finite, or the
        data range is not positive.
    """
    image, truth = _comparable(image, truth, data_range)
    if min(truth.shape) < VIF_SMALLEST:
        raise ValueError(
            f"expected at least {VIF_SMALLEST} pixels along each axis, found shape {truth.shape}"
        )
    seen, present = 0.0, 0.0
    image, truth = image * (255 / data_range), truth * (255 / data_range)
    for scale in range(VIF_SCALES):
        window = _gaussian(2 ** (VIF_SCALES - scale) + 1)
        if scale:
            image, truth = _filtered(image, window)[::2, ::2], _filtered(truth, window)[::2, ::2]
        gain, added, variance = _channel(image, truth, window)
        seen += float(np.log10(1 + gain**2 * variance / (added + VIF_NOISE)).sum())
        present += float(np.log10(1 + variance / VIF_NOISE).sum())
    return seen / present if present > 0 else 1.0


def high_frequency_energy(image: NDArray[Any], truth: NDArray[Any]) -> float:
    """Measure the energy above half of Nyquist, as a share of the truth's.

    Parameters
    ----------
    image, truth : ndarray, shape (rows, columns)
        The same slice in the same units; a Hann window keeps the borders out.

    Returns
    -------
    float
        1 where the image has as much fine structure as the truth; less where it is smooth, more
        where texture or noise was added. NaN where the truth has none.

    Raises
    ------
    ValueError
        If the shapes differ, the images are not 2-D or hold NaN or infinity.
    """
    image, truth = _comparable(image, truth, 1.0)
    own, wanted = (_energy_above(one, HIGH_FREQUENCY) for one in (image, truth))
    return own / wanted if wanted > 0 else float("nan")


def frechet_distance(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Compute the squared Fréchet distance of two sets of features, each taken as a Gaussian.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Heusel et al. 2017, NeurIPS, eq. 6). Which
    network gave the features decides what it means, so every table names it.

    Parameters
    ----------
    first, second : ndarray, shape (images, features)
        At least two images each, with the same features.

    Returns
    -------
    float
        0 for equal sets; in squared units of the features.

    Raises
    ------
    ValueError
        If a set has fewer than two images, or the sets have different features.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            f"expected two sets of the same features, found shapes {first.shape}, {second.shape}"
        )
    if min(len(first), len(second)) < 2:
        raise ValueError(
            f"expected at least two images in each set, found {len(first)} and {len(second)}"
        )
    between = first.mean(axis=0) - second.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(one, rowvar=False)) for one in (first, second)]
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ covariances[1] @ root)  # those of the product, which is PSD
    spread = np.trace(covariances[0] + covariances[1]) - 2 * np.sqrt(shared.clip(0)).sum()
    return max(float(between @ between + spread), 0.0)


def _comparable(
    image: NDArray[Any], truth: NDArray[Any], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    image, truth = np.asarray(image, np.float64), np.asarray(truth, np.float64)
    if image.ndim != 2 or image.shape != truth.shape:
        raise ValueError(
            f"expected two 2-D images of one shape, found {image.shape} and {truth.shape}"
        )
    if not (np.isfinite(image).all() and np.isfinite(truth).all()):
        raise ValueError("expected finite images, found NaN or infinity")
    if not data_range > 0:
        raise ValueError(f"expected a positive data range, found {data_range}")
    return image, truth


def _gaussian(size: int) -> NDArray[np.float64]:
    steps = np.arange(size) - size // 2
    profile = np.exp(-(steps**2) / (2 * (size / 5) ** 2))
    window = np.outer(profile, profile)
    return window / window.sum()


def _filtered(image: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    return convolve2d(image, window, mode="valid")


def _channel(
    image: NDArray[np.float64], truth: NDArray[np.float64], window: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Estimate gain, variance of the added noise and variance of the truth in each window.

    The image is the truth times a gain plus noise; where the truth is flat there is no gain, and
    a negative gain is noise alone.
    """
    mean_image, mean_truth = _filtered(image, window), _filtered(truth, window)
    variance_image = (_filtered(image**2, window) - mean_image**2).clip(0)
    variance = (_filtered(truth**2, window) - mean_truth**2).clip(0)
    shared = _filtered(image * truth, window) - mean_image * mean_truth
    flat = variance < _TINY
    gain = np.where(flat, 0.0, shared / np.where(flat, 1.0, variance))
    added = variance_image - gain * shared
    negative = gain < 0
    gain, added = np.where(negative, 0.0, gain), np.where(negative, variance_image, added)
    return gain, added.clip(_TINY), np.where(flat, 0.0, variance)


def _energy_above(image: NDArray[np.float64], frequency: float) -> float:
    taper = np.outer(np.hanning(image.shape[0]), np.hanning(image.shape[1]))
    power = np.abs(np.fft.fft2((image - image.mean()) * taper)) ** 2
    rows, columns = np.fft.fftfreq(image.shape[0]), np.fft.fftfreq(image.shape[1])
    radius = np.hypot(rows[:, None], columns[None])
    return float(power[radius > frequency].sum())
