"""The scanner's noise: white in k-space, seen in the magnitude image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.fft import ifft2

from napari_metasr.degradations.k_space import acquired_frequencies

if TYPE_CHECKING:
    from numpy.typing import NDArray


def add_k_space_noise(
    image: NDArray[Any],
    sigma: float,
    rng: np.random.Generator,
    shares: tuple[float, float] = (1.0, 1.0),
) -> NDArray[np.float32]:
    """Return the magnitude of ``IDFT(DFT(image) + n)``, n complex white Gaussian noise.

    The noise of Zhu, Yang, Lio 2018, section 2.2 (after Bao and Zhang 2003). The transforms are
    orthonormal, so ``sigma`` is the standard deviation of the real and of the imaginary part in
    k-space and in image space alike. Magnitudes follow Rice's distribution (Gudbjartsson and
    Patz 1995): about normal around bright tissue, with a mean of sigma sqrt(pi / 2) where there
    is no signal. The transform is linear, so that only the noise goes through it.

    Parameters
    ----------
    image
        (..., rows, columns), a magnitude image without noise; one noise for each of a batch.
    sigma
        In the image's intensity units; the paper's 20 and 40 are of images in 0..255. With 0
        the image stays as it is, negative values included.
    rng
        Decides the noise.
    shares
        Of the band of rows and of columns, (0..1], by how much is acquired. The scanner fills the
        rest with zeros, so that all of the noise lies within.

    Returns
    -------
    float32, (..., rows, columns), nowhere negative unless ``sigma`` is 0.

    Raises
    ------
    ValueError
        If ``sigma`` is negative or not finite, a share is out of range, or the image has fewer than
        two axes.
    """
    if not 0 <= sigma < math.inf:
        raise ValueError(f"expected noise of a sigma of at least 0, found {sigma}")
    if np.ndim(image) < 2:
        raise ValueError(
            f"expected an image of (..., rows, columns), found shape {np.shape(image)}"
        )
    acquired = np.multiply.outer(*map(_acquired, np.shape(image)[-2:], shares))
    clean = np.asarray(image, np.float32)
    if sigma == 0:
        return clean.copy()
    components = rng.standard_normal((*clean.shape, 2), dtype=np.float32)
    k_space = components.view(np.complex64)[..., 0]
    if not acquired.all():
        k_space *= acquired / np.float32(math.sqrt(acquired.mean()))
    noise = ifft2(k_space, norm="ortho", overwrite_x=True)
    noise *= np.float32(sigma)
    noise += clean
    return np.abs(noise)


def _acquired(count: int, share: float) -> NDArray[np.float32]:
    """Return 1 for the frequencies of an axis that are acquired, in the order of its transform."""
    samples = np.zeros(count, np.float32)
    samples[acquired_frequencies(count, share)] = 1
    return samples
