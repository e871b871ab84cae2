"""Fréchet distances of sets of images, as a network sees them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from metasr_training.evaluation.looks import Looks, detector_features


def test_a_shift_of_the_features_is_its_square():
    looks = Looks(lambda image: image.mean(dim=(2, 3), keepdim=True), smallest=8)
    for level in (10, 30, 50):
        looks.add_truth(np.full((8, 8), level))
        looks.add("same", np.full((8, 8), level))
        looks.add("brighter", np.full((8, 8), level + 51))
    assert looks.distance("same") == pytest.approx(0, abs=1e-6)
    assert looks.distance("brighter") == pytest.approx((51 / 255) ** 2, rel=1e-3)


def test_one_image_has_no_distance():
    looks = Looks(lambda image: image, smallest=8)
    for size in (7, 8):
        looks.add_truth(np.zeros((size, 8)))
        looks.add("one", np.zeros((size, 8)))
    assert np.isnan(looks.distance("one"))
    assert np.isnan(looks.distance("none"))


def test_the_detector_sees_blur(rng):
    looks = Looks(detector_features())
    for _ in range(4):
        truth = 255 * ndimage.gaussian_filter(rng.random((64, 64)), 1)
        looks.add_truth(truth)
        for sigma in (0.5, 2):
            looks.add(str(sigma), ndimage.gaussian_filter(truth, sigma))
    assert 0 < looks.distance("0.5") < looks.distance("2")
