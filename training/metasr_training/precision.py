"""The precision that convolutions are trained in: as asked for, or the quicker one here."""

from __future__ import annotations

import logging
import time
from functools import cache
from statistics import median
from typing import TYPE_CHECKING

import torch
from torch import nn

from metasr_training.distributed import World

if TYPE_CHECKING:
    from metasr_training.train_config import TrainConfig
    from napari_metasr.zoom.engine import Precision

log = logging.getLogger(__name__)

FEATURES, SIDE, BATCH = 64, 48, 4
"""Of the convolution that is timed: as most layers of the papers' generators on a small patch."""
REPEATS = 5
WORTH = 0.9
"""bfloat16 is taken where it needs at most this share of float32's time."""


def seconds(precision: Precision, device: str) -> float:
    """Time one convolution, forward and backward, in a precision: the median of a few."""
    convolution = nn.Conv2d(FEATURES, FEATURES, 3, padding=1, device=device)
    batch = torch.zeros(BATCH, FEATURES, SIDE, SIDE, device=device, requires_grad=True)
    kind = torch.device(device).type
    taken = []
    for _ in range(1 + REPEATS):
        started = time.perf_counter()
        with torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16"):
            made = convolution(batch)
        (slope,) = torch.autograd.grad(made.float().mean(), batch)
        slope.sum().item()  # waits for the device
        taken.append(time.perf_counter() - started)
    return median(taken[1:])


@cache
def quickest(device: str) -> Precision:
    """Return the precision in which convolutions train faster on this machine's device.

    Processors without matrix units for bfloat16, such as Intel's AMX, are quicker in float32.
    """
    reduced, full = seconds("bfloat16", device), seconds("float32", device)
    found: Precision = "bfloat16" if reduced <= WORTH * full else "float32"
    log.info(
        "convolutions train in %s: bfloat16 takes %.2f of float32's time", found, reduced / full
    )
    return found


def settled(config: TrainConfig, device: str, world: World = World()) -> TrainConfig:
    """Return a configuration that says which precision it is trained in.

    Parameters
    ----------
    config
        Of a run; one whose precision is not ``auto`` comes back as it is.
    device
        Where it is trained.
    world
        The processes that train together; all follow the first.
    """
    if config.precision != "auto":
        return config
    reduced = world.first and quickest(device) == "bfloat16"
    precision = "bfloat16" if world.agree(float(reduced)) else "float32"
    return config.model_copy(update={"precision": precision})
