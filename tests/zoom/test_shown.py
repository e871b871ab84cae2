"""What networks are shown of cut-out scans, gaps and outliers, and what is put back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_metasr.background import constant_background
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.normalisation import LinearMap
from napari_metasr.resampling import resampling_matrix
from napari_metasr.weights import load_network
from napari_metasr.zoom import encoded as encoding
from napari_metasr.zoom.continuation import continued, is_cut
from napari_metasr.zoom.cost import EncodingCost
from napari_metasr.zoom.encoded import Tiling
from napari_metasr.zoom.engine import ZoomModel
from napari_metasr.zoom.loading import load_model
from napari_metasr.zoom.session import SliceKey
from napari_metasr.zoom.shown import EDGE, Shown
from napari_metasr.zoom.whole import SliceUpscaler

SHAPE = (120, 140)
UNIT = LinearMap(0, 1)


@pytest.fixture(scope="module")
def model():
    return load_model("meta-srgan", device="cpu")


@pytest.fixture(scope="module")
def shown_as_it_is():
    return load_model("meta-srgan", device="cpu", continued=False)


@pytest.fixture
def head(rng):
    """Bright tissue without a mask: the field is full of it."""
    y, x = np.indices(SHAPE)
    texture = ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.5)
    return (600 + 150 * np.sin(y / 6) * np.cos(x / 8) + 200 * texture).astype(np.float32)


def disc(radius=40):
    y, x = np.indices(SHAPE)
    return np.hypot(y - 58, x - 71) < radius


@pytest.fixture
def stripped(head):
    return np.where(disc(), head, 0).astype(np.float32)


def test_the_background_is_what_is_even_and_reaches_the_border():
    image = np.arange(400.0).reshape(20, 20)
    assert constant_background(image) is None
    image[:, :5] = -3  # at the border
    image[8:11, 8:11] = -3  # inside, and large enough
    image[15, 12:15] = -3  # too thin to be no coincidence
    image[3:9, 15:19] = 7  # even, of another value
    expected = np.zeros((20, 20), bool)
    expected[:, :5] = expected[8:11, 8:11] = True
    assert np.array_equal(constant_background(image), expected)


def test_noise_of_few_grey_levels_is_no_background(rng):
    assert constant_background(rng.integers(0, 4, (60, 60)).astype(np.uint8)) is None


def test_tissue_goes_on_as_the_nearest_pixel_as_far_as_asked():
    image = np.zeros((9, 30), np.float32)
    image[:, :10] = np.arange(1, 10, dtype=np.float32)[:, None]
    found = continued(image, image == 0, reach=6)
    assert np.array_equal(found[:, :10], image[:, :10])
    assert np.allclose(found[3:6, 10:16], image[3:6, :1])
    assert (found[:, 16:] == 0).all()


def test_strips_make_no_difference(rng):
    image = rng.random((90, 40), np.float32)
    hidden = ~disc(30)[20:110, 50:90]
    expected = continued(image, hidden, 12)
    np.testing.assert_array_equal(continued(image, hidden, 12, strip=17), expected)


@pytest.mark.parametrize("scale", [2, 3])
def test_a_mask_from_before_the_reduction_is_told_from_one_after(head, scale):
    rows, columns = (resampling_matrix(size, size // scale, "box") for size in SHAPE)
    before = (rows @ np.where(disc(50), head, 0) @ columns.T).astype(np.float32)
    whole = rows @ head @ columns.T
    after = np.where(before > 0.7 * whole, whole, 0).astype(np.float32)
    assert not is_cut(before, before == 0)
    assert is_cut(after, after == 0)


def test_a_cut_makes_no_rim(model, shown_as_it_is, stripped):
    def rim(model):
        result = model.upscale(stripped, 3)
        cells = np.ix_(*(np.arange(3 * size) // 3 for size in SHAPE))
        edge = disc() & ~ndimage.binary_erosion(disc(), iterations=2)
        over = result - ndimage.maximum_filter(stripped, 3)[cells]
        return (over[edge[cells]] > 60).mean()

    assert rim(shown_as_it_is) > 0.05
    assert rim(model) < 0.002


def test_a_cut_changes_little_of_the_tissue_beneath_it(model, head, stripped):
    """The network sees beyond the mask what it is told, and is right about it."""
    cells = np.ix_(*(np.arange(2 * size) // 2 for size in SHAPE))
    inside = ndimage.binary_erosion(disc(), iterations=1)[cells]
    whole, cut = (
        model.render(model.encode(image, (0, 1000), (0, 1000)), 2) for image in (head, stripped)
    )
    assert np.abs(whole - cut)[inside].mean() < 0.005 * np.ptp(head)
    deep = ndimage.binary_erosion(disc(), iterations=18)[cells]
    assert np.abs(whole - cut)[deep].max() < 1e-4 * np.ptp(head)


def test_the_background_stays_what_it_was(model, stripped):
    stripped = np.where(stripped == 0, np.float32(-7.3), stripped)
    result = model.upscale(stripped, 3.7)
    grid = OutputGrid.at_scale(SHAPE, 3.7)
    far = ~ndimage.binary_dilation(disc(), np.ones((3, 3)), 2)
    outside = far[np.ix_(grid.rows.cells(), grid.columns.cells())]
    assert (result[outside] == np.float32(-7.3)).all()


def test_an_edge_covers_what_the_mask_does(model, stripped):
    """Averaged over an input pixel, a straight edge is where the mask has it."""
    half = np.where(np.arange(SHAPE[1]) < 60, np.float32(500), np.float32(0))
    flat = np.broadcast_to(half, SHAPE) + np.zeros(SHAPE, np.float32)
    result = model.upscale(flat, 4)[200]
    assert np.allclose(result[80:238], 500, atol=5)
    assert np.allclose(result[242:], 0)
    assert result[236:244].mean() == pytest.approx(250, abs=5)


def test_a_scan_without_background_is_not_touched(model, shown_as_it_is, head):
    for scale in (1.7, 3):
        expected = shown_as_it_is.upscale(head, scale)
        np.testing.assert_array_equal(model.upscale(head, scale), expected)


def test_a_soft_edge_is_not_touched(model, shown_as_it_is, head):
    rows, columns = (resampling_matrix(size, size // 2, "bilinear") for size in SHAPE)
    image = (rows @ np.where(disc(50), head, 0) @ columns.T).astype(np.float32)
    expected = shown_as_it_is.upscale(image, 2)
    np.testing.assert_array_equal(model.upscale(image, 2), expected)


def spoilt(stripped):
    """Everything at once: a mask, a hole in it, a gap, a hot pixel inside and one at the edge."""
    image = stripped.copy()
    image[50:56, 60:65] = 0
    image[70:72, 80:90] = np.nan
    image[40, 50] = 9e5
    image[58, 110] = 4e5
    return image


@pytest.mark.filterwarnings("ignore::napari_metasr.normalisation.MissingPixelsWarning")
@pytest.mark.parametrize("name", ["meta-srgan", "srgan-x2"])
@pytest.mark.parametrize("scale", [1.0, 2.6, (2.0, 3.3)], ids=str)
def test_windows_are_the_same_part_of_the_whole_to_the_bit(stripped, name, scale):
    model, image = load_model(name, device="cpu"), spoilt(stripped)
    whole = model.upscale(image, scale)
    for window in [
        (0, 0, 30, 40),
        (30.3, 20.9, 77.7, 100.2),
        (55, 108, 58.5, 112),
        (39, 0, 41, 51),
    ]:
        i0, j0, i1, j1 = OutputGrid.at_scale(SHAPE, scale).pixel_range(window)
        encoded = model.encode(image)
        assert np.array_equal(
            model.render(encoded, scale, window), whole[i0:i1, j0:j1], equal_nan=True
        )


@pytest.mark.filterwarnings("ignore::napari_metasr.normalisation.MissingPixelsWarning")
@pytest.mark.parametrize("name", ["meta-srgan", "srgan-x2"])
def test_whole_slices_one_after_the_other_are_what_the_zoom_shows(stripped, name):
    model, grid = load_model(name, device="cpu"), OutputGrid.at_scale(SHAPE, 2)
    other = spoilt(stripped)
    slices = [stripped, other, np.where(disc(30), stripped, 0), other, stripped + 5, stripped]
    whole = SliceUpscaler(model, grid, (0, 1000), (-1, 9e5))
    for image in slices:
        out = np.empty(grid.output_shape, np.float32)
        whole(image, [grid.pixel_range()], out)
        encoded = model.encode(image, (0, 1000), (-1, 9e5))
        expected = model.render_pixels(encoded, grid, grid.pixel_range())
        np.testing.assert_allclose(out, expected, atol=1e-3, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::napari_metasr.normalisation.MissingPixelsWarning")
@pytest.mark.parametrize("name", ["meta-srgan", "srgan-x2"])
def test_tiles_equal_the_untiled_result(stripped, name):
    network, card = load_network(name)
    image = spoilt(stripped)
    results = [
        ZoomModel(network, card, device=torch.device("cpu"), tiling=tiling).upscale(image, 2.4)
        for tiling in (Tiling(tile=512), Tiling(tile=16, joint=1), Tiling(tile=32, joint=2))
    ]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=1e-6 * np.ptp(stripped) * 5)


def test_tiles_of_background_are_not_encoded(model, stripped):
    image = np.zeros((300, 300), np.float32)
    image[:100, :100] = stripped[10:110, 20:120]
    encoded = model.encode(image)
    assert encoded.is_ready((128, 0, 300, 300))
    assert not encoded.is_ready((120, 0, 300, 300))
    encoded.prepare()
    rows, columns = np.nonzero(image)
    bottom, right = rows.max() + 1 + EDGE + 16, columns.max() + 1 + EDGE + 16
    assert encoded.encoded_pixels == encoded.needed_pixels == bottom * right < (128 + 16) ** 2
    assert encoded.codes((0, 0, 128, 128)).shape == (128, 128, 257)


def test_what_is_left_out_of_tiles_changes_no_result(model, stripped, monkeypatch):
    image = np.pad(stripped, ((40, 30), (25, 60)))
    parts = [None, (30.5, 20.2, 90.1, 99.9)]
    found = [model.render(model.encode(image), 2.3, part) for part in parts]
    monkeypatch.setattr(encoding, "_read_cells", lambda read, shape: (0, 0, *shape))
    whole = model.encode(image)
    assert whole.needed_pixels == image.size
    for part, result in zip(parts, found, strict=True):
        expected = model.render(whole, 2.3, part)
        np.testing.assert_allclose(result, expected, atol=1e-6 * np.ptp(image))


def test_a_whole_slice_without_its_background_counts_as_encoded_at_once(model, stripped):
    encoded = model.encode(np.pad(stripped, 40))
    encoded.prepare()
    key = SliceKey(1, (0, 1), (0,), model.name, "cpu")
    cost = EncodingCost()
    saving = cost.saving({key: encoded})
    assert saving.is_measured
    assert saving.seconds == 0
    assert saving.share == encoded.encoded_pixels / np.pad(stripped, 40).size < 1
    smaller = model.encode(np.pad(np.where(disc(20), stripped, 0), 40))  # as near the vertex
    smaller.prepare((60, 60, 100, 100))
    part = cost.saving({key: smaller})
    seconds = encoded.encode_seconds * smaller.needed_pixels / encoded.needed_pixels
    assert part.is_measured
    assert part.seconds == pytest.approx(seconds - smaller.encode_seconds)


@pytest.mark.parametrize(("gain", "offset"), [(3.5, -200.0), (1e3, 5e5)])
def test_scaling_a_cut_out_scan_scales_its_result(model, stripped, gain, offset):
    plain = model.upscale(stripped, 2.6)
    other = model.upscale(gain * stripped.astype(np.float64) + offset, 2.6)
    assert np.abs((other - offset) / gain - plain).max() <= 1e-3 * np.ptp(stripped)


@pytest.mark.parametrize("name", ["meta-srgan", "srgan-x2"])
def test_a_hot_pixel_spoils_no_more_than_interpolation_would(head, name):
    model = load_model(name, device="cpu")
    hot = head.copy()
    hot[60, 70] *= 1000
    grid = OutputGrid.at_scale(SHAPE, 2)
    intensity_range = (float(head.min()), float(head.max()))
    clean, result = (
        model.render(model.encode(image, intensity_range, (-1e9, 1e9)), 2) for image in (head, hot)
    )
    y, x = grid.rows.positions() - 60.5, grid.columns.positions() - 70.5
    near = (np.abs(y)[:, None] < 1) & (np.abs(x)[None, :] < 1)
    changed = np.abs(result - clean) > 0.02 * np.ptp(head)
    assert changed[near].all()
    assert not changed[(np.abs(y)[:, None] > 6) | (np.abs(x)[None, :] > 6)].any()
    assert np.abs(result - clean)[~near].max() < 0.2 * np.ptp(head)
    assert result.max() > 0.5 * hot[60, 70]


def test_what_is_near_a_gap_does_not_darken(model, head):
    gap = head.copy()
    gap[50:60, 60:70] = np.nan
    with pytest.warns(UserWarning, match="NaN"):
        result = model.upscale(gap, 2)
    near = np.zeros(SHAPE, bool)
    near[48:62, 58:72] = True
    near &= np.isfinite(gap)
    difference = (result - model.upscale(head, 2))[np.repeat(np.repeat(near, 2, 0), 2, 1)]
    assert abs(difference.mean()) < 0.02 * np.ptp(head)


def test_nothing_but_background_and_gaps_is_shown_as_it_is():
    image = np.zeros((8, 8), np.float32)
    missing = np.zeros((8, 8), bool)
    missing[2:4, 2:4] = True
    image[missing] = -1
    shown = Shown.of(image, missing | (image == 0), (0, 1), UNIT, 4)
    assert shown.edge is None
    np.testing.assert_array_equal(shown.image, image)
