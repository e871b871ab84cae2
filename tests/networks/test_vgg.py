"""VGG19's features: the published layout, where weights come from, what is refused."""

from __future__ import annotations

import urllib.error

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from napari_metasr.networks import build
from napari_metasr.networks.vgg import LAYERS, VGGWeightsError


def test_the_published_number_of_parameters():
    with torch.device("meta"):
        network = build("vgg19")
    # torchvision's vgg19 has 143,667,240, of which the three linear layers
    linear = (512 * 49 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000
    assert sum(parameter.numel() for parameter in network.parameters()) == 143_667_240 - linear
    assert len(LAYERS) == 16


@pytest.mark.parametrize(
    ("layer", "index", "shape"),
    [
        ("relu1_1", 0, (64, 32, 48)),
        ("relu2_2", 7, (128, 16, 24)),
        ("relu3_1", 10, (256, 8, 12)),
    ],
)
def test_layers_lie_where_torchvision_has_them(layer, index, shape):
    network = build("vgg19", layer=layer, weights="random")
    features = network(torch.rand(1, 1, 32, 48))
    assert features.shape == (1, *shape)
    assert (features >= 0).all()
    assert f"features.{index}.weight" in network.state_dict()
    assert f"features.{index + 2}.weight" not in network.state_dict()


def test_the_last_layer():
    with torch.device("meta"):
        network = build("vgg19")
    assert "features.34.weight" in network.state_dict()
    assert "features.36.weight" not in network.state_dict()
    assert isinstance(network.features[-1], torch.nn.ReLU)
    assert len(network.features) == 36


def test_gray_is_three_equal_channels_normalised_as_imagenet():
    network = build("vgg19", layer="relu1_1", weights="random")
    image = torch.rand(1, 1, 6, 7)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    colour = (image.repeat(1, 3, 1, 1) - mean) / std
    weight = network.state_dict()["features.0.weight"]
    expected = functional.conv2d(colour, weight, padding=1).clamp(min=0)
    torch.testing.assert_close(network(image), expected)
    torch.testing.assert_close(network(image.repeat(1, 3, 1, 1)), expected)


def test_frozen_yet_gradients_reach_the_image():
    network = build("vgg19", layer="relu2_1", weights="random")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    image = torch.rand(1, 1, 16, 16, requires_grad=True)
    network(image).sum().backward()
    assert image.grad.abs().sum() > 0


def test_random_weights_are_those_of_their_seed():
    first, again, other = (
        build("vgg19", layer="relu1_2", weights="random", seed=seed).features[0].weight
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    # features keep their size through the layers, so that deep ones are of use as well
    network = build("vgg19", layer="relu3_1", weights="random")
    assert 0.1 < network(torch.rand(1, 1, 32, 32)).std() < 10


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_from_a_file_of_the_whole_network(tmp_path, suffix):
    source = build("vgg19", layer="relu2_2", weights="random")
    state = source.state_dict() | {"classifier.0.bias": torch.zeros(3)}
    path = tmp_path / f"vgg19{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    loaded = build("vgg19", layer="relu2_1", weights=path)
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, state[key])


class Trap:
    def __reduce__(self):
        return print, ("code has run",)


def test_files_that_are_refused(tmp_path, capsys):
    path = tmp_path / "vgg19.pth"
    with pytest.raises(VGGWeightsError, match=r"VGG19: expected weights at .*found none"):
        build("vgg19", layer="relu1_1", weights=path)
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, path)
    with pytest.raises(VGGWeightsError, match=r"missing features.0.bias"):
        build("vgg19", layer="relu1_1", weights=path)
    torch.save({"features.0.weight": Trap()}, path)
    with pytest.raises(VGGWeightsError, match="holds no weights that can be read"):
        build("vgg19", layer="relu1_1", weights=path)
    assert capsys.readouterr().out == ""
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(VGGWeightsError, match="holds no weights that can be read"):
        build("vgg19", layer="relu1_1", weights=path)


def test_imagenet_without_a_network(tmp_path, monkeypatch):
    def offline(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", offline)
    with pytest.raises(
        VGGWeightsError, match=r"cannot be downloaded .*no route.*or choose 'random'"
    ):
        build("vgg19", layer="relu1_1", weights="imagenet")


def test_imagenet_from_torchs_cache(tmp_path, monkeypatch):
    """A copy in torch's cache needs no connection."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    source = build("vgg19", layer="relu1_1", weights="random")
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(source.state_dict(), folder / "vgg19-dcbb9e9d.pth")
    loaded = build("vgg19", layer="relu1_1", weights="imagenet")
    assert torch.equal(loaded.features[0].weight, source.features[0].weight)


def test_bad_input():
    with pytest.raises(ValueError, match=r"expected a layer among relu1_1, .*found 'relu6_1'"):
        build("vgg19", layer="relu6_1")
    with pytest.raises(ValueError, match=r"expected images \(batch, 1 or 3, h, w\)"):
        build("vgg19", layer="relu1_1")(torch.rand(1, 2, 8, 8))
    with pytest.raises(ValueError, match=r"at least 4 x 4 pixels, found \(1, 1, 3, 9\)"):
        build("vgg19", layer="relu3_1")(torch.rand(1, 1, 3, 9))
