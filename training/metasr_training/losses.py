"""Losses: pure functions of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def l1_loss(output: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error (Tan, Zhu, Lio 2020, eq. 3, with the mean over all values)."""
    return (output - truth).abs().mean()
