"""Slices with very short sides keep their brightness."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.zoom.borders import SHORT_SIDE, mirrored
from napari_metasr.zoom.loading import load_model


@pytest.fixture(scope="module")
def brain():
    """Something smooth and bright up to its border."""
    y, x = np.mgrid[0:48, 0:48] / 9.0
    return (500 + 200 * np.sin(y) * np.cos(x)).astype(np.float32)


@pytest.mark.parametrize("name", ["meta-srgan", "srresnet-x4"])
@pytest.mark.parametrize("short", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("turned", [False, True])
def test_the_mean_stays_within_a_percent(brain, name, short, turned):
    image = brain[:, 10 : 10 + short]
    image = image.T if turned else image
    model = load_model(name, device="cpu")
    value_range = float(brain.min()), float(brain.max())
    encoded = model.encode(image, value_range, value_range)
    assert model.render(encoded, 2.0).mean() == pytest.approx(image.mean(), rel=0.01)


def test_both_ways_of_rendering_agree(brain):
    image = np.ascontiguousarray(brain[:, :3])
    model = load_model("meta-srgan", device="cpu")
    encoded = model.encode(image)
    grid = OutputGrid.at_scale(image.shape, 2.5)
    once = np.empty(grid.output_shape, np.float32)
    model.render_once(encoded, grid, grid.pixel_range(), once)
    np.testing.assert_allclose(once, model.render(encoded, 2.5), atol=0.01)


def test_what_is_not_short_is_left_as_it_is():
    image = np.arange(SHORT_SIDE**2).reshape(SHORT_SIDE, SHORT_SIDE)
    same, added = mirrored(image, image.shape)
    assert same is image
    assert added == (0, 0)


def test_a_short_side_is_continued_by_its_mirror_images():
    image = np.arange(2 * SHORT_SIDE).reshape(2, SHORT_SIDE)
    continued, (above, before) = mirrored(image, image.shape)
    assert (above, before) == (16, 0)
    assert continued.shape == (34, SHORT_SIDE)
    np.testing.assert_array_equal(continued[16:18], image)
    np.testing.assert_array_equal(continued[14:16], image[::-1])


def test_a_short_part_of_a_long_slice_is_left_as_it_is():
    part = np.arange(21).reshape(7, 3)
    same, added = mirrored(part, (SHORT_SIDE, 40))
    assert same is part
    assert added == (0, 0)
