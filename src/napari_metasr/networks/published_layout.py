"""Meta-SRGAN's weights as its authors publish them: their names for our layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from napari_metasr.geometry.grids import Convention
from napari_metasr.networks.meta_srgan import build_meta_srgan
from napari_metasr.networks.state_files import check_state, read_state_dict

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from napari_metasr.networks.meta_srgan import MetaSRGAN

BLOCKS = 5
PREFIXES = {
    "trunk.head.": "block1.",
    **{f"trunk.blocks.{k}.body.": f"block{k + 2}.block1." for k in range(BLOCKS)},
    "trunk.tail.": "block7.",
    "upscale.weights.first.": "MetaUpscaleModule.weight_prediction_network.wpn.0.",
    "upscale.weights.second.": "MetaUpscaleModule.weight_prediction_network.wpn.2.",
}
"""Our layers' names to the authors'."""


def published_name(key: str) -> str:
    """Return the authors' name for a key of our state dict."""
    ours = next(prefix for prefix in PREFIXES if key.startswith(prefix))
    return PREFIXES[ours] + key.removeprefix(ours)


def load_published_meta_srgan(path: str | Path, **options: Any) -> MetaSRGAN:
    """Load a grayscale generator in the authors' layout, in eval mode.

    The network measures offsets from the corners of cells, as theirs does: for output pixel
    (i, j), ``v = (i/r - floor(i/r), j/r - floor(j/r), 1/r)``, rows first. The kernels of the
    weight prediction network are laid out as ``torch.nn.functional.unfold`` lays out patches:
    channel, row, column.

    Parameters
    ----------
    path
        A file that ``torch.save`` wrote (.pth; no pickled code is run), or .safetensors.
    options
        Passed to ``build_meta_srgan``, over what the layout asks for.

    Raises
    ------
    StateFileError
        If the file cannot be read, or keys are missing, unknown, or of another shape.
    """
    found = read_state_dict(path)
    layout: dict[str, Any] = {"blocks": BLOCKS, "convention": Convention.CORNER}
    network = build_meta_srgan(**(layout | options))
    names = {key: published_name(key) for key in network.state_dict()}
    expected = {names[key]: value for key, value in network.state_dict().items()}
    found = _with_counters(expected, found)
    check_state(str(path), "Meta-SRGAN's published layout", expected, found)
    network.load_state_dict({key: found[name] for key, name in names.items()})
    return network.eval()


def _with_counters(expected: dict[str, Tensor], found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add the batches that batch normalisation counts, which files of old versions lack."""
    counters = {key for key in expected if key.endswith(".num_batches_tracked")}
    return {key: torch.tensor(0) for key in counters} | found
