"""The re-associated upscaler against a literal transcription of the published formula."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.nn import functional

from napari_metasr.geometry.grids import Convention, OutputGrid
from napari_metasr.networks import build
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.zoom.kernels import KERNELS

SCALES = [tenths / 10 for tenths in range(10, 41)] + [math.pi, math.e, 8 / 3, 8.0]
PAIRS = [(1.0, 3.7), (2.5, 1.3), (4.0, 1.0)]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    network = build("meta-srgan")
    # batch normalisation that has seen something, so that folding matters
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


def published(network, image, n_out, convention):
    """y(p) = < W2 relu(W1 v_p + b1) + b2, patch3x3(F, cell(p)) >, pixel by pixel, in float64."""
    network = network.double()
    features = network.trunk(torch.from_numpy(image).double()[None, None])
    n_in = features.shape[2:]
    patches = functional.unfold(features, 3, padding=1).reshape(-1, *n_in)
    wpn = network.upscale.weights
    coordinates = []
    for n, big in zip(n_in, n_out, strict=True):
        axis = []
        for i in range(big):
            if convention == Convention.CENTER:
                position = (Fraction(i) + Fraction(1, 2)) * n / big
                cell = math.floor(position)
                axis.append((cell, float(position - cell - Fraction(1, 2))))
            else:
                position = Fraction(i * n, big)
                cell = math.floor(position)
                axis.append((cell, float(position - cell)))
        coordinates.append(axis)
    s = 1 / math.sqrt(n_out[0] / n_in[0] * n_out[1] / n_in[1])
    out = np.empty(n_out)
    for i, (y, dy) in enumerate(coordinates[0]):
        v = torch.tensor([[dy, dx, s] for _, dx in coordinates[1]], dtype=torch.float64)
        kernels = wpn.second(functional.relu(wpn.first(v)))  # (W, 576)
        columns = torch.tensor([x for x, _ in coordinates[1]])
        out[i] = (kernels * patches[:, y, columns].T).sum(1).numpy()
    network.float()
    return out


def rendered(network, kernel, image, grid):
    folded = fold_batch_norm(network)
    folded.upscale.kernel = KERNELS[kernel]
    with torch.inference_mode():
        return folded(torch.from_numpy(image)[None, None], grid)[0, 0].numpy()


def relative_difference(ours, truth):
    return np.abs(ours - truth).max() / np.abs(truth).max()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("scale", [*SCALES, *PAIRS], ids=str)
@torch.no_grad()
def test_every_scale_agrees_with_the_published_formula(network, rng, kernel, scale):
    image = rng.random((13, 18), dtype=np.float32)
    grid = OutputGrid.at_scale(image.shape, scale)
    truth = published(network, image, grid.output_shape, Convention.CENTER)
    assert relative_difference(rendered(network, kernel, image, grid), truth) <= 1e-5


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(1, 1), (5, 31), (32, 17)])
@torch.no_grad()
def test_odd_sizes_agree(network, rng, kernel, shape):
    image = rng.random(shape, dtype=np.float32)
    grid = OutputGrid.at_scale(shape, 2.7)
    truth = published(network, image, grid.output_shape, Convention.CENTER)
    assert relative_difference(rendered(network, kernel, image, grid), truth) <= 1e-5


@pytest.mark.parametrize("kernel", KERNELS)
@torch.no_grad()
def test_corner_convention_agrees(network, rng, kernel):
    image = rng.random((9, 14), dtype=np.float32)
    grid = OutputGrid.at_scale(image.shape, 3.3)
    network.upscale.convention = Convention.CORNER
    try:
        truth = published(network, image, grid.output_shape, Convention.CORNER)
        difference = relative_difference(rendered(network, kernel, image, grid), truth)
    finally:
        network.upscale.convention = Convention.CENTER
    assert difference <= 1e-5


@pytest.mark.parametrize("scale", [2.3, (1.0, 3.1), (2.9, 1.7)], ids=str)
def test_the_compiled_gradient_is_autograd_s(scale):
    torch.manual_seed(0)
    network = build("meta-srgan", features=8, blocks=1, hidden=16).eval()
    image = torch.randn(2, 1, 11, 9)
    grid = OutputGrid.at_scale((11, 9), scale)
    gradients = {}
    for kernel in KERNELS:
        network.upscale.kernel = KERNELS[kernel]
        network.zero_grad()
        leaf = image.clone().requires_grad_()
        network(leaf, grid).pow(2).sum().backward()
        gradients[kernel] = [leaf.grad, *(p.grad.clone() for p in network.parameters())]
    for ours, reference in zip(gradients["compiled"], gradients["torch"], strict=True):
        torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-4 * reference.abs().max())


def test_a_part_of_the_features_gives_a_part_of_the_image(network, rng):
    """What training does: a patch with its context, at its place in the whole slice's grid."""
    image = torch.from_numpy(rng.random((1, 1, 30, 26), dtype=np.float32))
    grid = OutputGrid.at_scale((30, 26), (2.2, 3.0))
    pixels = (22, 30, 44, 51)
    with torch.inference_mode():
        features = network.trunk(image)
        whole = network.upscale(features, grid)
        part = network.upscale(features[:, :, 5:25, 4:22], grid, pixels, (5, 4))
    i0, j0, i1, j1 = pixels
    torch.testing.assert_close(part, whole[:, :, i0:i1, j0:j1], rtol=0, atol=1e-6)


def test_parameters_as_published(network):
    assert sum(p.numel() for p in network.parameters()) == 561_926
    assert network.halo == 16


def test_folding_changes_nothing(network, rng):
    image = torch.from_numpy(rng.random((1, 1, 20, 20), dtype=np.float32))
    folded = fold_batch_norm(network)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    with torch.inference_mode():
        torch.testing.assert_close(folded.trunk(image), network.trunk(image), rtol=1e-5, atol=1e-5)


def test_the_compiled_kernel_refuses_what_it_cannot_take():
    half = torch.zeros(1, 2, 2, 5, dtype=torch.float16)
    terms, cells = torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match="float32 on the CPU"):
        KERNELS["compiled"](half, terms, terms, cells, cells)


def test_unknown_networks_suggest_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'meta-srgan'"):
        build("meta-sgran")
