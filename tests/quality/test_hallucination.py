"""Scanning Fourier ring correlation: values by hand, and what is flagged."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_metasr.quality.hallucination import (
    NOT_JUDGED,
    NYQUIST,
    RIGHT,
    WRONG,
    crossing_frequency,
    flagged,
    flagged_share,
    measured_band,
    patch_map,
    ring_correlation,
    scan,
)


@pytest.fixture
def truth(rng):
    return 100 + 50 * ndimage.gaussian_filter(rng.normal(size=(96, 96)), 0.7)


def test_equal_patches_agree_everywhere_and_opposite_ones_nowhere(truth):
    patch = truth[:48, :48]
    frequencies, same = ring_correlation(patch, 3 * patch + 7)
    np.testing.assert_allclose(frequencies, np.arange(1, 25) / 48)
    np.testing.assert_allclose(same, 1)
    np.testing.assert_allclose(ring_correlation(patch, -patch)[1], -1)


def test_one_ring_by_an_independent_sum(truth, rng):
    first, second = truth[:16, :16], truth[:16, :16] + rng.normal(0, 5, (16, 16))
    taper = np.outer(np.hanning(16), np.hanning(16))
    spectra = [np.fft.fft2((one - one.mean()) * taper) for one in (first, second)]
    top = bottom_first = bottom_second = 0.0
    for u in range(-8, 8):
        for v in range(-8, 8):
            if round((u * u + v * v) ** 0.5) == 3:
                one, other = spectra[0][u, v], spectra[1][u, v]
                top += (one * other.conjugate()).real
                bottom_first += abs(one) ** 2
                bottom_second += abs(other) ** 2
    expected = top / (bottom_first * bottom_second) ** 0.5
    assert ring_correlation(first, second)[1][2] == pytest.approx(expected)


def test_independent_noise_is_uncorrelated(rng):
    first, second = rng.normal(size=(2, 64, 64))
    assert np.abs(ring_correlation(first, second)[1][8:]).max() < 0.3


def test_the_crossing_by_hand():
    frequencies = np.array([0.1, 0.2, 0.3])
    assert crossing_frequency(frequencies, np.array([1, 0.9, 0.6]), 0.75) == pytest.approx(0.25)
    assert crossing_frequency(frequencies, np.array([0.5, 1, 1]), 0.75) == pytest.approx(0.05)
    assert crossing_frequency(frequencies, np.ones(3), 0.75) == NYQUIST


def test_a_place_that_was_changed_is_flagged_and_the_others_are_not(truth, rng):
    image = truth.copy()
    image[48:, 48:] = 100 + 50 * ndimage.gaussian_filter(rng.normal(size=(48, 48)), 0.7)
    found = flagged(scan(image, truth, np.ones(truth.shape, bool)), measured_band(2))
    assert [one.window for one in found] == [(48, 48, 96, 96)]


def test_blur_beyond_the_band_is_not_flagged_but_inside_it_noise_is(truth, rng):
    spectrum = np.fft.fft2(truth)
    rows, columns = np.fft.fftfreq(96)[:, None], np.fft.fftfreq(96)
    spectrum[np.hypot(rows, columns) > 0.35] = 0
    kept = np.fft.ifft2(spectrum).real
    head = np.ones(truth.shape, bool)
    assert not flagged(scan(kept, truth, head), measured_band(2))
    noisy = truth + rng.normal(0, 80, truth.shape)
    assert len(flagged(scan(noisy, truth, head), measured_band(2))) == 4


def test_the_share_of_a_slice(truth):
    image = truth.copy()
    image[48:, 48:] = truth[:48, :48]
    assert flagged_share(image, truth, 2) == 0.25
    assert flagged_share(truth, truth, 2) == 0
    assert np.isnan(flagged_share(truth[:40], truth[:40], 2))
    assert np.isnan(flagged_share(0 * truth, 0 * truth, 2))


def test_the_map_of_patches_tells_which_pixels_are_wrong(truth):
    truth = np.pad(truth, ((0, 10), (0, 60)))  # patches of columns 96 to 144 hold no head
    image = truth.copy()
    image[48:96, 48:96] = truth[:48, :48]
    found = patch_map(image, truth, 2)
    assert (found[48:96, 48:96] == WRONG).all()
    assert np.count_nonzero(found == WRONG) == 48 * 48
    assert np.count_nonzero(found == RIGHT) == 3 * 48 * 48
    assert (found[:, 96:] == NOT_JUDGED).all()
    assert (patch_map(truth[:40], truth[:40], 2) == NOT_JUDGED).all()


def test_patches_without_head_are_left_out_and_overlap_is_an_option(truth):
    head = np.zeros(truth.shape, bool)
    assert scan(truth, truth, head) == []
    head[:48, :48] = True
    assert len(scan(truth, truth, head)) == 1
    head[:] = True
    assert len(scan(truth, truth, head, stride=24)) == 9


def test_what_cannot_be_scanned_is_refused(truth):
    head = np.ones(truth.shape, bool)
    with pytest.raises(ValueError, match="one 2-D shape"):
        scan(truth[:50], truth, head)
    with pytest.raises(ValueError, match=r"a patch of 8\.\.96"):
        scan(truth, truth, head, patch=100)
    with pytest.raises(ValueError, match="square patches"):
        ring_correlation(truth[:8, :9], truth[:8, :9])
    with pytest.raises(ValueError, match="scale of at least 1"):
        measured_band(0.5)
