"""What the loop asks of a task; the loop knows neither patches nor boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from metasr_training.datasets.split_files import Patient
    from metasr_training.stage import Stage

BatchT = TypeVar("BatchT")


@dataclass(frozen=True)
class StepResult:
    """What a network made of a batch.

    Attributes
    ----------
    losses
        Every loss that the stage asks for, but for the adversarial one, unweighted.
    made, real
        What a critic is shown: (batch, 1, H, W) in 0..1; None where there is no game.
    """

    losses: dict[str, Tensor]
    made: Tensor | None = None
    real: Tensor | None = None


@dataclass(frozen=True)
class Validation:
    """How good a network is.

    Attributes
    ----------
    score
        The larger the better; decides which weights are the best.
    values
        For the log, by name.
    images
        For the log, by name: (rows, columns), 0..1.
    """

    score: float
    values: dict[str, float]
    images: dict[str, NDArray[Any]] = field(default_factory=dict)


class Task(Protocol[BatchT]):
    """What is trained for, with its data."""

    def updates_per_epoch(self, domain: str) -> int:
        """Return the number of batches in an epoch."""

    def draw(self, update: int, domain: str, rank: int, ranks: int) -> BatchT:
        """Draw the batch of an update, or a process's part of it; depends on nothing else."""

    def forward(self, network: nn.Module, batch: BatchT, device: torch.device) -> object:
        """Run the network on a batch's images and no more."""

    def evaluate(
        self, network: nn.Module, batch: BatchT, stage: Stage, device: torch.device
    ) -> StepResult:
        """Run the network and compute the stage's losses."""

    def validate(self, network: nn.Module, device: torch.device) -> Validation:
        """Measure a network in eval mode on the validation data."""

    def state(self) -> Mapping[str, Any]:
        """Return the state that is saved with the weights."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state`` gave when the weights were saved."""

    def patients(self) -> dict[str, set[Patient]]:
        """Return source and patient of the MRI slices that ``train`` and validate (``val``)."""

    def about(self) -> dict[str, Any]:
        """Describe the data and the losses for ``config.json``."""
