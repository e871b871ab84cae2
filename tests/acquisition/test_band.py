"""The band that holds signal: found where images are zero-filled on purpose, seldom elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import texture, zero_filled
from PIL import Image

from napari_metasr.acquisition import acquired_bands, cropped_to_band

SHARES = (0.6, 0.7, 0.8, 0.9)


def test_clean_images_are_flagged_in_three_axes_of_a_hundred_at_most():
    bands = [band for seed in range(100) for band in acquired_bands(texture(seed))]
    assert sum(band.limited for band in bands) <= 6


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("axis", [0, 1])
def test_every_image_zero_filled_on_purpose_is_found_on_its_axis(share, axis):
    for seed in range(25):
        bands = acquired_bands(zero_filled(texture(seed), share, axis))
        assert bands[axis].share == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("share", SHARES)
def test_real_slices_zero_filled_on_purpose_are_all_found(shared_data, share):
    files = sorted((shared_data / "tumour-slices" / "brats20" / "val").glob("*.png"))
    for path in files:
        image = np.asarray(Image.open(path).convert("L"), float)
        brain = image > 0
        for axis in (0, 1):
            filled = zero_filled(image, share, axis)
            assert acquired_bands(filled)[axis].share == pytest.approx(share, abs=0.03)
            if share < 0.9:  # the edge of a mask that was cut afterwards fills the whole band
                assert acquired_bands(filled * brain)[axis].limited


def test_few_real_slices_are_flagged_as_they_are(shared_data):
    files = sorted((shared_data / "tumour-slices" / "brats20" / "train").glob("*.png"))
    images = [np.asarray(Image.open(path).convert("L")) for path in files]
    flagged = [band.limited for image in images for band in acquired_bands(image)]
    assert np.mean(flagged) <= 0.03


def test_slices_together_tell_of_a_gentler_end():
    """White noise fills the empty part up, to 0.3 decades below the noise of the acquired one."""
    rng = np.random.default_rng(3)
    stack = np.stack([zero_filled(texture(seed), 0.75, 1) for seed in range(20)])
    acquired = rng.standard_normal(stack.shape)
    keep = np.abs(np.fft.fftfreq(130)) <= 0.75 / 2
    acquired = np.real(np.fft.ifft(np.fft.fft(acquired) * keep))
    gentle = stack + 8 * (acquired + rng.standard_normal(stack.shape))
    assert acquired_bands(gentle)[1].share == pytest.approx(0.75, abs=0.04)
    assert not acquired_bands(gentle)[0].limited


def test_what_cannot_be_told_is_not_told():
    rng = np.random.default_rng(0)
    assert acquired_bands(np.ones((64, 64))) == (None, None)
    assert acquired_bands(np.full((64, 64), np.nan)) == (None, None)
    assert acquired_bands(rng.standard_normal((200, 200))) == (None, None)
    assert acquired_bands(np.zeros((0, 64))) == (None, None)
    assert acquired_bands(rng.random((12, 12))) == (None, None)
    rows, columns = acquired_bands(texture(1, (12, 130)))
    assert rows is None
    assert columns is not None


def test_masks_and_gaps_are_no_hindrance():
    image = texture(5)
    image[:, :60] = 0  # a mask that touches the border
    assert acquired_bands(image)[0] is not None
    image[3:5, 100:110] = np.nan
    assert acquired_bands(image)[0] is not None
    lone = np.zeros((64, 64))
    lone[10, 10:14] = 5  # nothing is left inside this mask
    assert acquired_bands(lone) == (None, None)


def test_an_image_is_cropped_to_its_band():
    image = texture(2)
    filled = zero_filled(image, 0.5, 1)
    small = cropped_to_band(filled, (1.0, 0.5))
    assert small.shape == (120, 65)
    assert small.mean() == pytest.approx(filled.mean(), rel=1e-3)
    x = (np.arange(130) + 0.5) / 130
    wave = np.tile(np.cos(2 * np.pi * 20 * x), (120, 1))
    found = cropped_to_band(wave, (1.0, 0.5))
    np.testing.assert_allclose(
        found[0], np.cos(2 * np.pi * 20 * (np.arange(65) + 0.5) / 65), atol=1e-5
    )
    np.testing.assert_array_equal(cropped_to_band(image, (1.0, 1.0)), image.astype(np.float32))
