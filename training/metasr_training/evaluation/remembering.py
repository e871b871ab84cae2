"""Networks that look at the same image once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def remembering(network: nn.Module) -> nn.Module:
    """A network that answers what it has been asked before from memory, for evaluations.

    Detections of a slice are read at many operating points; the network looks once. The network
    itself is changed and returned, so that it stays of its class.
    """
    look, known = network.forward, {}

    def forward(image: Tensor) -> Tensor:
        content = image.detach().cpu().numpy().tobytes()
        key = (tuple(image.shape), hashlib.blake2b(content).digest())
        if key not in known:
            known[key] = look(image)
        return known[key]

    network.forward = forward
    return network
