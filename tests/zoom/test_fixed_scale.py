"""Networks of fixed scales in the zoom engine: what is resampled from what, windows, tiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import napari_metasr
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.networks import build
from napari_metasr.weights import model_card, save_weights
from napari_metasr.zoom.encoded import Tiling
from napari_metasr.zoom.scales import nearest_scale, resampled_from, scale_concern

STANDARDISATION = (0.3, 0.2)
INTENSITY = (100.0, 900.0)
UNLIMITED = (-1e9, 1e9)
NETWORKS = {
    "srgan": {"scale": 2, "blocks": 1, "features": 6},
    "edsr": {"scale": 4, "blocks": 1, "features": 6},
    "srresnet": {"scale": 4, "blocks": 2, "features": 6},
    "ms-gan": {"blocks": 1, "features": 6},
}
WINDOWS = [(0, 0, 30, 41), (10.3, 5.9, 21.7, 30.2), (28.5, 0, 30, 2.5), (15, 15, 16, 16)]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Small networks with weights of a seed, each with its card."""
    folder = tmp_path_factory.mktemp("models")
    networks = {}
    for name, options in NETWORKS.items():
        torch.manual_seed(1)
        network = build(name, **options)
        for part in network.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.2)
                part.running_var.uniform_(0.5, 2)
        about = model_card("meta-srgan").model_dump() | {
            "name": name,
            "network": name,
            "options": options,
            "standardisation": STANDARDISATION,
        }
        save_weights(network, folder, **about)
        networks[name] = network.eval()
    return folder, networks


def load(saved, name, **options):
    return napari_metasr.load_model(saved[0] / f"{name}.safetensors", device="cpu", **options)


@pytest.fixture
def image(rng):
    return 100 + 800 * rng.random((30, 41), dtype=np.float32)


def encoded_by(model, image):
    return model.encode(image, intensity_range=INTENSITY, value_range=UNLIMITED)


def super_resolved(network, image, scale):
    """What the network itself makes of the whole slice, in the slice's units."""
    mean, std = STANDARDISATION
    low, high = INTENSITY
    seen = ((image.astype(np.float64) - low) / (high - low) - mean) / std
    with torch.no_grad():
        outputs = network(torch.from_numpy(seen.astype(np.float32))[None, None])
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    output = next(one for one in outputs if one.shape[-1] == scale * image.shape[1])
    return (output[0, 0].numpy() * std + mean) * (high - low) + low


@pytest.mark.parametrize(
    ("name", "scale"), [("srgan", 2), ("edsr", 4), ("srresnet", 4), ("ms-gan", 2), ("ms-gan", 4)]
)
def test_at_its_scale_the_network_s_own_image(saved, image, name, scale):
    model = load(saved, name)
    expected = super_resolved(saved[1][name], image, scale)
    found = model.render(encoded_by(model, image), scale)
    assert np.abs(found - expected).max() <= 1e-4 * np.ptp(expected)
    assert model.fixed_scales == saved[1][name].scales == model.card.fixed_scales


@pytest.mark.parametrize(
    ("name", "scale", "source"),
    [
        ("srgan", 1.0, 2),
        ("srgan", 3.3, 2),
        ("srresnet", (1.0, 3.7), 4),
        ("srresnet", 6.5, 4),
        ("ms-gan", 1.3, 2),
        ("ms-gan", 2.8, 2),
        ("ms-gan", 2.9, 4),
        ("ms-gan", (1.0, 3.7), 2),
    ],
    ids=str,
)
def test_other_scales_are_bicubic_from_the_nearest(saved, image, name, scale, source):
    """Pillow's bicubic has the same kernel, centres and antialiasing."""
    model = load(saved, name)
    fine = Image.fromarray(super_resolved(saved[1][name], image, source).astype(np.float32))
    rows, columns = OutputGrid.at_scale(image.shape, scale).output_shape
    expected = np.asarray(fine.resize((columns, rows), Image.Resampling.BICUBIC))
    found = model.render(encoded_by(model, image), scale)
    assert np.abs(found - expected).max() <= 1e-3 * np.ptp(expected)


