"""Interpolation and reduction against Pillow, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.resampling import resampling_band, resampling_matrix
from napari_metasr.zoom.baselines import BASELINES, interpolate

PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}


@pytest.mark.parametrize("kernel", PILLOW)
@pytest.mark.parametrize("size", [(61, 90), (33, 17), (21, 31)])
def test_reduction_is_pillow_s(rng, kernel, size):
    image = rng.random((61, 90), dtype=np.float32)
    ours = resampling_matrix(61, size[0], kernel) @ image @ resampling_matrix(90, size[1], kernel).T
    pillow = np.asarray(Image.fromarray(image).resize(size[::-1], PILLOW[kernel]))
    np.testing.assert_allclose(ours, pillow, atol=2e-5)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("scale", [1.0, 2.0, 3.7, (1.3, 2.9)], ids=str)
def test_upscaling_is_pillow_s(rng, method, scale):
    image = rng.random((23, 31), dtype=np.float32)
    ours = interpolate(image, scale, method=method, value_range=(-10, 10))
    pillow = Image.fromarray(image).resize(ours.shape[::-1], PILLOW[method])
    np.testing.assert_allclose(ours, np.asarray(pillow), atol=2e-5)


def test_bicubic_reproduces_a_parabola():
    """Keys' kernel at a = -1/2 is exact for polynomials of second degree, away from the border."""
    x = np.arange(20, dtype=np.float64)
    matrix = resampling_matrix(20, 50, "bicubic")
    positions = (np.arange(50) + 0.5) * 20 / 50 - 0.5
    inside = slice(8, -8)
    np.testing.assert_allclose((matrix @ x**2)[inside], positions[inside] ** 2, atol=1e-9)


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize("window", [(3.2, 4.9, 17.7, 20.1), (0, 0, 1, 1), (22, 30, 23, 31)])
def test_a_window_is_part_of_the_whole(rng, method, window):
    image = rng.random((23, 31), dtype=np.float32)
    whole = interpolate(image, 3.7, method=method)
    i0, j0, i1, j1 = OutputGrid.at_scale(image.shape, 3.7).pixel_range(window)
    part = interpolate(image, 3.7, window, method)
    np.testing.assert_allclose(part, whole[i0:i1, j0:j1], atol=1e-6)


def test_outputs_larger_than_a_block(rng):
    image = rng.random((400, 500), dtype=np.float32)
    whole = interpolate(image, 3, value_range=(-10, 10))
    direct = (
        resampling_matrix(400, 1200, "bicubic") @ image @ resampling_matrix(500, 1500, "bicubic").T
    )
    np.testing.assert_allclose(whole, direct, atol=1e-5)


def test_nearest_takes_the_pixel_under_the_centre():
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)
    assert np.array_equal(interpolate(image, (2, 3), method="nearest"), expected)


def test_output_stays_within_the_source_s_values(rng):
    image = (rng.random((20, 20)) > 0.5).astype(np.uint16) * 4000
    result = interpolate(image, 2.5, method="lanczos")
    assert result.dtype == np.float32
    assert (result.min(), result.max()) == (0, 4000)


def test_gaps_come_back(rng):
    image = rng.random((8, 8))
    image[2, 3] = np.nan
    result = interpolate(image, 2)
    assert np.isnan(result).sum() == 4
    assert np.isnan(result[4:6, 6:8]).all()


def test_unknown_methods():
    with pytest.raises(ValueError, match="nearest, bilinear, bicubic, lanczos, found 'spline'"):
        interpolate(np.ones((3, 3)), 2, method="spline")
    with pytest.raises(ValueError, match="found 'spline'"):
        resampling_band(4, 8, "spline", 0, 8)
