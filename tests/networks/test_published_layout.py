"""Weights in the authors' layout: the same images, and nothing of their pickle is run."""

from __future__ import annotations

import math
import os

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks.published_layout import load_published_meta_srgan
from napari_metasr.networks.state_files import StateFileError


@pytest.fixture
def published():
    """A random state dict with the names and shapes of the published code."""
    torch.manual_seed(5)
    state = {}

    def layer(name, *shape):
        state[f"{name}.weight"] = 0.6 * torch.randn(shape) / math.sqrt(math.prod(shape[1:]))
        state[f"{name}.bias"] = 0.1 * torch.randn(shape[0])

    def norm(name):
        state[f"{name}.weight"] = 0.5 + torch.rand(64)
        state[f"{name}.bias"] = 0.1 * torch.randn(64)
        state[f"{name}.running_mean"] = 0.1 * torch.randn(64)
        state[f"{name}.running_var"] = 0.5 + torch.rand(64)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    layer("block1.0", 64, 1, 9, 9)
    state["block1.1.weight"] = torch.tensor([0.3])
    for block in range(2, 7):
        layer(f"block{block}.block1.0", 64, 64, 3, 3)
        norm(f"block{block}.block1.1")
        state[f"block{block}.block1.2.weight"] = torch.tensor([0.1 * block])
        layer(f"block{block}.block1.3", 64, 64, 3, 3)
        norm(f"block{block}.block1.4")
    layer("block7.0", 64, 64, 3, 3)
    norm("block7.1")
    layer("MetaUpscaleModule.weight_prediction_network.wpn.0", 256, 3)
    layer("MetaUpscaleModule.weight_prediction_network.wpn.2", 576, 256)
    return state


def published_forward(state, image, scale):
    """What the published code computes of a state dict, for integer sizes n r, in float64."""
    state = {key: value.double() for key, value in state.items()}

    def conv(x, name, padding=1):
        return functional.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=padding)

    def norm(x, name):
        mean, variance, weight, bias = (
            state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-5).sqrt() * weight + bias

    def prelu(x, name):
        return torch.where(x > 0, x, state[f"{name}.weight"] * x)

    first = x = prelu(conv(image.double(), "block1.0", 4), "block1.1")
    for block in range(2, 7):
        inside = prelu(
            norm(conv(x, f"block{block}.block1.0"), f"block{block}.block1.1"),
            f"block{block}.block1.2",
        )
        x = x + norm(conv(inside, f"block{block}.block1.3"), f"block{block}.block1.4")
    features = first + norm(conv(x, "block7.0"), "block7.1")

    height, width = image.shape[2:]
    patches = functional.unfold(features, 3, padding=1)[0].reshape(576, height, width)
    big = round(height * scale), round(width * scale)
    out = torch.empty(big, dtype=torch.float64)
    wpn = "MetaUpscaleModule.weight_prediction_network.wpn"
    for i in range(big[0]):
        for j in range(big[1]):
            (y, dy), (x0, dx) = (
                (k * n // m, (k * n % m) / m)
                for k, n, m in zip((i, j), (height, width), big, strict=True)
            )
            v = torch.tensor([dy, dx, 1 / scale], dtype=torch.float64)
            hidden = (state[f"{wpn}.0.weight"] @ v + state[f"{wpn}.0.bias"]).clamp(min=0)
            kernel = state[f"{wpn}.2.weight"] @ hidden + state[f"{wpn}.2.bias"]
            out[i, j] = kernel @ patches[:, y, x0]
    return out


@pytest.mark.parametrize("scale", [1.5, 2.0, 3.5])
def test_the_same_image_as_the_published_code(published, tmp_path, scale):
    torch.save(published, tmp_path / "netG.pth")
    network = load_published_meta_srgan(tmp_path / "netG.pth")
    assert not network.training
    assert sum(parameter.numel() for parameter in network.parameters()) == 561_926
    image = torch.rand(1, 1, 8, 10)
    grid = OutputGrid.at_scale((8, 10), scale)
    with torch.no_grad():
        found = network(image, grid)[0, 0]
    expected = published_forward(published, image, scale)
    error = (found - expected).abs().max() / expected.abs().max()
    assert error < 1e-5


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_wrappers_prefixes_and_old_files(published, tmp_path, wrapper):
    plain = tmp_path / "plain.safetensors"
    save_file(published, plain)
    wrapped = {
        f"module.{key}": value
        for key, value in published.items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save({"epoch": 3, wrapper: wrapped}, tmp_path / "wrapped.pth")
    ours = load_published_meta_srgan(plain).state_dict()
    theirs = load_published_meta_srgan(tmp_path / "wrapped.pth").state_dict()
    for key, value in ours.items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(value, theirs[key])


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_code_is_refused_and_not_run(published, tmp_path, zipped):
    file, sprung = tmp_path / "netG.pth", tmp_path / "sprung"
    torch.save(published | {"trap": Trap(sprung)}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(StateFileError, match="holds no weights that can be read"):
        load_published_meta_srgan(file)
    assert not sprung.exists()


def test_keys_that_are_missing_or_unknown_are_named(published, tmp_path):
    file = tmp_path / "netG.pth"
    del published["block4.block1.3.bias"]
    published["block8.0.weight"] = torch.zeros(3)
    torch.save(published, file)
    with pytest.raises(
        StateFileError, match=r"missing block4\.block1\.3\.bias; unknown block8\.0\.weight$"
    ):
        load_published_meta_srgan(file)


def test_networks_for_colour_are_told_from_grayscale(published, tmp_path):
    file = tmp_path / "netG.pth"
    published["block1.0.weight"] = torch.zeros(64, 3, 9, 9)
    torch.save(published, file)
    with pytest.raises(
        StateFileError,
        match=r"expected block1\.0\.weight \(64, 1, 9, 9\), found \(64, 3, 9, 9\)",
    ):
        load_published_meta_srgan(file)


def test_files_that_hold_no_weights(tmp_path):
    file = tmp_path / "netG.pth"
    with pytest.raises(StateFileError, match=r"expected weights at .* found none"):
        load_published_meta_srgan(file)
    torch.save({"epoch": 3}, file)
    with pytest.raises(StateFileError, match=r"expected named tensors in .* found epoch: int"):
        load_published_meta_srgan(file)
    torch.save([1, 2], file)
    with pytest.raises(StateFileError, match="found list"):
        load_published_meta_srgan(file)
    file.write_bytes(b"x" * 100)
    with pytest.raises(StateFileError, match="holds no weights that can be read"):
        load_published_meta_srgan(file)
