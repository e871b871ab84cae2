"""Low-resolution images: what must hold, and each operator against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_metasr.degradations import (
    DEGRADATIONS,
    add_k_space_noise,
    degradation_matrix,
    degrade,
    slice_profile_matrix,
)


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


@pytest.mark.parametrize("n_in", [12, 13])
def test_an_image_reduced_to_its_own_size_stays(rng, n_in):
    image = rng.random((n_in, n_in)).astype(np.float32)
    for method in DEGRADATIONS:
        np.testing.assert_allclose(degrade(image, image.shape, method), image, atol=1e-6)


@pytest.mark.parametrize(("n_in", "n_out"), [(24, 12), (25, 8), (30, 7), (40, 36)])
@pytest.mark.parametrize("thickness", [0.5, 1.0, 1.3])
def test_a_slice_profile_is_a_normalised_gaussian_on_the_thick_slice(n_in, n_out, thickness):
    """Half of the weight at half the thickness from the centre, written out pixel by pixel."""
    matrix = slice_profile_matrix(n_in, n_out, thickness)
    spacing = n_in / n_out
    for k in range(n_out):
        centre = (k + 0.5) * spacing - 0.5
        weights = [0.5 ** ((2 * (j - centre) / (thickness * spacing)) ** 2) for j in range(n_in)]
        np.testing.assert_allclose(matrix[k], np.array(weights) / sum(weights), atol=1e-12)


def test_slices_without_thickness_are_samples_at_the_centre(rng):
    image = rng.random((15, 4)).astype(np.float32)
    np.testing.assert_array_equal(degrade(image, (5, 4), "slice-profile", thickness=0), image[1::3])
    pairs = (image[:-1:2] + image[1::2])[:7] / 2
    thin = [degrade(image[:14], (7, 4), "slice-profile", thickness=t) for t in (0, 1e-9, 1e-200)]
    np.testing.assert_allclose(thin, np.stack([pairs] * 3), rtol=1e-6)


def test_thicker_slices_keep_less_of_a_wave():
    wave = np.cos(2 * np.pi * np.arange(60) / 6)[:, None]
    kept = [np.ptp(degrade(wave, (30, 1), "slice-profile", thickness=t)) for t in (0, 0.5, 1, 1.5)]
    assert kept == sorted(kept, reverse=True)
    width = 2.0 / (2 * math.sqrt(2 * math.log(2)))  # the continuous Gaussian's own response
    expected = math.exp(-((2 * math.pi / 6 * width) ** 2) / 2)
    row = slice_profile_matrix(60, 30)[15]
    response = abs(row @ np.exp(2j * np.pi * np.arange(60) / 6))
    assert response == pytest.approx(expected, abs=0.01)


def noisy(shape, value, sigma, seed=7):
    image = np.full(shape, value, np.float32)
    return add_k_space_noise(image, sigma, np.random.default_rng(seed))


@pytest.mark.parametrize("sigma", [20, 40])
def test_noise_on_bright_tissue_has_the_given_sigma(sigma):
    """The imaginary part only adds sigma^2 / 2A to the mean (Gudbjartsson and Patz 1995)."""
    bright = noisy((4, 200, 250), 2000, sigma).astype(np.float64)
    n = bright.size
    assert bright.std() == pytest.approx(sigma, rel=5 / math.sqrt(2 * n))
    assert bright.mean() == pytest.approx(2000 + sigma**2 / 4000, abs=5 * sigma / math.sqrt(n))


@pytest.mark.parametrize("sigma", [20, 40])
def test_noise_without_signal_is_rayleigh_s(sigma):
    background = noisy((4, 200, 250), 0, sigma).astype(np.float64)
    spread = sigma * math.sqrt(2 - math.pi / 2)
    tolerance = 5 * spread / math.sqrt(background.size)
    assert background.mean() == pytest.approx(sigma * math.sqrt(math.pi / 2), abs=tolerance)
    assert background.std() == pytest.approx(spread, rel=0.01)
    assert (background > sigma).mean() == pytest.approx(math.exp(-1 / 2), abs=0.006)


def test_noise_is_white_in_k_space():
    """Every frequency carries the same power: sigma^2, of the real part alone, per pixel."""
    residual = noisy((400, 31, 24), 5000, 10).astype(np.float64) - 5000
    power = (np.abs(np.fft.fft2(residual, norm="ortho")) ** 2).mean(0)
    power[0, 0] -= (10**2 / 10000) ** 2 * 31 * 24
    assert power.mean() == pytest.approx(100, rel=0.02)
    assert 60 < power.min() < power.max() < 160


@pytest.mark.parametrize(("size", "share"), [((40, 31), (0.6, 1.0)), ((41, 30), (0.7, 0.5))])
def test_the_noise_of_an_interpolated_scan_fills_its_band_alone(size, share):
    image = np.full((300, *size), 5000, np.float32)
    found = add_k_space_noise(image, 10, np.random.default_rng(1), share).astype(np.float64)
    residual = found - 5000
    assert residual.std() == pytest.approx(10, rel=0.02)
    power = (np.abs(np.fft.fft2(residual)) ** 2).mean(axis=(0, 2 if share[1] == 1 else 1))
    count = size[0] if share[1] == 1 else size[1]
    part = share[0] if share[1] == 1 else share[1]
    beyond = np.abs(np.fft.fftfreq(count)) > part / 2 + 1 / count
    assert beyond.any()
    assert power[beyond].max() < 1e-4 * power[~beyond].mean()


def test_noise_is_the_definition_s(rng):
    """The noise drawn again, and taken through both transforms with the image."""
    image = (255 * rng.random((2, 11, 14))).astype(np.float32)
    found = add_k_space_noise(image, 20, np.random.default_rng(3))
    drawn = np.random.default_rng(3).standard_normal((2, 11, 14, 2), dtype=np.float32)
    spectrum = np.fft.fft2(image, norm="ortho") + 20 * (drawn[..., 0] + 1j * drawn[..., 1])
    expected = np.abs(np.fft.ifft2(spectrum, norm="ortho"))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    assert found.dtype == np.float32


def test_noise_follows_its_seed_and_nothing_else():
    once, again, other = (noisy((3, 12, 10), 90, 20, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)
    assert not np.allclose(once[0], once[1])
    assert noisy((5, 9), 0, 40).shape == (5, 9)


def test_no_noise_leaves_an_image_as_it_is():
    image = np.array([[-3.0, 4.0]], np.float32)
    quiet = add_k_space_noise(image, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(quiet, image)
    assert not np.shares_memory(quiet, image)


def test_refusals():
    known = "k-space, k-space-hamming, gaussian, slice-profile, found 'blur'"
    with pytest.raises(ValueError, match=known):
        degradation_matrix("blur", 10, 5)
    with pytest.raises(ValueError, match="found 11"):
        degrade(np.ones((10, 10)), (11, 10))
    for thickness in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="expected a slice thickness"):
            degradation_matrix("slice-profile", 10, 5, thickness=thickness)
    for sigma in (-1, math.nan):
        with pytest.raises(ValueError, match="expected noise of a sigma"):
            add_k_space_noise(np.ones((4, 4)), sigma, np.random.default_rng())
    for shares in ((0.0, 1.0), (1.0, 1.5)):
        with pytest.raises(ValueError, match=r"expected a share of 0\.\.1 of the band"):
            add_k_space_noise(np.ones((4, 4)), 1, np.random.default_rng(), shares)
    with pytest.raises(ValueError, match=r"found shape \(4,\)"):
        add_k_space_noise(np.ones(4), 1, np.random.default_rng())
