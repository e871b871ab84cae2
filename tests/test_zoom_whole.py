"""Whole slices, enlarged without keeping codes, are what the zoom shows.

Up to the rounding of convolutions of other sizes; of the package's networks bit for bit.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_metasr.geometry import AxisGrid, OutputGrid
from napari_metasr.networks import build
from napari_metasr.weights import model_card
from napari_metasr.zoom import any_scale, once
from napari_metasr.zoom.engine import ZoomModel, load_model
from napari_metasr.zoom.whole import WholeSlices

NETWORKS = {
    "meta-srgan": {"features": 4, "blocks": 1, "hidden": 8},
    "corner": {"features": 4, "blocks": 1, "hidden": 8, "convention": "corner"},
    "srresnet": {"scale": 2, "blocks": 1, "features": 4},
    "ms-gan": {"blocks": 1, "features": 4},
}
INTENSITY = (0.0, 900.0)
LIMITS = (-50.0, 1000.0)
SHAPE = (90, 70)
SPACED = OutputGrid(AxisGrid(90, 150, AxisGrid(3, 5).step), AxisGrid(70, 101, AxisGrid(9, 13).step))


@pytest.fixture(params=NETWORKS)
def model(request):
    torch.manual_seed(2)
    options = dict(NETWORKS[request.param])
    name = "meta-srgan" if request.param == "corner" else request.param
    return ZoomModel(build(name, **options), model_card("meta-srgan"), device=torch.device("cpu"))


def blob(rng, top, left, height, width, air=7):
    """Noise in a rectangle, the same value all round it."""
    image = np.full(SHAPE, air, np.float32)
    image[top : top + height, left : left + width] = 900 * rng.random((height, width))
    return image


def assert_same(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-6 * INTENSITY[1], rtol=0)


def rendered(model, grid, image, ranges=None):
    out = np.full(grid.output_shape, -7, np.float32)
    whole = WholeSlices(model, grid, INTENSITY, LIMITS)
    whole(image, ranges or [grid.pixel_range()], out)
    return out


def shown(model, grid, image):
    encoded = model.encode(image, INTENSITY, LIMITS)
    return model.render_pixels(encoded, grid, grid.pixel_range())


@pytest.mark.parametrize("place", [(40, 30, 7, 9), (0, 20, 5, 5), (60, 0, 30, 70), (3, 3, 80, 60)])
@pytest.mark.parametrize("grid", [OutputGrid.at_scale(SHAPE, (2.3, 1.6)), SPACED])
def test_even_surroundings_make_no_difference(model, rng, grid, place):
    image = blob(rng, *place)
    assert_same(rendered(model, grid, image), shown(model, grid, image))


def test_blocks_and_strips_make_no_difference(model, rng, monkeypatch):
    monkeypatch.setattr(once, "BLOCK", 32)
    monkeypatch.setattr(any_scale, "STRIP", 5)
    grid = OutputGrid.at_scale(SHAPE, 1.7)
    image = 900 * rng.random(SHAPE, np.float32)
    assert_same(rendered(model, grid, image), shown(model, grid, image))


def test_ranges_are_parts_of_the_whole(model, rng):
    grid = OutputGrid.at_scale(SHAPE, 2)
    image = blob(rng, 30, 30, 20, 10)
    ranges = [(0, 0, 20, 140), (50, 41, 121, 99)]
    out = rendered(model, grid, image, ranges)
    expected = shown(model, grid, image)
    filled = np.zeros(out.shape, bool)
    for i0, j0, i1, j1 in ranges:
        filled[i0:i1, j0:j1] = True
    assert_same(out[filled], expected[filled])
    assert (out[~filled] == -7).all()


def test_gaps_in_the_surroundings_stay_gaps(model, rng):
    image = blob(rng, 40, 30, 9, 9, air=LIMITS[0])
    image[0, 0] = image[2, 60] = np.nan
    grid = OutputGrid.at_scale(SHAPE, 2)
    with pytest.warns(UserWarning, match="2 of 6,300 pixels"):
        out = rendered(model, grid, image)
    with pytest.warns(UserWarning, match="2 of 6,300 pixels"):
        assert_same(out, shown(model, grid, image))
    assert np.isnan(out).sum() == 8


def test_the_surroundings_are_asked_about_once(model, rng, monkeypatch):
    """Of slices that show little, little is shown to the network; of constant ones nothing."""
    grid = OutputGrid.at_scale(SHAPE, 2)
    whole = WholeSlices(model, grid, INTENSITY, LIMITS)
    seen = []
    tensor = ZoomModel._tensor

    def watched(self, image):
        seen.append(image.size)
        return tensor(self, image)

    monkeypatch.setattr(ZoomModel, "_tensor", watched)
    out = np.empty(grid.output_shape, np.float32)
    for top in (40, 44):
        whole(blob(rng, top, 30, 4, 5), [grid.pixel_range()], out)
    part = (4 + 4 * model.reach) * (5 + 4 * model.reach)
    assert seen == [np.prod(SHAPE), part, part]
    whole(np.full(SHAPE, 3.0), [grid.pixel_range()], out)
    assert len(seen) == 3
    assert (out == 3).all()


def test_differences_below_a_network_s_precision_are_none(model):
    image = np.full(SHAPE, 500.0)
    image[40, 30] += 1e-9
    grid = OutputGrid.at_scale(SHAPE, 2)
    assert_same(rendered(model, grid, image), shown(model, grid, image))


@pytest.mark.parametrize("name", ["meta-srgan", "meta-srgan-through-plane", "srgan-x2"])
def test_the_package_s_networks_give_the_same_bits(rng, name):
    model = load_model(name, device="cpu")
    grid = OutputGrid.at_scale(SHAPE, 1.5)
    image = blob(rng, 60, 2, 9, 9)
    np.testing.assert_array_equal(rendered(model, grid, image), shown(model, grid, image))
