"""An update of a network's weights, as training makes it, and its time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from common.timing import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

PRECISIONS = ("bfloat16", "float32")


def update_seconds(
    forward: Callable[[], Tensor],
    truth: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    optimiser: torch.optim.Optimizer,
    precision: str,
) -> float:
    """Make one update, forward and backward; return the seconds until the device has done it.

    Parameters
    ----------
    forward
        Computes the network's output; convolutions and products in the precision.
    truth
        What the loss compares it with, on the network's device.
    loss
        Output, in float32, and truth to a scalar.
    optimiser
        Of the network's parameters.
    precision
        Among `PRECISIONS`.
    """
    started = time.perf_counter()
    with torch.autocast(truth.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        output = forward()
    optimiser.zero_grad(set_to_none=True)
    loss(output.float(), truth).backward()
    optimiser.step()
    wait_for(truth.device)
    return time.perf_counter() - started
