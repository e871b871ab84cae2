"""Model cards and weights: what ships, what a user brings, what is refused."""

from __future__ import annotations

import json
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import napari_metasr
from napari_metasr import weights
from napari_metasr.cli.models import scales_text
from napari_metasr.networks import build
from napari_metasr.networks.published_layout import published_name


@pytest.fixture
def copied(tmp_path):
    """The shipped weights and card, where they may be damaged."""
    folder = Path(weights.__file__).parent
    for suffix in (".safetensors", ".json"):
        shutil.copy(folder / f"meta-srgan{suffix}", tmp_path / f"mine{suffix}")
    return tmp_path / "mine.safetensors"


def test_what_ships_says_what_it_is():
    assert "meta-srgan" in weights.model_names()
    card = weights.model_card("meta-srgan")
    assert card.parameters == 561_926
    assert card.trained_scales == (1.1, 4.0)
    assert card.licence == "CC-BY-NC-SA-4.0"
    assert "not a medical device" in card.intended_use.lower()


def test_weights_of_one_s_own_by_path(copied, rng):
    image = rng.random((12, 12))
    mine = napari_metasr.load_model(copied, device="cpu").upscale(image, 2)
    shipped = napari_metasr.load_model("meta-srgan", device="cpu").upscale(image, 2)
    assert np.array_equal(mine, shipped)


def test_unknown_model_suggests_the_nearest():
    with pytest.raises(weights.WeightsError, match="did you mean 'meta-srgan'"):
        weights.model_card("meta-srgn")


def test_damaged_weights(copied):
    content = bytearray(copied.read_bytes())
    content[-1] ^= 1
    copied.write_bytes(content)
    with pytest.raises(weights.WeightsError, match="expected sha256"):
        weights.load_network(copied)


def test_weights_of_another_shape(tmp_path):
    card = weights.model_card("meta-srgan").model_dump(exclude={"parameters", "sha256"})
    weights.save_weights(build("meta-srgan", features=32), tmp_path, **(card | {"name": "narrow"}))
    with pytest.raises(weights.WeightsError, match=r"expected .* \(64,.*found \(32,"):
        weights.load_network(tmp_path / "narrow.safetensors")


def test_a_file_that_is_no_safetensors(copied):
    import hashlib

    copied.write_bytes(b"not tensors at all")
    card = json.loads(copied.with_suffix(".json").read_text())
    card["sha256"] = hashlib.sha256(b"not tensors at all").hexdigest()
    copied.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(weights.WeightsError, match="not a safetensors file"):
        weights.load_network(copied)


def test_missing_weights_and_cards(copied):
    copied.unlink()
    with pytest.raises(weights.WeightsError, match="expected weights at"):
        weights.load_network(copied)
    copied.with_suffix(".json").write_text('{"name": "mine"}')
    with pytest.raises(weights.WeightsError, match="not a model card: title"):
        weights.model_card(copied)
    copied.with_suffix(".json").unlink()
    with pytest.raises(weights.WeightsError, match="expected a model card"):
        weights.model_card(copied)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    network = build("meta-srgan", features=8, blocks=1, hidden=16)
    card = weights.model_card("meta-srgan").model_dump(exclude={"parameters", "sha256"})
    options = {"features": 8, "blocks": 1, "hidden": 16}
    weights.save_weights(network, tmp_path, **(card | {"name": "small", "options": options}))
    loaded, _ = weights.load_network(tmp_path / "small.json")
    for key, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[key], value)
    assert not list(tmp_path.glob(".*"))


def about(name, **fields):
    """A card's fields for another network."""
    card = weights.model_card("meta-srgan").model_dump()
    return card | {"name": name} | fields


def test_half_precision_is_half_the_size_and_loads_as_float32(tmp_path):
    network = build("srresnet", scale=2, features=8, blocks=2)
    fields = about("half", network="srresnet", options={"scale": 2, "features": 8, "blocks": 2})
    weights.save_weights(network, tmp_path, **(fields | {"name": "whole"}))
    weights.save_weights(network, tmp_path, dtype=torch.float16, **fields)
    half, whole = ((tmp_path / f"{n}.safetensors").stat().st_size for n in ("half", "whole"))
    assert half < 0.7 * whole
    loaded, _ = weights.load_network(tmp_path / "half.safetensors")
    for key, value in network.state_dict().items():
        found = loaded.state_dict()[key]
        assert found.dtype == value.dtype
        torch.testing.assert_close(found, value, rtol=2**-11, atol=2**-24)


