"""The most memory that a process has held."""

from __future__ import annotations

import sys

import torch


def peak_mib(device: torch.device) -> int | None:
    """In MiB: on the accelerator, or in all; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) >> 20
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10
