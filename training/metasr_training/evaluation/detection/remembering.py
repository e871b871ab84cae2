"""Networks that look at the same image once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def remembering(network: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Wrap a network so that it answers repeated images from memory, for evaluations.

    Detections of a slice are read at many operating points; the network looks once.
    """
    known: dict[tuple[tuple[int, ...], bytes], Tensor] = {}

    def answer(image: Tensor) -> Tensor:
        content = image.detach().cpu().numpy().tobytes()
        key = (tuple(image.shape), hashlib.blake2b(content).digest())
        if key not in known:
            known[key] = network(image)
        return known[key]

    return answer
