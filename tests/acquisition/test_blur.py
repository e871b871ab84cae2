"""The blur that a spectrum shows: spectra of a known one, under noise that hides it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.acquisition.blur import blur_of_spectrum

FREQUENCIES = np.arange(129) / 256
"""Cycles a pixel, 0 .. Nyquist."""


def spectrum(fwhm, noise=0.0):
    """Tissue borders, blurred by a Gaussian, and white noise."""
    sigma = fwhm / np.sqrt(8 * np.log(2))
    borders = 1 / np.maximum(FREQUENCIES, FREQUENCIES[1]) ** 2
    return borders * np.exp(-((2 * np.pi * sigma * FREQUENCIES) ** 2)) + noise


@pytest.mark.parametrize("fwhm", [0.5, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_a_known_blur_is_found(fwhm, noise):
    assert blur_of_spectrum(spectrum(fwhm, noise), floor=noise) == pytest.approx(fwhm, abs=0.1)


def test_spectra_that_fall_less_than_borders_show_no_blur():
    assert blur_of_spectrum(np.sqrt(spectrum(0.0))) == 0


@pytest.mark.parametrize("floor", [0.5, 2.0, 5.0])
def test_what_noise_hides_is_not_taken_for_blur(floor):
    """The noise is estimated a little too high: nothing is left where the signal ends."""
    shown = blur_of_spectrum(spectrum(1.0, floor), floor=1.2 * floor)
    assert 0 <= shown < 1.1


@pytest.mark.parametrize("power", [np.ones(129), np.zeros(129)])
def test_noise_alone_shows_nothing(power):
    assert blur_of_spectrum(power, floor=0.9) is None
