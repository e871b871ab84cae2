"""What evaluates the re-associated upscaler: several kernels, one interface, one result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.networks.meta_upscale import upscale_in_row_blocks
from napari_metasr.zoom.kernels.compiled import upscale_compiled

if TYPE_CHECKING:
    from napari_metasr.networks.meta_upscale import UpscaleKernel

KERNELS: dict[str, UpscaleKernel] = {
    "compiled": upscale_compiled,
    "torch": upscale_in_row_blocks,
}


def kernel_for(device_type: str) -> UpscaleKernel:
    """Return the fastest kernel for a torch device type such as ``cpu`` or ``cuda``."""
    return KERNELS["compiled" if device_type == "cpu" else "torch"]


__all__ = ["KERNELS", "kernel_for", "upscale_compiled", "upscale_in_row_blocks"]
