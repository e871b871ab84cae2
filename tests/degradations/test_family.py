"""Apodised truncation, blurred pixels, and two axes reduced each in its own way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_metasr.degradations import (
    Apodisation,
    Reduction,
    blurred_box_matrix,
    degrade,
    reduce_image,
    truncation_matrix,
)


def wave(n, cycles):
    """Complex, so that what becomes of it is one number."""
    return np.exp(2j * np.pi * cycles * np.arange(n) / n)


@pytest.mark.parametrize(
    ("apodisation", "expected"),
    [
        (None, (1, 1, 1)),
        (Apodisation("hamming", 1), (1, 0.54, 0.08)),
        (Apodisation("hamming", 0.5), (1, 0.77, 0.54)),
        (Apodisation("hamming", 0), (1, 1, 1)),
        (Apodisation("tukey", 1), (1, 0.5, 0)),
        (Apodisation("tukey", 0.5), (1, 1, 0)),
        (Apodisation("tukey", 0), (1, 1, 1)),
    ],
)
def test_an_apodisation_weighs_the_middle_and_the_end_of_the_band(apodisation, expected):
    matrix = truncation_matrix(64, 32, apodisation)
    kept = [abs(matrix @ wave(64, cycles)).mean() for cycles in (0, 8, -16)]
    np.testing.assert_allclose(kept, expected, atol=1e-12)


def test_tukey_s_fall_begins_where_it_should():
    u = np.array([0.74, 0.75, 0.875, 1.0])
    np.testing.assert_allclose(Apodisation("tukey", 0.25).weights(u), [1, 1, 0.5, 0], atol=1e-12)


def test_no_blur_is_the_mean_over_the_area():
    third = blurred_box_matrix(8, 3)  # pixels of 8/3: [0, 2.67), [2.67, 5.33), [5.33, 8)
    expected = np.array(
        [
            [3, 3, 2, 0, 0, 0, 0, 0],
            [0, 0, 1, 3, 3, 1, 0, 0],
            [0, 0, 0, 0, 0, 2, 3, 3],
        ]
    )
    np.testing.assert_allclose(third, expected / 8, atol=1e-12)


@pytest.mark.parametrize("fwhm", [0.3, 0.8, 1.2])
@pytest.mark.parametrize("step", [2, 4])
def test_a_blurred_pixel_is_its_box_times_the_gaussian_in_frequency(fwhm, step):
    n = 64 * step
    row = blurred_box_matrix(n, 64, fwhm)[32]
    cycles = n // 8 // step
    width = fwhm * step / math.sqrt(8 * math.log(2))
    f = cycles / n
    box = np.sinc(f * step) * np.sinc(f)  # of the wide pixel, and of the fine ones summed over
    expected = box * math.exp(-2 * (math.pi * f * width) ** 2)
    assert abs(row @ wave(n, cycles)) == pytest.approx(expected, rel=3e-3)


def test_a_blur_keeps_intensities_at_borders_and_axes_of_the_same_size():
    np.testing.assert_allclose(blurred_box_matrix(20, 7, 1.2).sum(1), 1, rtol=1e-12)
    for method in ("k-space", "gaussian"):
        one = Reduction(method, apodisation=Apodisation(), fwhm=1.0)
        np.testing.assert_array_equal(one.matrix(9, 9), np.eye(9))


def test_each_axis_goes_its_own_way(rng):
    image = rng.random((24, 30)).astype(np.float32)
    rows, columns = Reduction("gaussian", fwhm=1.0), Reduction("bicubic")
    both = reduce_image(image, (11, 13), (rows, columns))
    apart = blurred_box_matrix(24, 11, 1.0) @ degrade(image, (24, 13), "bicubic")
    np.testing.assert_allclose(both, apart, atol=1e-5)


def test_refusals():
    with pytest.raises(ValueError, match="expected a blur of at least 0"):
        blurred_box_matrix(10, 5, -0.1)
    with pytest.raises(ValueError, match=r"expected an apodisation of 0\.\.1, found 1.1"):
        Apodisation("tukey", 1.1)
    with pytest.raises(ValueError, match="found 12"):
        Reduction("gaussian").matrix(10, 12)
