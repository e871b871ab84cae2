"""The engine's contract: windows, tiles, intensities, gaps, refusals."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch

import napari_metasr
from napari_metasr.geometry.grids import AxisGrid, OutputGrid
from napari_metasr.weights import load_network
from napari_metasr.zoom.baselines import BASELINES, interpolate, interpolate_pixels
from napari_metasr.zoom.encoded import Tiling
from napari_metasr.zoom.engine import ZoomModel
from napari_metasr.zoom.kernels import KERNELS


@pytest.fixture(scope="module")
def model():
    return napari_metasr.load_model("meta-srgan", device="cpu")


def tiled(kernel="compiled", **tiling):
    network, card = load_network("meta-srgan")
    return ZoomModel(
        network,
        card,
        device=torch.device("cpu"),
        kernel=KERNELS[kernel],
        tiling=Tiling(**tiling),
    )


@pytest.fixture
def image(rng):
    smooth = np.add.outer(np.sin(np.arange(60) / 5), np.cos(np.arange(75) / 7))
    return (1000 + 300 * smooth + 20 * rng.normal(size=(60, 75))).astype(np.float32)


WINDOWS = [(0, 0, 60, 75), (10.3, 5.9, 41.7, 60.2), (58.5, 0, 60, 2.5), (20, 20, 21, 21)]


@pytest.mark.parametrize("scale", [1.0, 1.7, 3.7, (2.0, 3.3)], ids=str)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_window_is_the_same_part_of_the_whole_to_the_bit(model, image, scale, window):
    encoded = model.encode(image)
    whole = model.render(encoded, scale)
    i0, j0, i1, j1 = OutputGrid.at_scale(image.shape, scale).pixel_range(window)
    assert np.array_equal(model.render(encoded, scale, window), whole[i0:i1, j0:j1])


def test_a_window_encoded_alone_is_the_same_part_of_the_whole(model, image):
    window = (10.3, 5.9, 41.7, 60.2)
    alone = model.render(model.encode(image), 3.7, window)
    whole = model.upscale(image, 3.7)
    i0, j0, i1, j1 = OutputGrid.at_scale(image.shape, 3.7).pixel_range(window)
    assert np.abs(alone - whole[i0:i1, j0:j1]).max() <= 1e-6 * np.ptp(image)


@pytest.mark.parametrize("window", [(16, 16, 30, 31), (16.2, 23.9, 24.1, 32.7)], ids=str)
def test_the_corner_convention_reads_the_cells_above_and_left(image, window):
    network, card = load_network("meta-srgan", convention="corner")
    model = ZoomModel(network, card, device=torch.device("cpu"), tiling=Tiling(tile=8, joint=2))
    for scale in (1.3, 2.0, 3.7):
        encoded = model.encode(image)
        encoded.prepare(window)
        seconds = encoded.encode_seconds
        part = model.render(encoded, scale, window)
        assert encoded.encode_seconds == seconds
        i0, j0, i1, j1 = OutputGrid.at_scale(image.shape, scale).pixel_range(window)
        assert np.array_equal(part, model.render(encoded, scale)[i0:i1, j0:j1])


@pytest.mark.parametrize("kernel", KERNELS)
def test_tiles_equal_the_untiled_result(rng, kernel):
    image = rng.random((200, 300), dtype=np.float32)
    whole = tiled(kernel, tile=512).upscale(image, 1.3)
    pieces = tiled(kernel, tile=64, joint=1).upscale(image, 1.3)
    assert np.abs(pieces - whole).max() <= 1e-6 * np.abs(whole).max() * 5


def test_kernels_agree(image):
    compiled, reference = (tiled(name).upscale(image, 2.9) for name in ("compiled", "torch"))
    assert np.abs(compiled - reference).max() <= 1e-5 * np.ptp(image)


def test_tiles_are_made_on_demand_and_kept(model, rng):
    encoded = model.encode(rng.random((200, 300), dtype=np.float32))
    window = (10, 10, 50, 50)
    assert not encoded.is_ready(window)
    assert encoded.nbytes == 0
    encoded.prepare(window)
    assert encoded.is_ready(window)
    assert not encoded.is_ready((10, 10, 50, 100))
    assert encoded.encoded_pixels == (64 + 16) ** 2
    seconds = encoded.encode_seconds
    assert seconds > 0
    model.render(encoded, 3.3, window)
    assert encoded.encode_seconds == seconds


def test_tiles_stay_within_the_budget_and_come_back(rng):
    image = rng.random((128, 256), dtype=np.float32)
    one_tile = 64 * 64 * 257 * 4
    small = tiled(tile=64, joint=1, budget=3 * one_tile)
    encoded = small.encode(image)
    first = small.render(encoded, 2, (0, 0, 60, 60))
    whole = small.render(encoded, 2)
    assert encoded.nbytes <= 3 * one_tile
    assert np.array_equal(small.render(encoded, 2, (0, 0, 60, 60)), first)
    assert np.array_equal(whole[:120, :120], first)


def test_intensities_are_the_source_s(model, image):
    result = model.upscale(image, 2)
    assert result.dtype == np.float32
    assert result.min() >= image.min()
    assert result.max() <= image.max()


@pytest.mark.parametrize(("gain", "offset"), [(3.5, -200.0), (1e-4, 0.0), (1e3, 5e5)])
def test_scaling_the_input_scales_the_output(model, image, gain, offset):
    plain = model.upscale(image, 2.6)
    other = model.upscale(gain * image.astype(np.float64) + offset, 2.6)
    assert np.abs((other - offset) / gain - plain).max() <= 1e-3 * np.ptp(image)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int64", "float16", "float64"])
def test_any_numeric_type(model, image, dtype):
    scaled = (image / 10).astype(dtype)
    reference = model.upscale(scaled.astype(np.float32), 1.5)
    assert np.abs(model.upscale(scaled, 1.5) - reference).max() <= 1e-3 * np.ptp(reference)


@pytest.mark.parametrize("value", [0, -3.25, 17])
def test_a_constant_slice_renders_constant_silently(model, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = model.upscale(np.full((20, 30), value), 2.5)
        of_a_volume = model.encode(
            np.full((20, 30), value), intensity_range=(-5, 100), value_range=(-9, 900)
        )
        assert of_a_volume.is_ready()
        assert (model.render(of_a_volume, 2.5) == value).all()
    assert result.shape == (50, 75)
    assert (result == value).all()


def test_gaps_are_filled_under_one_warning_and_restored(model, image):
    broken = image.copy()
    broken[10:12, 20] = np.nan
    broken[30, 40] = np.inf
    with pytest.warns(UserWarning, match="3 of 4,500 pixels are NaN or infinite") as caught:
        result = model.upscale(broken, 2)
    assert len(caught) == 1
    expected = np.repeat(np.repeat(~np.isfinite(broken), 2, axis=0), 2, axis=1)
    assert np.array_equal(~np.isfinite(result), expected)
    assert np.isinf(result[60:62, 80:82]).all()


def test_a_slice_without_a_finite_pixel_within_a_volume(model):
    with pytest.warns(UserWarning, match="NaN or infinite"):
        encoded = model.encode(np.full((8, 8), np.nan), intensity_range=(0, 1), value_range=(0, 1))
    assert np.isnan(model.render(encoded, 2)).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3)), "2-D slice"),
        (np.zeros((0, 4)), "at least one pixel"),
        (np.zeros((4, 4), complex), "real-valued"),
        (np.zeros((4, 4), bool), "real-valued"),
        (np.full((4, 4), np.nan), "finite"),
        (np.array([[0, 1e300]]), "float32"),
    ],
)
def test_images_that_are_refused(model, image, message):
    with pytest.raises(ValueError, match=message):
        model.encode(image)


@pytest.mark.parametrize("scale", [0.5, math.nan, 1e9])
def test_scales_that_are_refused(model, image, scale):
    with pytest.raises(ValueError, match="scale"):
        model.upscale(image, scale)


def test_an_output_beyond_memory_says_its_size(model):
    with pytest.raises(ValueError, match=r"64,000 x 64,000 pixels \(15.3 GiB\)"):
        model.upscale(np.random.default_rng(0).random((8000, 8000), np.float32), 8)


def test_devices_that_are_not_there():
    with pytest.raises(ValueError, match="expected a device among auto, cuda, mps, cpu"):
        napari_metasr.load_model("meta-srgan", device="gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="cuda was asked for"):
            napari_metasr.load_model("meta-srgan", device="cuda")


def test_bfloat16_is_near(model, image):
    reduced = napari_metasr.load_model("meta-srgan", device="cpu", precision="bfloat16")
    error = reduced.upscale(image, 2.5) - model.upscale(image, 2.5)
    assert 0 < np.sqrt(np.mean(error**2)) <= 0.02 * np.ptp(image)


MEMORY_PROGRAM = """
import pathlib, numpy as np, napari_metasr
def memory(name):
    return int(pathlib.Path("/proc/self/status").read_text().split(name + ":")[1].split()[0])
