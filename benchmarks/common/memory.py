"""The memory of this process: what it holds, and the most that it has held."""

from __future__ import annotations

import math
from pathlib import Path

import psutil
import torch

from metasr_training import memory

STATUS = Path("/proc/self/status")
FORGET_PEAK = "5"
"""What Linux wants to be written to ``clear_refs``."""


def resident_mib() -> float:
    """Return what the process holds in memory now, in MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def peak_mib(device: str = "cpu") -> float:
    """Return the most that the process has held in memory, its own or a device's, in MiB.

    On Linux as its status says: the peak of ``getrusage`` counts that of the process which started
    this one, too. NaN where it is not available.
    """
    where = torch.device(device)
    if where.type == "cpu" and STATUS.exists():
        return int(STATUS.read_text().split("VmHWM:")[1].split()[0]) / 1024
    found = memory.peak_mib(where)
    return math.nan if found is None else found


def forget_peak() -> None:
    """Let the peak begin again from what the process holds now; on Linux alone.

    Raises
    ------
    OSError
        On another system.
    """
    Path("/proc/self/clear_refs").write_text(FORGET_PEAK)
