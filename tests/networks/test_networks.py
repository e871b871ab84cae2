"""The generators: published sizes, shapes, and how far each output looks."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from napari_metasr.networks import BUILDERS, build, takes_option
from napari_metasr.networks.folding import fold_batch_norm

FIXED = [
    ("srgan", {"scale": 2}, 565_768),
    ("srgan", {"scale": 4}, 713_481),
    ("edsr", {"scale": 2}, 40_720_385),
    ("edsr", {"scale": 4}, 43_080_705),
    ("srresnet", {"scale": 4}, 1_528_724),
    ("srresnet", {"scale": 2}, 1_381_011),
]
SMALL = [
    ("srgan", {"scale": 2, "blocks": 1, "features": 4}),
    ("srgan", {"scale": 4, "blocks": 1, "features": 4}),
    ("edsr", {"scale": 2, "blocks": 2, "features": 4}),
    ("edsr", {"scale": 4, "blocks": 1, "features": 4}),
    ("srresnet", {"scale": 4, "blocks": 2, "features": 4}),
    ("ms-gan", {"blocks": 1, "features": 4}),
    ("ms-gan", {"blocks": 1, "features": 4, "doubled_blocks": 0}),
]


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def largest(output):
    return output[-1] if isinstance(output, tuple) else output


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def randomised(network):
    """Statistics of batch normalisation that are not 0 and 1."""
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.uniform_(-1, 1)
            part.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize(("name", "options", "count"), FIXED)
def test_published_parameter_counts(name, options, count):
    with torch.device("meta"):
        assert parameters(build(name, **options)) == count


def test_counts_of_meta_srgan_and_ms_gan():
    with torch.device("meta"):
        assert parameters(build("meta-srgan")) == 561_926
        assert parameters(build("ms-gan")) == 1_978_587
        assert parameters(build("ms-gan", doubled_blocks=0)) == 1_533_909


def operations(name, **options):
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        build(name, **options)(torch.zeros(1, 1, 24, 24))
    return counter.get_total_flops()


def test_ms_gan_has_more_layers_than_srresnet():
    """An image takes it 7.75 / 4.04 = 1.92 times as long (Zhu, Yang, Lio 2019, sec. 3)."""
    srresnet = operations("srresnet", scale=4)
    assert operations("ms-gan") / srresnet == pytest.approx(1.92, abs=0.06)
    assert operations("ms-gan", doubled_blocks=0) / srresnet == pytest.approx(1.01, abs=0.01)


@pytest.mark.parametrize(("name", "options"), SMALL)
@pytest.mark.parametrize("size", [(7, 12), (24, 24)])
def test_shapes(name, options, size):
    network = build(name, **options).eval()
    with torch.no_grad():
        output = network(torch.rand(2, 1, *size))
    outputs = output if isinstance(output, tuple) else (output,)
    assert [tuple(image.shape) for image in outputs] == [
        (2, 1, scale * size[0], scale * size[1]) for scale in network.scales
    ]
    assert network.scale == max(network.scales)


@pytest.mark.parametrize(("name", "options"), SMALL)
def test_an_output_depends_on_the_halo_and_on_nothing_beyond(name, options):
    network = build(name, **options).eval().double().requires_grad_(False)
    reach = network.halo
    image = torch.rand(1, 1, 1, 2 * reach + 5, dtype=torch.float64)
    image = image.expand(-1, -1, 9, -1).clone().requires_grad_()
    cell = image.shape[-1] // 2
    output = largest(network(image))
    pixels = output[..., cell * network.scale : (cell + 1) * network.scale]
    (gradient,) = torch.autograd.grad(pixels.square().sum(), image)
    touched = gradient.abs().sum((0, 1, 2)).nonzero().flatten()
    assert touched.min() == cell - reach
    assert touched.max() == cell + reach


@pytest.mark.parametrize(("name", "options"), SMALL)
def test_folding_batch_normalisation_changes_nothing(name, options):
    network = randomised(build(name, **options))
    image = torch.rand(1, 1, 10, 11)
    folded = fold_batch_norm(network)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(folded(image), network(image), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), SMALL)
def test_channels_last_gives_the_same(name, options):
    network = build(name, **options).eval()
    image = torch.rand(2, 1, 9, 8)
    with torch.no_grad():
        expected = largest(network(image))
        found = largest(network.to(memory_format=torch.channels_last)(image))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_edsr_scales_its_residuals():
    network = build("edsr", features=4, blocks=1)
    x = torch.rand(1, 4, 6, 6)
    block = network.trunk.blocks[0]
    with torch.no_grad():
        first, _, second = block.body
        expected = x + 0.1 * second(first(x).clamp(min=0))
        torch.testing.assert_close(block(x), expected)


def test_srgan_has_the_trunk_of_meta_srgan():
    state = build("meta-srgan").trunk.state_dict()
    build("srgan").trunk.load_state_dict(state)


def test_ms_gan_builds_x4_from_what_x2_is_made_of():
    network = build("ms-gan", blocks=1, features=4)
    two, four = network(torch.rand(2, 1, 8, 8))
    two.sum().backward(retain_graph=True)
    assert network.doubling[0].weight.grad.abs().sum() > 0
    assert network.quadrupling[0].weight.grad is None
    network.zero_grad()
    four.sum().backward()
    assert network.doubling[0].weight.grad.abs().sum() > 0
    assert network.doubling_output.weight.grad is None


@pytest.mark.parametrize("name", ["srgan", "edsr", "srresnet"])
def test_only_scales_that_are_doublings(name):
    with pytest.raises(ValueError, match="expected a scale of 2 or 4, found 3"):
        build(name, scale=3)


def test_unknown_network_suggests_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'srresnet'"):
        build("sresnet")


def test_networks_of_one_scale_take_it_as_an_option():
    found = {name for name in BUILDERS if takes_option(name, "scale")}
    assert found == {"srgan", "edsr", "srresnet"}


def test_every_network_is_listed():
    assert {"meta-srgan", "srgan", "edsr", "srresnet", "ms-gan"} <= set(BUILDERS)