model = napari_metasr.load_model("meta-srgan", device="cpu")
model.upscale(np.random.rand(16, 16), 2)
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = memory("VmRSS")
encoded = model.encode(np.random.default_rng(0).random((4096, 4096), np.float32))
for top, left in ((0, 0), (2000.5, 1999.1), (3800, 3800), (1000, 3000)):
    model.render(encoded, 3.7, (top, left, top + 250, left + 290))
print(memory("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux counts it")
def test_windows_of_a_huge_slice_stay_under_two_gibibytes():
    kibibytes = int(
        subprocess.run(
            [sys.executable, "-c", MEMORY_PROGRAM], capture_output=True, text=True, check=True
        ).stdout
    )
    assert kibibytes < 2 << 20


@pytest.mark.parametrize("name", ["meta-srgan", "srgan-x2"])
def test_a_grid_of_exact_spacing_lies_where_it_says(name):
    """A ramp stays a ramp: what is rendered is the place of each output pixel."""
    ramp = np.broadcast_to(np.arange(40.0), (24, 40))
    grid = OutputGrid(AxisGrid(24, 24), AxisGrid(40, 57, Fraction(7, 10)))
    model = napari_metasr.load_model(name, device="cpu")
    rendered = model.render_pixels(model.encode(ramp), grid, grid.pixel_range())
    inner = slice(12, -12)
    expected = grid.columns.positions() - 0.5
    assert np.abs(rendered[12, inner] - expected[inner]).mean() < 0.1
    interpolated = interpolate_pixels(ramp, grid, grid.pixel_range())
    np.testing.assert_allclose(interpolated[12, inner], expected[inner], atol=1e-4)


def test_a_grid_of_another_slice_is_refused(model, image):
    grid = OutputGrid.at_scale((9, 9), 2)
    with pytest.raises(ValueError, match="expected a grid over"):
        model.render_pixels(model.encode(image), grid, grid.pixel_range())


@pytest.mark.parametrize("method", BASELINES)
def test_an_image_without_values_stays_as_it_is(method):
    image = np.full((6, 7), np.nan, np.float32)
    image[2] = -np.inf
    found = interpolate(image, 2, method=method)
    np.testing.assert_array_equal(found, image.repeat(2, axis=0).repeat(2, axis=1))
