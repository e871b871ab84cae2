"""PSNR and SSIM against independent transcriptions of their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from napari_metasr.quality import brain_box, psnr, ssim


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 1000, (40, 52))


def transcribed_ssim(a: np.ndarray, b: np.ndarray, data_range: float) -> float:
    """Equations 13 to 16 of Wang et al. 2004, averaged where the window fits."""
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()

    def local(x: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(x, weights, axis=0), weights, axis=1)[5:-5, 5:-5]

    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    covariance = local(a * b) - mean_a * mean_b
    numerator = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((numerator / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def test_psnr_of_a_constant_error(truth: np.ndarray) -> None:
    assert psnr(truth + 10, truth, 1000) == pytest.approx(40.0)


def test_psnr_follows_the_data_range(truth: np.ndarray) -> None:
    assert psnr(truth + 1, truth, 200) - psnr(truth + 1, truth, 100) == pytest.approx(
        20 * math.log10(2)
    )


def test_integers_do_not_overflow() -> None:
    truth = np.zeros((12, 12), np.uint8)
    image = np.full((12, 12), 255, np.uint8)
    assert psnr(image, truth, 255) == pytest.approx(0.0)
    assert psnr(truth, image, 255) == pytest.approx(0.0)


def test_equal_images_are_perfect(truth: np.ndarray) -> None:
    assert psnr(truth, truth, 1000) == math.inf
    assert ssim(truth, truth, 1000) == pytest.approx(1.0)


def test_ssim_equals_the_published_formula(truth: np.ndarray) -> None:
    image = truth + np.random.default_rng(2).normal(0, 120, truth.shape)
    assert ssim(image, truth, 1000) == pytest.approx(transcribed_ssim(image, truth, 1000), 1e-9)
    assert ssim(image, truth, 1000) < 0.99


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize(
    ("image", "truth", "data_range", "message"),
    [
        (np.zeros((20, 20)), np.zeros((20, 21)), 1, r"shape \(20, 21\), found \(20, 20\)"),
        (np.zeros((3, 20, 20)), np.zeros((3, 20, 20)), 1, "2-D"),
        (np.zeros((0, 20)), np.zeros((0, 20)), 1, "at least one pixel"),
        (np.zeros((20, 20)), np.ones((20, 20)), 0, "positive number, found 0"),
        (np.zeros((20, 20)), np.ones((20, 20)), math.nan, "positive number, found nan"),
        (np.full((20, 20), np.nan), np.ones((20, 20)), 1, "NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(metric, image, truth, data_range, message) -> None:
    with pytest.raises(ValueError, match=message):
        metric(image, truth, data_range)


def test_ssim_refuses_an_image_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="11 x 11 pixels, found 10 x 30"):
        ssim(np.zeros((10, 30)), np.ones((10, 30)), 1)


def test_brain_box_ignores_specks_and_keeps_to_the_image() -> None:
    image = np.random.default_rng(3).normal(0, 1, (60, 80))
    image[10:40, 20:70] += 100
    image[55, 3] += 100
    assert brain_box(image) == (10, 20, 40, 70)
    assert brain_box(image, margin=15) == (0, 5, 55, 80)


def test_brain_box_does_not_depend_on_units() -> None:
    image = np.zeros((30, 30))
    image[5:20, 8:21] = 1.0
    assert brain_box(-3.0 + 40 * image) == brain_box(image) == (5, 8, 20, 21)


def test_brain_box_of_an_empty_slice_is_the_whole() -> None:
    assert brain_box(np.full((12, 34), 7)) == (0, 0, 12, 34)
