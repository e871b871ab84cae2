"""What evaluates the re-associated upscaler: several kernels, one interface, one result."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

import torch

from napari_metasr.networks.meta_upscale import upscale_in_row_blocks
from napari_metasr.zoom.kernels.compiled import upscale_compiled

if TYPE_CHECKING:
    from napari_metasr.networks.meta_upscale import UpscaleKernel

KERNELS: dict[str, UpscaleKernel] = {
    "compiled": upscale_compiled,
    "torch": upscale_in_row_blocks,
}
"""Those that run everywhere."""

AGREEMENT = 1e-5
"""How far results may be apart, as a share of the largest value."""

log = logging.getLogger(__name__)


def kernel_for(device_type: str) -> UpscaleKernel:
    """Return the fastest kernel that works for a torch device type such as ``cpu`` or ``cuda``.

    The compiled kernel on the CPU; on CUDA the fused one where it works, see ``fused_kernel``;
    plain torch everywhere else.
    """
    if device_type == "cpu":
        return upscale_compiled
    fused = fused_kernel(device_type) if device_type == "cuda" else None
    return fused or upscale_in_row_blocks


@cache
def fused_kernel(device_type: str) -> UpscaleKernel | None:
    """Return the fused kernel if Triton is there, compiles it and agrees with plain torch.

    Tried once for a device, with gradients, on a few pixels. PyTorch's CUDA builds for Linux
    bring Triton with them; what it needs beside (a C compiler, a driver it knows) may be missing.
    """
    try:
        from napari_metasr.zoom.kernels.fused import upscale_fused

        with torch.inference_mode(False), torch.enable_grad():
            _check(upscale_fused, device_type)
    except Exception as error:  # a compiler raises what it likes
        log.info("plain torch renders on %s, since Triton cannot: %r", device_type, error)
        return None
    return upscale_fused


def _check(kernel: UpscaleKernel, device_type: str) -> None:
    """Compare a kernel with plain torch: 5 x 4 output pixels of 3 x 2 cells, 6 hidden units.

    Raises
    ------
    ArithmeticError
        If results or gradients differ.
    """
    cells = [torch.tensor(one, device=device_type) for one in ([0, 0, 1, 2, 2], [0, 0, 1, 1])]
    random = torch.Generator().manual_seed(0)
    found = []
    leaves = [torch.randn(shape, generator=random) for shape in ((2, 3, 2, 7), (5, 6), (4, 6))]
    for one in (kernel, upscale_in_row_blocks):
        inputs = [leaf.to(device_type).requires_grad_() for leaf in leaves]
        result = one(*inputs, *cells)
        found.append([result, *torch.autograd.grad(result.square().sum(), inputs)])
    for ours, reference in zip(*found, strict=True):
        if not (ours - reference).abs().max() <= AGREEMENT * reference.abs().max():
            raise ArithmeticError("its results differ from those of plain torch")


__all__ = ["KERNELS", "fused_kernel", "kernel_for", "upscale_compiled", "upscale_in_row_blocks"]
