"""The most memory that a process has held."""

from __future__ import annotations

import sys

import torch


def peak_mib(device: torch.device) -> int | None:
    """Return the peak in MiB, of the accelerator or the process; None if it is not available."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) >> 20
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10
