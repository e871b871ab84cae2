"""Model cards and weights: what ships, what a user brings, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import napari_metasr
from napari_metasr import weights
from napari_metasr.networks import build


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
