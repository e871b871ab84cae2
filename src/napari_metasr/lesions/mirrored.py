"""Asking a network about a slice and its mirror images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

MIRRORS: tuple[tuple[int, ...], ...] = ((), (2,), (3,), (2, 3))
SURE = 1e-6


def mirrored(network: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Ask a network four times: as it is, upside down, left for right, and both.

    Parameters
    ----------
    network
        Images (batch, 1, h, w) to logits of a map (batch, 1, m, n).

    Returns
    -------
    Callable
        The same images to logits of the mean of the four probabilities, each in its place.
    """

    def answer(images: Tensor) -> Tensor:
        shown = torch.cat([images.flip(axes) for axes in MIRRORS])
        answers = network(shown.contiguous(memory_format=torch.channels_last)).float().sigmoid()
        places = zip(answers.chunk(len(MIRRORS)), MIRRORS, strict=True)
        return torch.stack([one.flip(axes) for one, axes in places]).mean(0).logit(SURE)

    return answer
