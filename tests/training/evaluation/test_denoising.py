"""The denoising baseline: noise level, parameters, and what it gains."""

from __future__ import annotations

import numpy as np
import pytest

from metasr_training.evaluation.denoising import (
    NonLocalMeansParameters,
    filtered,
    noise_level,
    non_local_means,
    optimal_parameters,
)
from metasr_training.evaluation.methods import bilinear_nld, interpolation
from napari_metasr.degradations import add_k_space_noise


def head(size=64):
    """Rings of tissue in 60..200 on an empty background."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    radius = np.hypot(y, 1.2 * x)
    return np.where(radius < 0.42, 130 + 70 * np.sign(np.cos(25 * radius)), 0).astype(np.float32)


def error(image, truth):
    return np.sqrt(np.mean((image - truth) ** 2))


@pytest.mark.parametrize("sigma", [2.0, 20.0, 40.0])
def test_the_noise_level_of_white_noise_on_a_smooth_image(rng, sigma):
    y, x = np.mgrid[:128, :150]
    smooth = 100 + 0.4 * x + 0.002 * y**2
    found = noise_level(smooth + rng.normal(0, sigma, smooth.shape))
    assert found == pytest.approx(sigma, rel=0.04)


def test_an_image_without_noise_has_none():
    assert noise_level(np.zeros((16, 16))) == 0
    y, x = np.mgrid[:20, :30]
    inside = noise_level(3.0 * x * y + 7)  # the wavelet's two moments vanish; edges remain
    assert inside < 1e-9


def test_empty_background_does_not_hide_the_noise(rng):
    image = np.zeros((400, 400))
    image[:140, :140] = rng.normal(100, 10, (140, 140))
    assert noise_level(image) == pytest.approx(10, rel=0.1)


def test_parameters_follow_the_noise():
    found = [optimal_parameters(sigma) for sigma in (5, 7.5, 15, 20, 40, 60, 100)]
    assert [one.patch_radius for one in found] == [1, 1, 1, 2, 3, 3, 4]
    assert [one.search_radius for one in found] == [3, 4, 5, 6, 6, 7, 8]
    assert [one.filtering for one in found] == pytest.approx([7.5, 10.5, 19.5, 22, 40, 60, 100])
    assert optimal_parameters(19).patch_radius == 1
    assert optimal_parameters(19.01).patch_radius == 2


def written_out(image, parameters):
    """Non-local means pixel by pixel (Froment 2014, eq. 5 to 9)."""
    patch, search = parameters.patch_radius, parameters.search_radius
    border = patch + search
    padded = np.pad(image, border, mode="reflect")

    def patch_at(y, x):
        return padded[y - patch : y + patch + 1, x - patch : x + patch + 1]

    output = np.zeros_like(image)
    for y, x in np.ndindex(image.shape):
        total = weight = 0.0
        for i in range(y + border - search, y + border + search + 1):
            for j in range(x + border - search, x + border + search + 1):
                distance = np.mean((patch_at(i, j) - patch_at(y + border, x + border)) ** 2)
                w = np.exp(-distance / parameters.filtering**2)
                total, weight = total + w * padded[i, j], weight + w
        output[y, x] = total / weight
    return output


@pytest.mark.parametrize("patch", [1, 2])
def test_non_local_means_is_the_papers(rng, patch):
    noisy = head(14)[:, :11] + rng.normal(0, 12, (14, 11))
    parameters = NonLocalMeansParameters(patch, 3, 15.0)
    np.testing.assert_allclose(filtered(noisy, parameters), written_out(noisy, parameters))


def test_intensity_units_do_not_matter(rng):
    noisy = head(40) + rng.normal(0, 20, (40, 40))
    np.testing.assert_allclose(
        non_local_means(noisy / 255, full_range=1.0) * 255, non_local_means(noisy), rtol=1e-6
    )


@pytest.mark.parametrize("sigma", [20, 40])
def test_it_removes_much_of_the_noise(rng, sigma):
    truth = head()
    noisy = truth + rng.normal(0, sigma, truth.shape)
    assert error(non_local_means(noisy), truth) < 0.6 * error(noisy, truth)


def test_the_baseline_beats_bilinear_under_noise_in_k_space():
    low = head(48)
    truth = interpolation("bilinear")(low, 2)
    noisy = add_k_space_noise(low, 20, np.random.default_rng(2))
    denoised, plain = bilinear_nld(noisy, 2), interpolation("bilinear")(noisy, 2)
    assert denoised.shape == (96, 96)
    assert denoised.dtype == np.float32
    tissue = truth > 30
    assert error(denoised[tissue], truth[tissue]) < 0.85 * error(plain[tissue], truth[tissue])


def test_without_noise_the_baseline_is_bilinear():
    image = np.zeros((12, 10), np.float32)
    np.testing.assert_array_equal(bilinear_nld(image, 2), interpolation("bilinear")(image, 2))


def test_missing_pixels_stay_missing_and_do_not_spread(rng):
    image = head(32) + rng.normal(0, 10, (32, 32)).astype(np.float32)
    image[5, 6] = np.nan
    output = bilinear_nld(image, 2)
    assert np.isnan(output).sum() == 4
    assert np.isnan(output[10:12, 12:14]).all()
