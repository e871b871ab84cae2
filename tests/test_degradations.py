"""Low-resolution images: what must hold, and k-space truncation against the FFT."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.degradations import DEGRADATIONS, degrade
from napari_metasr.degradations.downsampling import degradation_matrix


def truncated_by_fft(image, shape):
    """Crop the centred spectrum (DC at n // 2), shift to the wider pixels' centres, go back."""
    spectrum = np.fft.fftshift(np.fft.fft2(image))
    for axis, size in enumerate(shape):
        n = image.shape[axis]
        start = n // 2 - size // 2
        spectrum = np.take(spectrum, range(start, start + size), axis=axis)
        frequency = np.arange(size) - size // 2
        ramp = np.exp(2j * np.pi * frequency * (n / size - 1) / 2 / n)
        spectrum = spectrum * ramp.reshape([-1 if a == axis else 1 for a in (0, 1)])
    small = np.fft.ifft2(np.fft.ifftshift(spectrum))
    return small.real * (shape[0] * shape[1]) / image.size


@pytest.mark.parametrize("size", [(40, 40), (41, 40), (40, 41), (37, 53)])
@pytest.mark.parametrize("shape", [(20, 20), (13, 21), (11, 36), (37, 40)])
def test_k_space_truncation_is_the_fft_s(rng, size, shape):
    image = rng.random(size)
    np.testing.assert_allclose(
        degrade(image, shape, "k-space"), truncated_by_fft(image, shape), atol=1e-5
    )


@pytest.mark.parametrize("n_out", [17, 16])
def test_a_wave_that_survives_truncation_is_sampled_at_pixel_centres(n_out):
    n = 48
    wave = np.cos(2 * np.pi * 3 * (np.arange(n) + 0.5) / n + 0.7)
    small = degrade(np.tile(wave, (n_out, 1)), (n_out, n_out), "k-space")[0]
    expected = np.cos(2 * np.pi * 3 * (np.arange(n_out) + 0.5) / n_out + 0.7)
    np.testing.assert_allclose(small, expected, atol=1e-6)


@pytest.mark.parametrize("method", DEGRADATIONS)
def test_a_constant_stays_and_a_batch_is_its_images(rng, method):
    np.testing.assert_allclose(degrade(np.full((20, 31), 7.5), (9, 13), method), 7.5, rtol=1e-6)
    batch = rng.random((3, 20, 31))
    together = degrade(batch, (9, 13), method)
    for image, small in zip(batch, together, strict=True):
        np.testing.assert_allclose(degrade(image, (9, 13), method), small, atol=1e-6)


@pytest.mark.parametrize("method", DEGRADATIONS)
def test_nothing_moves(method):
    """The centre of mass of a smooth blob stays in its place, in units of the field of view."""
    y, x = np.mgrid[:60, :80]
    blob = np.exp(-(((y - 22.3) / 6) ** 2 + ((x - 47.9) / 7) ** 2))
    small = degrade(blob, (23, 31), method)
    rows, columns = (np.arange(n) + 0.5 for n in small.shape)
    centre = (small.sum(1) @ rows / small.sum() / 23, small.sum(0) @ columns / small.sum() / 31)
    np.testing.assert_allclose(centre, ((22.3 + 0.5) / 60, (47.9 + 0.5) / 80), atol=5e-4)


def test_refusals():
    with pytest.raises(ValueError, match="bicubic, bilinear, box, k-space, found 'blur'"):
        degradation_matrix("blur", 10, 5)
    with pytest.raises(ValueError, match="found 11"):
        degrade(np.ones((10, 10)), (11, 10))
