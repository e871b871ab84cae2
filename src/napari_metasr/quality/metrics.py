"""How far an image is from the truth, and where in it to look: pure functions on 2-D arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import (
    HEAD_LEVEL,
    LinearMap,
    fill_missing,
    intensity_range,
    value_range,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["brain_box", "psnr", "ssim"]

SSIM_WINDOW = 11


def psnr(image: NDArray[Any], truth: NDArray[Any], data_range: float) -> float:
    """Compute the peak signal-to-noise ratio, ``10 log10(data_range^2 / MSE)``.

    Parameters
    ----------
    image, truth : ndarray, shape (rows, columns)
        The same slice, in the same units.
    data_range : float
        The difference between the largest and the smallest value there can be, in their units.

    Returns
    -------
    float
        In dB; infinity where the two are equal.

    Raises
    ------
    ValueError
        If the shapes differ, the images are not 2-D or empty, hold NaN or infinity, or the data
        range is not positive.
    """
    from skimage.metrics import peak_signal_noise_ratio

    image, truth = _comparable(image, truth, data_range)
    if np.array_equal(image, truth):
        return math.inf
    return float(peak_signal_noise_ratio(truth, image, data_range=data_range))


def ssim(
    image: NDArray[Any],
    truth: NDArray[Any],
    data_range: float,
    inside: NDArray[np.bool_] | None = None,
) -> float:
    """Compute the mean SSIM (Wang et al., 2004, IEEE Transactions on Image Processing).

    The settings are the publication's: a Gaussian window of 11 pixels and sigma 1.5,
    K1 = 0.01, K2 = 0.03, biased covariances.

    Parameters
    ----------
    image, truth : ndarray, shape (rows, columns)
        The same slice, in the same units; at least 11 pixels along each axis.
    data_range : float
        The difference between the largest and the smallest value there can be, in their units.
    inside : ndarray of bool, shape (rows, columns), optional
        The mean is taken over the windows around these pixels; by default over all windows that
        lie in the image.

    Returns
    -------
    float
        At most 1, which means equal; NaN where no window that lies in the image is inside.

    Raises
    ------
    ValueError
        As for `psnr`, and if the images are smaller than the window.
    """
    from skimage.metrics import structural_similarity

    image, truth = _comparable(image, truth, data_range)
    if min(truth.shape) < SSIM_WINDOW:
        raise ValueError(
            f"SSIM needs at least {SSIM_WINDOW} x {SSIM_WINDOW} pixels, "
            f"found {truth.shape[0]} x {truth.shape[1]}"
        )
    _, similarity = structural_similarity(
        truth,
        image,
        data_range=data_range,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        K1=0.01,
        K2=0.03,
        full=True,
    )
    border = SSIM_WINDOW // 2
    whole = np.s_[border:-border, border:-border]
    windows = similarity[whole] if inside is None else similarity[whole][inside[whole]]
    return float(windows.mean(dtype=np.float64)) if windows.size else math.nan


def brain_box(image: NDArray[Any], margin: int = 0) -> tuple[int, int, int, int]:
    """Return the bounding box of the head, or of the brain where the skull has been stripped.

    The head is the largest connected part brighter than a tenth of the image's intensity range.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        A slice in any units.
    margin : int
        Pixels added on every side, as far as the image reaches.

    Returns
    -------
    tuple
        Edges (top, left, bottom, right): ``image[top:bottom, left:right]`` is the box. The whole
        image where nothing stands out.

    Raises
    ------
    ValueError
        If the image is not 2-D or holds no finite pixel.
    """
    if image.ndim != 2:
        raise ValueError(f"expected a 2-D image, found shape {image.shape}")
    filled, _ = fill_missing(image, value_range(image)[0])
    parts, count = ndimage.label(LinearMap(*intensity_range(filled)).forward(filled) > HEAD_LEVEL)
    if count == 0:
        return 0, 0, image.shape[0], image.shape[1]
    largest = int(np.argmax(np.bincount(parts.ravel())[1:]))
    rows, columns = ndimage.find_objects(parts)[largest]
    box = Window(rows.start, columns.start, rows.stop, columns.stop)
    return box.grown(margin).pixels((image.shape[0], image.shape[1]))


def _comparable(
    image: NDArray[Any], truth: NDArray[Any], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if image.shape != truth.shape:
        raise ValueError(
            f"expected an image of the truth's shape {truth.shape}, found {image.shape}"
        )
    if truth.ndim != 2 or truth.size == 0:
        raise ValueError(f"expected 2-D images with at least one pixel, found shape {truth.shape}")
    if not (math.isfinite(data_range) and data_range > 0):
        raise ValueError(f"the data range must be a positive number, found {data_range}")
    if not (np.isfinite(image).all() and np.isfinite(truth).all()):
        raise ValueError("expected images with finite pixels only, found NaN or infinity")
    return np.asarray(image, np.float64), np.asarray(truth, np.float64)
