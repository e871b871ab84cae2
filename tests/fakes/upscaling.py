"""Small networks that upscale as the package's do, only worse and quicker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import ndimage

from napari_metasr.networks import build
from napari_metasr.weights import model_card, save_weights

if TYPE_CHECKING:
    from pathlib import Path

SIZE = {"features": 16, "blocks": 1, "hidden": 16}


def small_models(folder: Path) -> dict[str, str]:
    """Write them into a folder: the options that name them."""
    options = {}
    for seed, (option, name) in enumerate(
        [("model", "meta-srgan"), ("through_plane_model", "meta-srgan-through-plane")]
    ):
        torch.manual_seed(seed)
        network = build("meta-srgan", **SIZE)
        about = model_card(name).model_dump() | {"name": f"small-{name}", "options": SIZE}
        about |= {"network": "meta-srgan"}
        save_weights(network, folder, **about)
        options[option] = str(folder / f"small-{name}.safetensors")
    return options


def smooth(shape=(20, 18, 9), seed=3):
    """Blobs without symmetry, 0 to 2000."""
    noise = np.random.default_rng(seed).normal(size=shape)
    image = ndimage.gaussian_filter(noise, 2.5, mode="nearest")
    return np.interp(image, (image.min(), image.max()), (0, 2000)).astype(np.int16)
