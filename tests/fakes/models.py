"""Small models, as if `metasr-train` had made them."""

from __future__ import annotations

import torch

from napari_metasr import weights
from napari_metasr.networks import build
from napari_metasr.networks.interpolating_start import start_as_interpolation

TINY = {"features": 8, "blocks": 1, "hidden": 8}


def install(name, **changes):
    """A small Meta-SRGAN, or another network with its options, in the user's folder."""
    about = weights.model_card("meta-srgan").model_dump(exclude={"parameters", "sha256"})
    about |= {"name": name, "title": f"Title of {name}", "options": TINY, **changes}
    return weights.install_model(build(about["network"], **TINY), **about)


def told_model(folder, name="tiny-told", **changes):
    """The path of a small model that can be told; what it is told changes what it makes."""
    torch.manual_seed(0)
    network = build("meta-srgan-told", **TINY)
    start_as_interpolation(network)
    for weight in (*network.gains, *network.shifts):
        torch.nn.init.normal_(weight, std=0.02)
    about = weights.model_card("meta-srgan").model_dump(exclude={"parameters", "sha256"})
    about |= {"name": name, "title": "Tiny, told", "network": "meta-srgan-told"}
    about |= {"options": TINY, **changes}
    weights.save_weights(network, folder, **about)
    return folder / f"{name}.safetensors"
