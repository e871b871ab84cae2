"""Consistent renderings: by their algebra, window by window, and along masks."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import scan, texture, zero_filled
from scipy import ndimage

from napari_metasr.degradations import Reduction, named_reduction, reduce_image
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.trust.assumption import (
    ACQUISITIONS,
    IN_PLANE,
    Assumption,
    UnknownAcquisitionError,
    assume,
)
from napari_metasr.trust.correction import Correction
from napari_metasr.zoom.loading import load_model

SHAPE = (90, 101)


@pytest.fixture(scope="module")
def model():
    return load_model("meta-srgan", device="cpu")


@pytest.fixture(scope="module")
def fixed_model():
    return load_model("srresnet-x4", device="cpu")


@pytest.fixture
def head(rng):
    y, x = np.indices(SHAPE)
    rough = ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.5)
    return (600 + 150 * np.sin(y / 6) * np.cos(x / 8) + 200 * rough).astype(np.float32)


@pytest.fixture
def stripped(head):
    y, x = np.indices(SHAPE)
    return np.where(np.hypot(y - 40, x - 50) < 30, head, 0).astype(np.float32)


def assumed(name="bilinear", noise=None):
    reduction = named_reduction(name)
    return Assumption((reduction, reduction), name, noise)


def distance(image, scan, name):
    """Root mean square of what an image, reduced again, lacks of the scan."""
    again = reduce_image(image, scan.shape, (named_reduction(name),) * 2)
    return float(np.sqrt(np.mean(np.square(again - scan, dtype=np.float64))))


@pytest.mark.parametrize("name", IN_PLANE)
def test_the_rendering_reduced_again_is_the_scan(model, head, name):
    encoded = model.encode(head, value_range=(-1e4, 1e4))
    grid = OutputGrid.at_scale(SHAPE, 2)
    correction = Correction(model, encoded, grid, assumed(name))
    plain = model.render_pixels(encoded, grid, grid.pixel_range())
    whole = model.render_pixels(encoded, grid, grid.pixel_range(), correction)
    before, after = distance(plain, head, name), distance(whole, head, name)
    assert correction.distance_before == pytest.approx(before, rel=0.01)
    assert correction.distance == pytest.approx(after, rel=0.01, abs=0.01 * before)
    assert after < 0.5 * before


@pytest.mark.parametrize("scale", [1.5, 3, (2, 2.7)])
@pytest.mark.parametrize("which", ["model", "fixed_model"])
@pytest.mark.parametrize("cut", [False, True])
def test_a_window_is_the_same_part_of_the_whole(request, head, stripped, which, scale, cut):
    model = request.getfixturevalue(which)
    image = (stripped if cut else head).copy()
    image[30:33, 60] = np.nan
    with pytest.warns(UserWarning, match="NaN"):
        encoded = model.encode(image)
    grid = OutputGrid.at_scale(SHAPE, scale)
    correction = Correction(model, encoded, grid, assumed())
    whole = model.render_pixels(encoded, grid, grid.pixel_range(), correction)
    inferred = correction.inferred(grid.pixel_range())
    for window in (Window(10.3, 20.2, 50.9, 70.0), Window(0.0, 0.0, 90.0, 30.5)):
        i0, j0, i1, j1 = pixels = grid.pixel_range(window)
        part = model.render_pixels(encoded, grid, pixels, correction)
        np.testing.assert_allclose(part, whole[i0:i1, j0:j1], atol=2e-3)
        np.testing.assert_allclose(correction.inferred(pixels), inferred[i0:i1, j0:j1], atol=2e-3)


def test_the_inferred_part_reduces_to_nothing_and_is_that_of_the_correction_too(model, head):
    encoded = model.encode(head, value_range=(-1e4, 1e4))
    grid = OutputGrid.at_scale(SHAPE, 2)
    correction = Correction(model, encoded, grid, assumed())
    inferred = correction.inferred(grid.pixel_range())
    reduction = named_reduction("bilinear")
    assert np.abs(reduce_image(inferred, SHAPE, (reduction,) * 2)).max() < 0.01
    assert np.abs(inferred).max() > 10
    whole = model.render_pixels(encoded, grid, grid.pixel_range(), correction)
    rows, columns = (
        reduction.matrix(fine, coarse)
        for fine, coarse in zip(grid.output_shape, SHAPE, strict=True)
    )
    measured = np.linalg.pinv(rows) @ head @ np.linalg.pinv(columns).T
    np.testing.assert_allclose(whole - inferred, measured, atol=0.05)


def test_no_rim_comes_back_at_the_edge_of_a_mask(model, stripped):
    """The rendering stays in the range of the tissue, and background is background."""
    encoded = model.encode(stripped)
    assert encoded.shown.edge is not None
    grid = OutputGrid.at_scale(SHAPE, 3)
    correction = Correction(model, encoded, grid, assumed("k-space"))
    plain = model.render_pixels(encoded, grid, grid.pixel_range())
    whole = model.render_pixels(encoded, grid, grid.pixel_range(), correction)
    cells = np.ix_(grid.rows.cells(), grid.columns.cells())
    highest = ndimage.maximum_filter(stripped, 3)[cells]
    rim = ndimage.binary_dilation(stripped == 0, iterations=3)[cells] & (stripped > 0)[cells]
    over = (whole > highest + 1)[rim].mean(), (plain > highest + 1)[rim].mean()
    assert over[0] <= over[1] + 0.01
    beyond = encoded.shown.edge.beyond[cells]
    assert (whole[beyond] == 0).all()
    assert (correction.inferred(grid.pixel_range())[beyond] == 0).all()


def test_a_constant_slice_stays_what_it_is(model):
    encoded = model.encode(np.full(SHAPE, 7.0))
    grid = OutputGrid.at_scale(SHAPE, 2)
    correction = Correction(model, encoded, grid, assumed())
    assert (model.render_pixels(encoded, grid, grid.pixel_range(), correction) == 7).all()
    assert correction.distance == 0
    assert np.abs(correction.inferred(grid.pixel_range())).max() < 1e-3


def test_zeros_filled_in_are_not_taken_for_measured(rng):
    """Frequencies above the acquired ones are left to the network."""
    reduction = Reduction("k-space", share=0.6)
    matrix = np.real(reduction.matrix(160, 80))
    assert matrix.shape == (80, 160)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-9)
    scan = matrix @ rng.normal(size=160)
    power = np.abs(np.fft.rfft(scan)) ** 2
    assert power[26:].max() < 1e-9 * power.max()
    assert np.linalg.matrix_rank(matrix, tol=1e-6) <= 49
    assert np.array_equal(reduction.matrix(80, 80), np.eye(80))


def test_the_estimate_tells_what_to_assume():
    slices = np.stack([zero_filled(texture(seed), 0.6, axis=1) for seed in range(8)])
    found = assume("auto", scan(slices, (1.0, 1.0, 1.0)))
    rows, columns = found.reductions
    assert rows.share == 1
    assert columns.method == "k-space"
    assert columns.share == pytest.approx(0.6, abs=0.05)
    assert found.title.endswith("(columns), estimated")
    assert found.noise is not None


def test_a_name_is_taken_at_its_word_and_an_empty_scan_tells_nothing():
    empty = scan(np.full((4, 40, 40), 5), (1.0, 1.0, 1.0))
    assert assume("box", empty).reductions == (Reduction("box"),) * 2
    assert assume("box", empty).noise is None
    with pytest.raises(UnknownAcquisitionError, match="does not show how it was acquired"):
        assume("auto", empty)
    with pytest.raises(ValueError, match="an acquisition among auto, bicubic"):
        assume("sinc", empty)
    assert set(ACQUISITIONS) == {"auto", *IN_PLANE}
