"""The time that work takes: the median of several runs, once it is warmed up."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


def run_times(
    work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the seconds of each of several runs, by a clock, after one that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        started = clock()
        work()
        times.append(clock() - started)
    return times


def median_seconds(
    work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the median seconds of several runs, by a clock, after one that is not counted."""
    return statistics.median(run_times(work, repeats, clock))


def wait_for(device: torch.device) -> None:
    """Wait until an accelerator has done what it was given; a CPU has done it at once."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()
