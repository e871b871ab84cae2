"""Networks as ONNX files, for programs without torch."""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from napari_metasr.files import replacing
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.networks.ms_gan import MultiScaleGenerator
from napari_metasr.networks.sub_pixel import SubPixelGenerator
from napari_metasr.networks.told_meta_srgan import ToldMetaSRGAN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_metasr.weights import ModelCard

EXAMPLE = (1, 1, 24, 20)
INPUT = "image"
G = "g"


class Encoder(nn.Module):
    """Meta-SRGAN as far as no scale is in it: image to G.

    Parameters
    ----------
    network
        The generator.
    """

    def __init__(self, network: MetaSRGAN) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Map (batch, 1, h, w) to G, (batch, h, w, hidden + 1): see ``MetaUpscale.associate``."""
        return self.network.upscale.associate(self.network.trunk(image))


def exported(network: nn.Module, card: ModelCard) -> tuple[nn.Module, tuple[str, ...]]:
    """Return the part of a network to write as ONNX, in eval mode, and its outputs' names.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    if isinstance(network, ToldMetaSRGAN):
        network = network.told()
    if isinstance(network, MetaSRGAN):
        return Encoder(fold_batch_norm(network)), (G,)
    if isinstance(network, SubPixelGenerator | MultiScaleGenerator):
        return fold_batch_norm(network), tuple(f"x{scale}" for scale in network.scales)
    raise ValueError(
        f"expected a network that super-resolves to write as ONNX, found {card.name}, which is of "
        f"{card.network}"
    )


def write_onnx(network: nn.Module, card: ModelCard, path: Path, *, overwrite: bool = False) -> None:
    """Write a network as one ONNX file, for images of any batch, height and width.

    Its input ``image`` is (batch, 1, h, w), float32, standardised as the card says. A network of
    fixed scales gives ``x2``, ``x4``: (batch, 1, H, W). Of Meta-SRGAN it is the encoder, which
    gives ``g`` (batch, h, w, hidden + 1); an image of any scale is made of it by::

        y(p) = sum_m relu(W1 v_p + b1)_m g_m(cell(p)) + g_hidden(cell(p))

    with ``v_p = (dy, dx, 1 / scale)`` (Hu et al. 2019, eq. 3, re-associated: see
    ``napari_metasr.networks.meta_upscale``). The metadata hold the model card as ``card`` and,
    of Meta-SRGAN, W1 (hidden, 3) and b1 (hidden) as ``first_layer``, all as JSON.

    Raises
    ------
    ImportError
        If ONNX is not installed.
    ValueError
        If the network cannot be written: it does not super-resolve.
    FileExistsError, FileNotFoundError, IsADirectoryError
        As ``napari_metasr.files.check_writable``.
    """
    module, outputs = exported(network, card)
    try:
        import onnx
        import onnxscript  # noqa: F401 - torch writes ONNX with it
    except ImportError:
        raise ImportError(
            "ONNX files need the extra onnx: pip install 'napari-metasr[onnx]'"
        ) from None
    free = {
        0: torch.export.Dim("batch"),
        2: torch.export.Dim("height"),
        3: torch.export.Dim("width"),
    }
    with _quietly():
        program = torch.onnx.export(
            module.eval(),
            (torch.zeros(EXAMPLE),),
            input_names=[INPUT],
            output_names=list(outputs),
            dynamic_shapes=(free,),
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto  # type: ignore[union-attr]
    onnx.helper.set_model_props(model, _metadata(network, card))
    onnx.checker.check_model(model)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(model.SerializeToString())


def _metadata(network: nn.Module, card: ModelCard) -> dict[str, str]:
    found = {"card": card.model_dump_json()}
    if isinstance(network, MetaSRGAN):
        first = network.upscale.weights.first
        layer = {"weight": first.weight.tolist(), "bias": first.bias.tolist()}
        found["first_layer"] = json.dumps(layer | {"convention": network.upscale.convention})
    return found


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence what torch's exporter says of its own future and of packages it does not need."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
