"""Slices reduced as their own scan was acquired: its band, its blur, its noise, its mask."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import scan, texture, zero_filled

from napari_metasr.acquisition import acquired_bands, estimate
from napari_metasr.degradations import Reduction, degrade, truncation_matrix
from napari_metasr.trust.own_acquisition import OwnAcquisition


def stack(share, count=16):
    return np.stack([zero_filled(texture(k, (240, 256)), share, 1) for k in range(count)])


def test_a_slice_that_is_reduced_has_the_same_share_of_its_band(rng):
    volume = scan(stack(0.7), (4, 1, 1))
    own = OwnAcquisition.of(estimate(volume))
    reduced = np.stack([own.reduce(one, (120, 128), rng) for one in volume.data])
    rows, columns = acquired_bands(reduced)
    assert columns.share == pytest.approx(0.7, abs=0.03)
    assert rows.share == 1


def test_a_blurred_scan_is_as_blurred_in_its_larger_pixels():
    """Transfer functions by hand: Gaussians of 2 pixels, and of 2 pixels twice as large."""
    own = OwnAcquisition(rows=(1.0, 2.0), columns=(1.0, 2.0))
    further, _ = own.reductions((2.0, 2.0))
    assert further.fwhm * 2 == pytest.approx((4.0**2 - 2.0**2) ** 0.5)
    wave = np.cos(2 * np.pi * 10 * (np.arange(64) + 0.5) / 64)
    left = np.real(further.matrix(64, 32) @ wave)
    sigma = further.fwhm / 2.3548 * 2
    expected = np.exp(-2 * (np.pi * sigma * 10 / 64) ** 2)
    assert np.sqrt(2 * np.mean(left**2)) == pytest.approx(expected, rel=0.01)


def test_constants_stay_and_numbers_out_of_range_are_refused():
    matrix = truncation_matrix(30, 17, share=0.6, fwhm=1.5)
    np.testing.assert_allclose(matrix @ np.ones(30), np.ones(17), atol=1e-12)
    for wrong, words in (
        ({"share": 0.0}, "share"),
        ({"share": 1.1}, "share"),
        ({"fwhm": -1}, "blur"),
    ):
        with pytest.raises(ValueError, match=f"expected a {words}"):
            truncation_matrix(30, 17, **wrong)


def test_noise_that_was_measured_in_the_air_is_as_strong_in_the_reduced_tissue(rng):
    y, x = np.mgrid[:160, :160] - 79.5
    clean = np.where(np.hypot(y, x) < 60, 300.0, 0.0)
    noisy = np.abs(clean + rng.normal(0, 8, (16, 160, 160)) + 1j * rng.normal(0, 8, (16, 160, 160)))
    found = estimate(scan(noisy, (4, 1, 1)))
    assert found.noise.told_by == "air"
    own = OwnAcquisition.of(found)
    reduced = np.stack([own.reduce(one, (80, 80), rng) for one in noisy])
    assert noisy[:, 60:100, 60:100].std() == pytest.approx(8, rel=0.1)
    assert reduced[:, 30:50, 30:50].std() == pytest.approx(8, rel=0.1)
    assert any("Noise of the scan's own strength" in line for line in own.lines)


@pytest.mark.parametrize("scale", [1.5, 2.0, 3.0])
def test_the_noise_of_an_interpolated_scan_keeps_its_strength_and_its_band(rng, scale):
    """A scan of even tissue that was zero-filled from 0.6 of its band along both axes."""
    acquired = np.abs(np.fft.fftfreq(240)) <= 0.3
    spectrum = np.fft.fft2(rng.standard_normal((4, 240, 240))) * np.outer(acquired, acquired)
    noise = np.fft.ifft2(spectrum).real
    images = (1000 + 10 * noise / noise.std()).astype(np.float32)
    own = OwnAcquisition(rows=(0.6, 0.0), columns=(0.6, 0.0), noise=10.0)
    size = round(240 / scale)
    reduced = np.stack([own.reduce(one, (size, size), rng) for one in images])
    inside = reduced[:, 5:-5, 5:-5].astype(np.float64)
    assert inside.std() == pytest.approx(10, rel=0.05)
    windowed = (inside - inside.mean()) * np.hanning(inside.shape[-1])
    power = (np.abs(np.fft.rfft(windowed)) ** 2).mean(axis=(0, 1))
    assert power[: len(power) // 2].mean() > 100 * power[-len(power) // 4 :].mean()


def test_a_masked_slice_is_masked_on_the_reduced_grid_and_has_no_ringing(rng):
    y, x = np.mgrid[:128, :128] - 63.5
    inside = np.hypot(y, x) < 45
    image = np.where(inside, 200.0, 0.0).astype(np.float32)
    reduced = OwnAcquisition().reduce(image, (64, 64), rng)
    assert set(np.unique(reduced[np.hypot(*(np.mgrid[:64, :64] - 31.5)) > 24])) == {0}
    tissue = reduced[reduced != 0]
    assert np.abs(tissue - 200).max() < 1


def test_what_cannot_be_told_is_assumed_and_said():
    own = OwnAcquisition.of(estimate(scan(np.ones((4, 20, 20)), (1, 1, 1))))
    assert (own.rows, own.columns, own.noise) == ((1, 0), (1, 0), 0)
    told = " ".join(own.lines)
    assert "could not be told: assumed that all of them were" in told
    assert "The noise could not be told: none was added" in told


def test_a_stated_acquisition_is_taken_as_it_is(rng):
    image = texture(3, (60, 64)).astype(np.float32)
    own = OwnAcquisition.named("bilinear")
    np.testing.assert_array_equal(
        own.reduce(image, (30, 32), rng), degrade(image, (30, 32), "bilinear")
    )
    assert own.reductions((2, 2)) == (Reduction("bilinear"), Reduction("bilinear"))
    with pytest.raises(ValueError, match="expected a degradation"):
        OwnAcquisition.named("guess")
