"""The blur that a spectrum shows: spectra of a known one, of any anatomy, under noise."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.acquisition.blur import blur_of_spectrum

FREQUENCIES = np.arange(129) / 256
"""Cycles a pixel, 0 .. Nyquist."""


def spectrum(fwhm, anatomy=2.0, noise=0.0):
    """Anatomy, blurred by a Gaussian, and white noise."""
    sigma = fwhm / np.sqrt(8 * np.log(2))
    tissue = (FREQUENCIES[1] / np.maximum(FREQUENCIES, FREQUENCIES[1])) ** anatomy
    return tissue * np.exp(-((2 * np.pi * sigma * FREQUENCIES) ** 2)) + noise


@pytest.mark.parametrize("fwhm", [0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("anatomy", [1.7, 2.0, 2.6])
@pytest.mark.parametrize("noise", [0.0, 1e-5, 1e-4])
def test_a_known_blur_is_found_whatever_the_anatomy_and_the_noise(fwhm, anatomy, noise):
    shown = blur_of_spectrum(spectrum(fwhm, anatomy, noise), most_noise=1.5 * noise or np.inf)
    assert shown == pytest.approx(fwhm, abs=0.05)


def test_noise_need_not_be_known():
    assert blur_of_spectrum(spectrum(1.0, noise=1e-4)) == pytest.approx(1.0, abs=0.05)


def test_a_part_of_the_band_is_an_image_of_its_own():
    """Blur counts in acquired pixels: twice as large where half of the band was acquired."""
    whole = spectrum(2.0, noise=1e-7)
    whole[65:] = 1e-7
    assert blur_of_spectrum(whole, share=0.5) == pytest.approx(1.0, abs=0.05)


def test_spectra_that_fall_as_anatomy_does_show_no_blur():
    assert blur_of_spectrum(spectrum(0.0, anatomy=1.6)) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("power", [np.ones(129), np.zeros(129), spectrum(1.0)[:6]])
def test_noise_alone_and_few_frequencies_show_nothing(power):
    assert blur_of_spectrum(power) is None
