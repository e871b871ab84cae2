"""One way to call every generator: low-resolution patches to the pixels that are compared."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import torch

from napari_metasr.networks.liif import LIIF
from napari_metasr.networks.meta_srgan import MetaSRGAN
from napari_metasr.networks.told_meta_srgan import ToldMetaSRGAN

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_metasr.geometry.grids import OutputGrid, PixelRange


def super_resolve(
    network: nn.Module,
    low_resolution: Tensor,
    grid: OutputGrid,
    pixels: PixelRange | None = None,
    origin: tuple[int, int] = (0, 0),
    code: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Upscale a batch; the last of the outputs is the finest, and is at the grid's scale.

    Parameters
    ----------
    network
        Any generator of ``napari_metasr.networks``.
    low_resolution
        (batch, 1, h, w), the slice or a part of it.
    grid
        From the whole low-resolution slice to the whole output.
    pixels
        The output pixels (i0, j0, i1, j1) that are wanted; all of them by default.
    origin
        The slice's (row, column) at which ``low_resolution`` begins.
    code
        (batch, code length), what a network that can be told of its input's acquisition is told.

    Returns
    -------
    tuple of Tensor
        (batch, 1, H, W), and before it the same pixels at each coarser scale of a network that
        gives several.

    Raises
    ------
    ValueError
        If the network is for another scale than the grid's.
    """
    if isinstance(network, ToldMetaSRGAN):
        return (network(low_resolution, grid, pixels, origin, code),)
    if isinstance(network, MetaSRGAN | LIIF):
        return (network(low_resolution, grid, pixels, origin),)
    scale = int(network.scale)  # type: ignore[arg-type]
    if (grid.rows.scale, grid.columns.scale) != (Fraction(scale), Fraction(scale)):
        raise ValueError(
            f"expected a grid of scale {scale}, found "
            f"{float(grid.rows.scale):g} x {float(grid.columns.scale):g}"
        )
    outputs = network(low_resolution)
    outputs = (outputs,) if isinstance(outputs, torch.Tensor) else tuple(outputs)
    i0, j0, i1, j1 = pixels or grid.pixel_range()
    found = []
    for output in outputs:
        ours = output.shape[-1] // low_resolution.shape[-1]
        top, left, bottom, right = (
            edge * ours // scale - start * ours
            for edge, start in zip((i0, j0, i1, j1), (*origin, *origin), strict=True)
        )
        found.append(output[..., top:bottom, left:right])
    return tuple(found)
