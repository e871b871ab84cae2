"""Data-parallel training: several processes, each with a part of every batch."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import distributed

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class World:
    """The processes that train together.

    Attributes
    ----------
    rank
        Of this process, from 0.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and prints."""
        return self.rank == 0

    def average(self, value: Tensor) -> Tensor:
        """Average a tensor over all processes; the tensor itself may be overwritten."""
        if self.size == 1:
            return value
        shared = value.cuda() if distributed.get_backend() == "nccl" else value
        distributed.all_reduce(shared)
        shared /= self.size
        return shared

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes.

        With losses that are means over equal parts of a batch this is the gradient of the loss on
        the whole batch.
        """
        if self.size > 1:
            gradients = [one.grad for one in parameters if one.grad is not None]
            flat = self.average(torch.cat([one.flatten() for one in gradients]))
            for gradient, part in zip(
                gradients, flat.split([one.numel() for one in gradients]), strict=True
            ):
                gradient.copy_(part.view_as(gradient))

    def agree(self, value: float) -> float:
        """Return the first process's value in every process."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64)
        if distributed.get_backend() == "nccl":
            shared = shared.cuda()
        distributed.broadcast(shared, 0)
        return float(shared)

    def close(self) -> None:
        """Leave the others."""
        if self.size > 1:
            distributed.destroy_process_group()


def join(device: str) -> World:
    """Join the processes that ``torchrun`` started, if it did; NCCL on CUDA, else gloo."""
    if "RANK" not in os.environ:
        return World()
    accelerated = device.startswith("cuda")
    if accelerated:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if accelerated else "gloo")
    return World(distributed.get_rank(), distributed.get_world_size())
