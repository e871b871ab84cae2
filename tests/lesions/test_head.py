"""Regions end where the head does."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.lesions import OneBox, detector_of

from napari_metasr.geometry.windows import Window
from napari_metasr.lesions import Detection
from napari_metasr.lesions.head import head_window, within


@pytest.fixture
def image():
    """A head of 30 x 20 pixels in a slice of 40 x 50."""
    image = np.zeros((40, 50), np.float32)
    image[5:35, 12:32] = 0.5
    return image


def test_the_window_holds_all_that_is_brighter_than_air(image):
    assert head_window(image) == Window(5, 12, 35, 32)
    image[:3] = 0.05  # air
    assert head_window(image) == Window(5, 12, 35, 32)


def test_a_rectangle_is_cut_and_one_outside_is_left():
    across = Detection(Window(0, 20, 10.5, 49), 0.7)
    cut = within(across, Window(5, 12, 35, 32))
    assert (cut.region, cut.score) == (Window(5, 20, 10.5, 32), 0.7)
    outside = Detection(Window.at(36, 0, 3, 3), 0.7)
    assert within(outside, Window(5, 12, 35, 32)) == outside


def test_a_detectors_regions_do_not_reach_into_the_air(image):
    detector = detector_of(OneBox(0.0, 0.0, 0.5, 0.5, 0.9), margin=0.1)
    (found,) = detector.detect(image, (0.0, 1.0))
    assert found.region == Window(5, 12, 25, 30)  # 0.1 of 50 pixels around 20 x 25
