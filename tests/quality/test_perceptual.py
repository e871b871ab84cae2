"""Measures of looks: known answers, and what blur and noise do to them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_metasr.quality.perceptual import frechet_distance, high_frequency_energy, vif


@pytest.fixture
def truth(rng):
    return 255 * ndimage.gaussian_filter(rng.random((96, 80)), 1.0)


def test_vif_of_equal_images_is_one_and_blur_noise_and_contrast_move_it(truth, rng):
    assert vif(truth, truth, 255) == pytest.approx(1)
    blurred = [vif(ndimage.gaussian_filter(truth, sigma), truth, 255) for sigma in (0.5, 1, 2)]
    assert 1 > blurred[0] > blurred[1] > blurred[2] > 0
    assert vif(truth + rng.normal(0, 5, truth.shape), truth, 255) < 0.9
    assert vif(1.2 * truth, truth, 255) > 1
    assert vif(np.zeros((50, 50)), np.zeros((50, 50)), 255) == 1


def test_vif_by_hand_of_a_pure_gain():
    """Without added noise the channel's information is log(1 + g^2 v / (tiny + n))."""
    rng = np.random.default_rng(0)
    truth = 255 * rng.random((64, 64))
    gain = 0.5
    seen = present = 0.0
    image, wanted = gain * truth, truth
    for size in (17, 9, 5, 3):
        steps = np.arange(size) - size // 2
        profile = np.exp(-(steps**2) / (2 * (size / 5) ** 2))
        profile /= profile.sum()

        def smooth(field, profile=profile, half=size // 2):
            once = ndimage.correlate1d(ndimage.correlate1d(field, profile, axis=0), profile, axis=1)
            return once[half:-half, half:-half]

        if size != 17:
            image, wanted = smooth(image)[::2, ::2], smooth(wanted)[::2, ::2]
        variance = smooth(wanted**2) - smooth(wanted) ** 2
        seen += np.log10(1 + gain**2 * variance / 2).sum()
        present += np.log10(1 + variance / 2).sum()
    assert vif(gain * truth, truth, 255) == pytest.approx(seen / present, rel=1e-6)


def test_vif_does_not_depend_on_units(truth):
    image = ndimage.gaussian_filter(truth, 1)
    assert vif(image, truth, 255) == pytest.approx(vif(image * 16, truth * 16, 255 * 16))


def test_high_frequency_energy_counts_what_smoothing_takes(truth, rng):
    assert high_frequency_energy(truth, truth) == pytest.approx(1)
    assert high_frequency_energy(0.5 * truth, truth) == pytest.approx(0.25)
    assert high_frequency_energy(ndimage.gaussian_filter(truth, 1), truth) < 0.2
    assert high_frequency_energy(truth + rng.normal(0, 20, truth.shape), truth) > 2
    rows = np.arange(64)
    slow, fast = (np.cos(2 * np.pi * f * rows)[:, None] * np.ones(64) for f in (1 / 16, 3 / 8))
    assert high_frequency_energy(slow, fast) < 1e-3
    assert np.isnan(high_frequency_energy(slow, np.ones((64, 64))))


def test_frechet_distance_of_gaussians_by_hand(rng):
    features = rng.normal(size=(400, 3))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(features, features + np.array([3, 0, 4])) == pytest.approx(25)
    scaled = frechet_distance(features, 2 * features - features.mean(axis=0))
    assert scaled == pytest.approx(np.trace(np.cov(features.T)), rel=1e-6)  # (2 - 1)^2 C


@pytest.mark.parametrize(
    ("image", "truth", "match"),
    [
        (np.zeros((50, 50)), np.zeros((50, 51)), "one shape"),
        (np.zeros((40, 90)), np.zeros((40, 90)), "at least 41"),
        (np.full((50, 50), np.nan), np.zeros((50, 50)), "finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(image, truth, match):
    with pytest.raises(ValueError, match=match):
        vif(image, truth, 255)


def test_sets_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="same features"):
        frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(ValueError, match="at least two"):
        frechet_distance(np.zeros((1, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="data range"):
        vif(np.zeros((50, 50)), np.zeros((50, 50)), 0)
