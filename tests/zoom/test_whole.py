"""Whole slices, upscaled without keeping codes, are what the zoom shows.

Up to the rounding of convolutions of other sizes.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_metasr.geometry.grids import AxisGrid, OutputGrid
from napari_metasr.networks import build
from napari_metasr.weights import model_card
from napari_metasr.zoom.engine import ZoomModel
from napari_metasr.zoom.loading import load_model
from napari_metasr.zoom.renderers import any_scale, once
from napari_metasr.zoom.shown import EDGE
from napari_metasr.zoom.whole import SliceUpscaler

NETWORKS = {
    "meta-srgan": {"features": 4, "blocks": 1, "hidden": 8},
    "corner": {"features": 4, "blocks": 1, "hidden": 8, "convention": "corner"},
    "srresnet": {"scale": 2, "blocks": 1, "features": 4},
    "ms-gan": {"blocks": 1, "features": 4, "doubled_blocks": 2},
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


def soft(rng):
    """A disc of noise with an edge that was blurred before, as of a reduced image."""
    y, x = np.indices(SHAPE)
    disc = np.clip(7.5 - np.hypot(y - 44, x - 34), 0, 1) ** 2
    return (7 + 893 * disc * (1 - 0.1 * rng.random(SHAPE))).astype(np.float32)


def assert_same(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-6 * INTENSITY[1], rtol=0)


def rendered(model, grid, *images, ranges=None):
    """The last of some slices, after the others."""
    whole = SliceUpscaler(model, grid, INTENSITY, LIMITS)
    for image in images:
        out = np.full(grid.output_shape, -7, np.float32)
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


def test_an_edge_that_is_soft_is_the_network_s_own(model, rng):
    grid, image = OutputGrid.at_scale(SHAPE, 2), soft(rng)
    assert model.encode(image, INTENSITY, LIMITS).shown.edge is None
    assert_same(rendered(model, grid, image), shown(model, grid, image))


def test_an_outlier_in_even_surroundings_stays(model, rng):
    grid, image = OutputGrid.at_scale(SHAPE, 2), soft(rng)
    image[5, 5] = 9000
    value_range = (LIMITS[0], 9000.0)
    out = np.empty(grid.output_shape, np.float32)
    SliceUpscaler(model, grid, INTENSITY, value_range)(image, [grid.pixel_range()], out)
    encoded = model.encode(image, INTENSITY, value_range)
    assert encoded.shown.edge is None
    assert out[10:12, 10:12].min() > 4000
    assert_same(out, model.render_pixels(encoded, grid, grid.pixel_range()))


@pytest.mark.parametrize("place", [(40, 30, 7, 9), (0, 20, 5, 5), (60, 0, 30, 70)])
@pytest.mark.parametrize("grid", [OutputGrid.at_scale(SHAPE, (2.3, 1.6)), SPACED])
def test_what_slices_share_makes_no_difference(model, rng, grid, place):
    before = 900 * rng.random(SHAPE, np.float32)
    image = np.where(blob(rng, *place) == 7, before, 450).astype(np.float32)
    assert_same(rendered(model, grid, before, image), shown(model, grid, image))


def test_what_was_there_before_is_gone(model, rng):
    """Also where nothing is there any more, and where everything is the same."""
    grid = OutputGrid.at_scale(SHAPE, 2)
    small, other = blob(rng, 42, 33, 4, 3), blob(rng, 10, 8, 9, 30)
    noise = 900 * rng.random(SHAPE, np.float32)
    for images in ([small, other, small], [noise, other, small, small], [small, noise, small]):
        assert_same(rendered(model, grid, *images), shown(model, grid, images[-1]))


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
    out = rendered(model, grid, image, ranges=ranges)
    expected = shown(model, grid, image)
    filled = np.zeros(out.shape, bool)
    for i0, j0, i1, j1 in ranges:
        filled[i0:i1, j0:j1] = True
    assert_same(out[filled], expected[filled])
    assert (out[~filled] == -7).all()


def test_gaps_stay_in_their_slices(model, rng):
    grid = OutputGrid.at_scale(SHAPE, 2)
    image, other = blob(rng, 40, 30, 9, 9, air=LIMITS[0]), blob(rng, 50, 30, 9, 9, air=LIMITS[0])
    gaps = image.copy()
    gaps[0, 0] = gaps[2, 60] = np.nan
    with pytest.warns(UserWarning, match="2 of 6,300 pixels"):
        assert_same(rendered(model, grid, gaps, other), shown(model, grid, other))
    with pytest.warns(UserWarning, match="2 of 6,300 pixels"):
        out = rendered(model, grid, other, gaps)
    with pytest.warns(UserWarning, match="2 of 6,300 pixels"):
        assert_same(out, shown(model, grid, gaps))
    assert np.isnan(out).sum() == 8


def test_what_slices_share_is_computed_once(model, rng, monkeypatch):
    """Of slices that show little, little is shown to the network; of constant ones nothing."""
    grid = OutputGrid.at_scale(SHAPE, 2)
    whole = SliceUpscaler(model, grid, INTENSITY, LIMITS)
    seen = []
    tensor = ZoomModel._tensor

    def watched(self, image):
        seen.append(image.size)
        return tensor(self, image)

    monkeypatch.setattr(ZoomModel, "_tensor", watched)
    out = np.empty(grid.output_shape, np.float32)
    first, second = blob(rng, 40, 30, 4, 5), blob(rng, 44, 30, 4, 5)
    for image in (first, second):
        whole(image, [grid.pixel_range()], out)
    tissue = (4 + 2 * EDGE + 2 * model.reach) * (5 + 2 * EDGE + 2 * model.reach)
    assert seen == [tissue, tissue]
    whole.restart()
    seen.clear()
    whole(soft(rng), [grid.pixel_range()], out)
    assert seen == [np.prod(SHAPE), np.minimum(15 + 4 * model.reach, SHAPE).prod()]
    seen.clear()
    part = (4 + 4 * model.reach) * (5 + 4 * model.reach)
    noise = 900 * rng.random(SHAPE, np.float32)
    changed = noise.copy()
    changed[40:44, 30:35] += 1
    for image in (noise, changed, changed):
        whole(image, [grid.pixel_range()], out)
    assert seen == [np.prod(SHAPE), part, part]
    whole.restart()
    whole(changed, [grid.pixel_range()], out)
    assert seen[3:] == [np.prod(SHAPE)]
    whole(np.full(SHAPE, 3.0), [grid.pixel_range()], out)
    assert len(seen) == 4
    assert (out == 3).all()


def test_differences_below_a_network_s_precision_are_none(model):
    images = [np.full(SHAPE, 500.0) for _ in range(2)]
    for number, image in enumerate(images):
        image[40, 30 + number] += 1e-9
    grid = OutputGrid.at_scale(SHAPE, 2)
    assert_same(rendered(model, grid, *images), shown(model, grid, images[-1]))


@pytest.mark.parametrize("name", ["meta-srgan", "meta-srgan-through-plane", "srgan-x2"])
def test_the_package_s_networks_agree_as_well(rng, name):
    model = load_model(name, device="cpu")
    grid = OutputGrid.at_scale(SHAPE, 1.5)
    before, image = blob(rng, 62, 3, 3, 3), blob(rng, 60, 2, 9, 9)
    found = rendered(model, grid, before, image)
    assert_same(found, shown(model, grid, image))
