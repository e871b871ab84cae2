"""What value the background of a scan has."""

from __future__ import annotations

import numpy as np

from napari_metasr.background import background_value, masked_background


def test_the_background_is_what_most_of_the_edge_is():
    assert background_value(np.array([-5, -5, 3, -5])) == -5
    assert background_value(np.array([np.nan, 2.0, np.nan])) == 2
    assert background_value(np.array([np.nan])) == 0


def test_the_background_of_standardised_intensities_lies_between_them(rng):
    image = rng.standard_normal((3, 40, 50))
    outside = np.hypot(*np.mgrid[-1:1:40j, -1:1:50j]) > 0.8
    image[:, outside] = 0
    np.testing.assert_array_equal(masked_background(image), np.broadcast_to(outside, image.shape))
    np.testing.assert_array_equal(masked_background(image[0]), outside)


def test_air_of_few_grey_levels_is_no_mask(rng):
    air = np.abs(rng.standard_normal((60, 60)) + 1j * rng.standard_normal((60, 60))).round()
    air[20:40, 20:40] = 90
    assert masked_background(air.astype(np.uint8)) is None
    assert masked_background(rng.standard_normal((60, 60))) is None