def test_weights_beyond_half_precision_are_refused(tmp_path):
    network = build("srresnet", scale=2, features=2, blocks=1)
    with torch.no_grad():
        network.output.bias.fill_(1e5)
    with pytest.raises(weights.WeightsError, match=r"found 100000 in output\.bias"):
        weights.save_weights(network, tmp_path, dtype=torch.float16, **about("half"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("network", "options", "scales"),
    [
        ("meta-srgan", {"features": 4, "blocks": 1, "hidden": 4}, ()),
        ("edsr", {"features": 4, "blocks": 1, "scale": 4}, (4,)),
        ("ms-gan", {"features": 4, "blocks": 1}, (2, 4)),
    ],
)
def test_cards_say_which_scales_a_network_gives(tmp_path, network, options, scales):
    module = build(network, **options)
    fields = about("mine", network=network, options=options, standardisation=(0.3, 0.2))
    weights.save_weights(module, tmp_path, **fields)
    card = weights.model_card(tmp_path / "mine.json")
    assert card.fixed_scales == scales
    assert card.standardisation == (0.3, 0.2)
    assert card.super_resolves


def test_a_model_across_slices_is_not_offered_for_the_zoom(tmp_path):
    options = {"features": 4, "blocks": 1, "hidden": 4}
    fields = about("across", options=options, axes="one")
    card = weights.save_weights(build("meta-srgan", **options), tmp_path, **fields)
    assert card.super_resolves
    assert not card.super_resolves_slices
    assert "along one axis, across slices" in scales_text(card)


def test_a_detector_does_not_super_resolve(tmp_path):
    detector = build("lesion-detector", widths=(2,), grid=1)
    fields = about("ld", network="lesion-detector", options={"widths": (2,), "grid": 1})
    card = weights.save_weights(detector, tmp_path, **fields)
    assert not card.super_resolves
    with pytest.raises(
        weights.WeightsError, match="ld does not super-resolve: it is a lesion-detector"
    ):
        napari_metasr.load_model(tmp_path / "ld.safetensors", device="cpu")


def test_a_standard_deviation_is_positive(tmp_path):
    with pytest.raises(ValueError, match="standardisation"):
        weights.save_weights(build("ms-gan"), tmp_path, **about("x", standardisation=(0.3, 0.0)))


def test_weights_in_the_authors_layout(tmp_path):
    network, _ = weights.load_network("meta-srgan", convention="corner")
    theirs = {published_name(key): value for key, value in network.state_dict().items()}
    path = tmp_path / "netG.pth"
    torch.save({"state_dict": theirs}, path)
    loaded, card = weights.load_network(path)
    assert loaded.upscale.convention == "corner"
    assert card == weights.model_card(path)
    assert card.parameters == 561_926
    assert card.standardisation == (0.37, 0.117)
    for key, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    del theirs["block7.0.bias"]
    torch.save(theirs, path)
    with pytest.raises(weights.WeightsError, match=r"missing block7\.0\.bias"):
        weights.load_network(path)
    path.unlink()
    with pytest.raises(weights.WeightsError, match="expected weights at"):
        weights.model_card(path)


def small(folder, *, network=None, **card):
    """Weights of a small network, with another card than theirs."""
    about = weights.model_card("meta-srgan").model_dump(exclude={"parameters", "sha256"})
    options = {"features": 8, "blocks": 1, "hidden": 16}
    network = network or build("meta-srgan", **options)
    weights.save_weights(network, folder, **(about | {"name": "small", "options": options} | card))
    return folder / "small.safetensors"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path, value):
    network = build("meta-srgan", features=8, blocks=1, hidden=16)
    with torch.no_grad():
        next(network.parameters()).view(-1)[3] = value
    path = small(tmp_path, network=network)
    with pytest.raises(weights.WeightsError, match="found 1 that are NaN or infinite in trunk"):
        weights.load_network(path)


def test_published_weights_that_are_no_numbers(tmp_path):
    state = build("meta-srgan").state_dict()
    next(iter(state.values())).view(-1)[0] = float("nan")
    path = tmp_path / "theirs.pth"
    torch.save({published_name(key): value for key, value in state.items()}, path)
    with pytest.raises(weights.WeightsError, match="found 1 that are NaN or infinite"):
        weights.load_network(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": 20_000}, "the option features 20000"),
        ({"blocks": 10**9}, "the option blocks 1e"),
        ({"features": 48}, "is not of the network meta-srgan: expected"),
        ({"features": -1}, "does not describe a network|is not of the network"),
        ({"features": 2.5}, "does not describe a network"),
        ({"features": "many"}, "does not describe a network"),
        ({"colours": 3}, "does not describe a network"),
    ],
)
def test_a_card_of_another_network_takes_no_memory(tmp_path, options, message):
    path = small(tmp_path, options={"features": 8, "blocks": 1, "hidden": 16} | options)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(weights.WeightsError, match=message) as caught:
        weights.load_network(path)
    assert "\n" not in str(caught.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 200_000


def test_a_card_of_no_network(tmp_path):
    path = small(tmp_path)
    card = path.with_suffix(".json")
    card.write_text(card.read_text().replace('"network": "meta-srgan"', '"network": "none"'))
    with pytest.raises(weights.WeightsError, match="expected a network among"):
        weights.load_network(path)
