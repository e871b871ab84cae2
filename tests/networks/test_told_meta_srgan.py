"""Meta-SRGAN that is told its input's acquisition: how it begins, and what it is once told."""

from __future__ import annotations

import pytest
import torch

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks import build
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.networks.told_meta_srgan import CODE_LENGTH, ToldMetaSRGAN

SMALL = {"features": 6, "blocks": 2, "hidden": 8}
GRID = OutputGrid.at_scale((20, 18), (2.3, 1.7))


def randomised(network):
    """Statistics, weights and code weights that are not those of the start."""
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.uniform_(-1, 1)
            part.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(part.weight, 0.5, 2)
    if isinstance(network, ToldMetaSRGAN):
        for weight in (*network.gains, *network.shifts):
            torch.nn.init.normal_(weight, std=0.2)
    return network.eval()


@pytest.fixture
def image():
    torch.manual_seed(0)
    return torch.randn(3, 1, 20, 18)


@pytest.fixture
def codes(image):
    return torch.randn(len(image), CODE_LENGTH)


@torch.inference_mode()
def test_it_begins_as_the_network_that_it_starts_from(image, codes):
    plain = randomised(build("meta-srgan", **SMALL))
    network = randomised(build("meta-srgan-told", **SMALL))
    network.load_untold(plain.state_dict())
    expected = plain(image, GRID)
    for code in (None, codes):
        torch.testing.assert_close(network(image, GRID, code=code), expected)


@torch.inference_mode()
def test_each_image_is_told_for_itself(image, codes):
    network = randomised(build("meta-srgan-told", **SMALL))
    together = network(image, GRID, code=codes)
    alone = [network(image[k : k + 1], GRID, code=codes[k : k + 1]) for k in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))
    assert (together - network(image, GRID)).abs().amax((1, 2, 3)).min() > 0.01


@torch.inference_mode()
@pytest.mark.parametrize("is_told", [True, False])
def test_told_and_folded_it_is_a_plain_network_that_does_the_same(image, codes, is_told):
    network = randomised(build("meta-srgan-told", **SMALL))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    code = codes[:1] if is_told else None
    plain = network.told(codes[0] if is_told else None)
    assert type(plain) is MetaSRGAN
    expected = network(image[:1], GRID, code=code)
    torch.testing.assert_close(plain(image[:1], GRID), expected)
    torch.testing.assert_close(
        fold_batch_norm(plain)(image[:1], GRID), expected, rtol=1e-4, atol=1e-4
    )
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name])


def test_a_code_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"a code of 11 numbers, found \(3,\)"):
        build("meta-srgan-told", **SMALL).told(torch.zeros(3))


def test_size():
    network = build("meta-srgan-told")
    assert sum(parameter.numel() for parameter in network.parameters()) == 578_118
    assert 4 * 578_118 < 4e6
