"""Meta-Upscale as released code of Hu et al. 2019 and of Meta-SRGAN arranges it.

Features are repeated ceil(r)^2 times and unfolded, a kernel of 3 x 3 x 64 is predicted for every
slot and shared over the batch, one matrix product follows, and surplus slots are masked out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch.nn import functional

from napari_metasr.weights import load_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from napari_metasr.geometry.grids import AxisGrid, OutputGrid
    from napari_metasr.networks.meta_srgan import MetaSRGAN

Tables = tuple[torch.Tensor, torch.Tensor]
"""The slots of rows and of columns."""


def slots(axis: AxisGrid) -> Tensor:
    """List the output pixels in each low-resolution pixel: (input, ceil(r)), -1 for surplus."""
    cells = axis.cells()
    slot = np.arange(axis.output) - np.searchsorted(cells, cells)
    table = np.full((axis.input, slot.max() + 1), -1)
    table[cells, slot] = np.arange(axis.output)
    return torch.from_numpy(table)


def predicted_kernels(network: MetaSRGAN, grid: OutputGrid, tables: Tables) -> Tensor:
    """Predict the kernel of every slot, (h, ceil(r), w, ceil(r), 576), once for the whole batch."""
    wpn = network.upscale.weights
    device = wpn.first.weight.device
    dy, dx = (
        torch.as_tensor(axis.offsets(), dtype=torch.float32)[table.clamp(min=0)].flatten()
        for axis, table in zip((grid.rows, grid.columns), tables, strict=True)
    )
    y, x = torch.meshgrid(dy.to(device), dx.to(device), indexing="ij")
    v = torch.stack([y, x, torch.full_like(y, grid.inverse_scale)], -1)
    kernels: Tensor = wpn.second(functional.relu(wpn.first(v)))
    return kernels.reshape(*tables[0].shape, *tables[1].shape, -1)


def without_surplus(image: Tensor, tables: Tables) -> Tensor:
    """Keep only the output pixels: (batch, slots, slots) to (batch, 1, H, W)."""
    rows, columns = (table.flatten().to(image.device) >= 0 for table in tables)
    return image[:, None, rows][..., columns]


def published_upscale(network: MetaSRGAN, features: Tensor, grid: OutputGrid) -> Tensor:
    """Map features (batch, 64, h, w) to images (batch, 1, H, W) by the predicted kernels."""
    tables = slots(grid.rows), slots(grid.columns)
    (h, sy), (w, sx) = (table.shape for table in tables)
    batch, channels = features.shape[:2]
    kernels = predicted_kernels(network, grid, tables)
    kernels = kernels.permute(1, 3, 0, 2, 4).reshape(sy * sx, h * w, -1, 1)
    repeated = features[:, None].expand(-1, sy * sx, -1, -1, -1).reshape(-1, channels, h, w)
    patches = functional.unfold(repeated, 3, padding=1)
    patches = patches.reshape(batch, sy * sx, -1, h * w, 1).permute(0, 1, 3, 4, 2)
    out = torch.matmul(patches, kernels).reshape(batch, sy, sx, h, w)
    return without_surplus(out.permute(0, 3, 1, 4, 2).reshape(batch, h * sy, w * sx), tables)


def shipped_network() -> MetaSRGAN:
    """Load Meta-SRGAN with the weights that are shipped, in eval mode."""
    return cast("MetaSRGAN", load_network("meta-srgan")[0].eval())


def published_work(image: Tensor, grid: OutputGrid) -> Callable[[], Tensor]:
    """Return the upsampling of an image (1, 1, h, w) as published, to be timed.

    Its features are there already.
    """
    network = shipped_network()
    with torch.inference_mode():
        features = network.trunk(image)

    def work() -> Tensor:
        with torch.inference_mode():
            return published_upscale(network, features, grid)

    return work
