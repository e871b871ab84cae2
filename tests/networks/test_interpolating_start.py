"""Generators that begin as interpolation."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks import build
from napari_metasr.networks.interpolating_start import start_as_interpolation

SMALL = {"blocks": 2, "features": 16}


def error(output, expected, image):
    """Mean absolute error inside, as a share of the image's spread."""
    inner = (..., slice(12, -12), slice(12, -12))
    return ((output - expected)[inner].abs().mean() / image.std()).item()


@pytest.mark.parametrize(
    ("name", "scale"), [("srgan", 2), ("srresnet", 4), ("srresnet", 2), ("edsr", 2), ("edsr", 4)]
)
def test_the_first_output_is_near_bilinear_interpolation(name, scale):
    torch.manual_seed(0)
    image = torch.randn(2, 1, 20, 24)  # standardised: both signs
    network = build(name, scale=scale, **SMALL).eval()
    random = network(image)
    start_as_interpolation(network)
    expected = image
    for _ in range(scale // 2):
        expected = functional.interpolate(expected, scale_factor=2, mode="bilinear")
    assert error(network(image), expected, image) < 0.12
    assert error(random, expected, image) > 0.4


def test_both_scales_of_ms_gan():
    torch.manual_seed(0)
    image = torch.randn(1, 1, 20, 24)
    network = build("ms-gan", **SMALL).eval()
    start_as_interpolation(network)
    doubled = functional.interpolate(image, scale_factor=2, mode="bilinear")
    quadrupled = functional.interpolate(doubled, scale_factor=2, mode="bilinear")
    for output, expected in zip(network(image), (doubled, quadrupled), strict=True):
        assert error(output, expected, image) < 0.12


def test_meta_srgan_begins_as_nearest_neighbour():
    torch.manual_seed(0)
    image = torch.randn(1, 1, 20, 24)
    network = build("meta-srgan", hidden=16, **SMALL).eval()
    start_as_interpolation(network)
    output = network(image, OutputGrid.at_scale((20, 24), 3))
    assert error(output, functional.interpolate(image, scale_factor=3), image) < 0.12


def test_every_weight_can_still_learn():
    torch.manual_seed(0)
    network = build("srresnet", scale=2, **SMALL).train()
    start_as_interpolation(network)
    image = torch.randn(4, 1, 12, 12)
    truth = torch.randn(4, 1, 24, 24)
    (network(image) - truth).square().mean().backward()
    still = [name for name, one in network.named_parameters() if not one.grad.abs().sum() > 0]
    # a bias before batch normalisation has no effect, here as with any initialisation
    assert all(name.endswith("bias") for name in still)


def test_other_networks_are_refused():
    with pytest.raises(TypeError, match="expected a generator, found LesionDetector"):
        start_as_interpolation(build("lesion-detector"))
