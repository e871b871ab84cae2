"""Every network of the papers, in torch alone, built by name."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from napari_metasr.errors import nearest_hint
from napari_metasr.networks.discriminators import build_critic, build_discriminator
from napari_metasr.networks.edsr import build_edsr
from napari_metasr.networks.lesion_detector import build_lesion_detector
from napari_metasr.networks.lesion_segmenter import build_lesion_segmenter
from napari_metasr.networks.liif import build_liif
from napari_metasr.networks.meta_srgan import build_meta_srgan
from napari_metasr.networks.ms_gan import build_ms_gan
from napari_metasr.networks.srgan import build_srgan
from napari_metasr.networks.srresnet import build_srresnet
from napari_metasr.networks.told_meta_srgan import build_told_meta_srgan
from napari_metasr.networks.vgg import build_vgg19

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "meta-srgan": build_meta_srgan,
    "meta-srgan-told": build_told_meta_srgan,
    "liif": build_liif,
    "srgan": build_srgan,
    "edsr": build_edsr,
    "srresnet": build_srresnet,
    "ms-gan": build_ms_gan,
    "discriminator": build_discriminator,
    "critic": build_critic,
    "vgg19": build_vgg19,
    "lesion-detector": build_lesion_detector,
    "lesion-segmenter": build_lesion_segmenter,
}


def build(name: str, **options: Any) -> nn.Module:
    """Build a network with random weights.

    Raises
    ------
    ValueError
        If there is no network of this name.
    """
    if name not in BUILDERS:
        hint = nearest_hint(name, BUILDERS)
        raise ValueError(f"expected a network among {', '.join(BUILDERS)}, found {name!r}{hint}")
    return BUILDERS[name](**options)


def takes_option(name: str, option: str) -> bool:
    """Return whether the builder of a network has an option of this name."""
    return option in signature(BUILDERS[name]).parameters


__all__ = ["BUILDERS", "build", "takes_option"]
