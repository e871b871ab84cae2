"""LIIF against a literal transcription of its paper, pixel by pixel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.nn import functional

import napari_metasr
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks import build
from napari_metasr.networks.interpolating_start import start_as_interpolation
from napari_metasr.weights import model_card, save_weights
from napari_metasr.zoom.encoded import Tiling

SMALL = {"blocks": 1, "features": 6, "hidden": 10, "layers": 3}


def network_of(seed, **options):
    torch.manual_seed(seed)
    return build("liif", **options).eval()


def transcribed(network, image, n_out):
    """Eq. 2 to 5 in the paper's coordinates, an image from -1 to 1 along each axis; float64."""
    network = network.double()
    features = network.trunk(image.double())
    n_in = features.shape[2:]
    unfolded = functional.unfold(features, 3, padding=1)[0].reshape(-1, *n_in)
    layers = [network.function.first, *network.function.rest]
    out = np.empty(n_out)
    cell = [Fraction(2, big) * small for small, big in zip(n_in, n_out, strict=True)]
    for place in np.ndindex(*n_out):
        x = [-1 + Fraction(2 * i + 1, big) for i, big in zip(place, n_out, strict=True)]
        around = []
        for at, small in zip(x, n_in, strict=True):
            centres = [-1 + Fraction(2 * k + 1, small) for k in range(small)]
            below = max([k for k, one in enumerate(centres) if one <= at], default=-1)
            around.append(
                [(k, (at - centres[k]) * small) for k in (max(below, 0), min(below + 1, small - 1))]
            )
        total = weights = 0.0
        for up in range(2):
            for left in range(2):
                (y, dy), (x_, dx) = around[0][up], around[1][left]
                code = [*unfolded[:, y, x_], float(dy), float(dx), *map(float, cell)]
                value = torch.stack([torch.as_tensor(one).double() for one in code])
                for layer in layers:
                    value = layer(value)
                area = abs(around[0][1 - up][1] * around[1][1 - left][1])
                total += float(value) * (float(area) + 1e-9)
                weights += float(area) + 1e-9
        out[place] = total / weights
    network.float()
    return out


@pytest.mark.parametrize("scale", [1.4, 2.6, (2.0, 3.1)], ids=str)
@torch.no_grad()
def test_every_pixel_is_the_paper_s(scale):
    network = network_of(0, **SMALL)
    image = torch.randn(1, 1, 4, 5)
    grid = OutputGrid.at_scale((4, 5), scale)
    truth = transcribed(network, image, grid.output_shape)
    assert np.abs(network(image, grid)[0, 0].numpy() - truth).max() <= 1e-5 * np.abs(truth).max()


def test_a_part_of_the_image_gives_a_part_of_the_result():
    network = network_of(1, **SMALL)
    image = torch.randn(2, 1, 30, 26)
    grid = OutputGrid.at_scale((30, 26), (2.2, 3.0))
    pixels = (22, 42, 44, 60)
    with torch.no_grad():
        whole = network(image, grid)
        part = network(image[:, :, :, 3:], grid, pixels, (0, 3))
    i0, j0, i1, j1 = pixels
    torch.testing.assert_close(part, whole[:, :, i0:i1, j0:j1], rtol=0, atol=1e-6)


def test_it_is_as_large_as_meta_srgan_s_generator():
    ours, rival = (sum(p.numel() for p in build(n).parameters()) for n in ("meta-srgan", "liif"))
    assert rival == 559_319
    assert abs(rival - ours) < 0.005 * ours


def test_it_begins_as_bilinear_interpolation():
    network = network_of(2, **SMALL)
    start_as_interpolation(network)
    torch.nn.init.zeros_(network.function.rest[-1].weight[:, 2:])
    image = torch.randn(1, 1, 9, 12)
    expected = functional.interpolate(image, scale_factor=3, mode="bilinear")
    found = network(image, OutputGrid.at_scale((9, 12), 3))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    network = network_of(3, **SMALL)
    about = {"name": "liif", "network": "liif", "options": SMALL, "standardisation": (0.3, 0.2)}
    folder = tmp_path_factory.mktemp("models")
    save_weights(network, folder, **model_card("meta-srgan").model_dump() | about)
    return folder / "liif.safetensors"


@pytest.mark.parametrize("window", [(0, 0, 30, 41), (10.3, 5.9, 21.7, 30.2), (28.5, 0, 30, 2.5)])
def test_the_engine_renders_windows_from_tiles(path, rng, window):
    image = 100 + 800 * rng.random((30, 41), dtype=np.float32)
    whole = napari_metasr.load_model(path, device="cpu").upscale(image, 2.7)
    model = napari_metasr.load_model(path, device="cpu", tiling=Tiling(tile=8, joint=2))
    encoded = model.encode(image)
    encoded.prepare(window)
    seconds = encoded.encode_seconds
    part = model.render(encoded, 2.7, window)
    assert encoded.encode_seconds == seconds  # all that it reads was prepared
    i0, j0, i1, j1 = OutputGrid.at_scale(image.shape, 2.7).pixel_range(window)
    assert np.abs(part - whole[i0:i1, j0:j1]).max() <= 1e-5 * np.ptp(whole)
    once = np.empty_like(part)
    grid = OutputGrid.at_scale(image.shape, 2.7)
    model.render_once(encoded, grid, grid.pixel_range(window), once)
    assert np.abs(once - part).max() <= 1e-5 * np.ptp(whole)


def test_the_engine_is_the_network(path, rng):
    image = rng.random((20, 6), dtype=np.float32)
    image[7:9] = 0
    model = napari_metasr.load_model(path, device="cpu", continued=False)
    encoded = model.encode(image, intensity_range=(0.0, 1.0), value_range=(-9.0, 9.0))
    grid = OutputGrid.at_scale(image.shape, 3.3)
    seen = torch.from_numpy(np.pad((image - 0.3) / 0.2, ((0, 0), (16, 16)), mode="symmetric"))
    with torch.no_grad():
        network = network_of(3, **SMALL)
        codes = network.function.associate(network.trunk(seen[None, None]))
        expected = network.function.evaluate(codes[:, :, 16:-16], grid, grid.pixel_range())[0]
    found = model.render(encoded, 3.3)
    assert np.abs(found - (expected.numpy() * 0.2 + 0.3)).max() <= 1e-5
