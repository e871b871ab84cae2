"""Which renderer suits a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.networks.liif import LIIF
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.networks.ms_gan import MultiScaleGenerator
from napari_metasr.networks.sub_pixel import SubPixelGenerator
from napari_metasr.weights import WeightsError
from napari_metasr.zoom.kernels import kernel_for
from napari_metasr.zoom.renderers.any_scale import AnyScaleRenderer
from napari_metasr.zoom.renderers.fixed_scale import FixedScaleRenderer
from napari_metasr.zoom.renderers.implicit import ImplicitRenderer

if TYPE_CHECKING:
    from torch import nn

    from napari_metasr.networks.meta_upscale import UpscaleKernel
    from napari_metasr.weights import ModelCard
    from napari_metasr.zoom.protocols import Renderer


def renderer_of(
    network: nn.Module, card: ModelCard, device: str, kernel: UpscaleKernel | None = None
) -> Renderer:
    """Return the renderer that suits a network.

    Raises
    ------
    WeightsError
        If the network does not super-resolve.
    """
    if isinstance(network, MetaSRGAN):
        return AnyScaleRenderer(network, kernel or kernel_for(device))
    if isinstance(network, LIIF):
        return ImplicitRenderer(network)
    if isinstance(network, SubPixelGenerator | MultiScaleGenerator):
        return FixedScaleRenderer(network)
    raise WeightsError(f"{card.name} does not super-resolve: it is a {card.network}")