@pytest.mark.parametrize("name", ["srgan", "srresnet", "ms-gan"])
@pytest.mark.parametrize("scale", [1.0, 1.7, 4.0, (2.0, 5.3)], ids=str)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_window_is_the_same_part_of_the_whole_to_the_bit(saved, image, name, scale, window):
    model = load(saved, name, tiling=Tiling(tile=8, joint=2))
    encoded = encoded_by(model, image)
    part = model.render(encoded, scale, window)
    whole = model.render(encoded, scale)
    i0, j0, i1, j1 = OutputGrid.at_scale(image.shape, scale).pixel_range(window)
    assert np.array_equal(part, whole[i0:i1, j0:j1])


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_equal_the_untiled_result(saved, image, name):
    whole, pieces = (
        model.render(encoded_by(model, image), 3.1)
        for model in (
            load(saved, name, tiling=Tiling(tile=64)),
            load(saved, name, tiling=Tiling(tile=8, joint=1)),
        )
    )
    assert np.abs(pieces - whole).max() <= 5e-6 * np.ptp(whole)


@pytest.mark.parametrize("name", ["srgan", "srresnet", "ms-gan"])
@pytest.mark.parametrize("scale", [1.0, 1.1, 2.0, 3.7, 8.0, (1.0, 8.0)], ids=str)
def test_a_prepared_window_is_rendered_without_encoding(saved, image, name, scale):
    model = load(saved, name, tiling=Tiling(tile=2, joint=8))
    for window in [Window(10, 10, 16, 18), Window(12.4, 9.1, 19.8, 13.3)]:
        encoded = encoded_by(model, image)
        encoded.prepare(window)
        assert encoded.is_ready(window)
        seconds = encoded.encode_seconds
        model.render(encoded, scale, window)
        assert encoded.encode_seconds == seconds


def test_intensities_are_the_source_s(saved, image):
    model = load(saved, "srresnet")
    plain = model.render(model.encode(image, value_range=UNLIMITED), 2.6)
    other = model.render(model.encode(3.5 * image - 200, value_range=UNLIMITED), 2.6)
    assert np.abs((other + 200) / 3.5 - plain).max() <= 1e-4 * np.ptp(plain)
    clipped = model.upscale(image, 2.6)
    assert np.array_equal(clipped, plain.clip(image.min(), image.max()))
    assert clipped.dtype == np.float32


def test_constant_slices_and_gaps(saved, image):
    model = load(saved, "srgan")
    assert (model.upscale(np.full((6, 7), 17), 2.5) == 17).all()
    image[4, 5] = np.nan
    with pytest.warns(UserWarning, match="1 of 1,230 pixels are NaN"):
        found = model.upscale(image, 3)
    assert np.argwhere(np.isnan(found)).min(axis=0).tolist() == [12, 15]
    assert np.isnan(found).sum() == 9


def test_bfloat16_is_near(saved, image):
    model, reduced = load(saved, "srresnet"), load(saved, "srresnet", precision="bfloat16")
    expected = model.render(encoded_by(model, image), 4)
    error = reduced.render(encoded_by(reduced, image), 4) - expected
    assert 0 < np.abs(error).max() <= 0.05 * np.ptp(expected)


def test_which_scale_is_resampled():
    def grid(scale):
        return OutputGrid.at_scale((100, 100), scale)

    assert [nearest_scale((2, 4), grid(scale)) for scale in (1, 2.82, 2.83, 9)] == [2, 2, 4, 4]
    assert resampled_from((2, 4), grid(2)) is None
    assert resampled_from((2, 4), grid(4.0)) is None
    assert resampled_from((2, 4), grid(3.9)) == 4
    assert resampled_from((4,), grid((4, 3))) == 4
    assert resampled_from((), grid(3)) is None
    # the scale that counts is the true one: 13 pixels by 2.04 are 27, by 2.02 they are 26
    assert resampled_from((2,), OutputGrid.at_scale((13, 13), 2.02)) is None
    assert resampled_from((2,), OutputGrid.at_scale((13, 13), 2.04)) == 2


@pytest.mark.parametrize(
    ("shape", "scale", "is_beyond"),
    [
        ((240, 240), 1.1, False),
        ((155, 240), 1.1, False),  # truly 170 / 155, 1.097
        ((61, 64), 1.1, False),
        ((240, 240), 4, False),
        ((240, 120), (1, 2), False),  # pixels twice as wide as high
        ((240, 120), (1, 6), True),
        ((240, 240), 1.04, True),
        ((240, 240), 4.3, True),
        ((240, 240), 1, True),
    ],
)
def test_a_scale_is_beyond_the_trained_range_by_more_than_rounding(shape, scale, is_beyond):
    card = model_card("meta-srgan")
    assert card.trained_scales == (1.1, 4.0)
    concern = scale_concern(card, OutputGrid.at_scale(shape, scale))
    assert concern.startswith("Beyond the trained range") == is_beyond
