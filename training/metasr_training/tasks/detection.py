"""Lesion detection: slices of any size to the tumour's box or map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from metasr_training.datasets.detection import DetectionBatch, DetectionSampler
from metasr_training.losses import box_loss, cross_entropy_loss, dice_loss
from metasr_training.overlap import ACCEPTABLE, coverage_and_iou
from metasr_training.tasks.base import StepResult, Validation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from metasr_training.datasets.slices import Slice
    from metasr_training.datasets.split_files import Patient
    from metasr_training.stage import Stage
    from metasr_training.train_config import TrainConfig

VALIDATION_SEED = 20_180_209

STILL = {"turn": 0.0, "zoom": 0.0, "shift": 0.0, "gain": 0.0, "gamma": 0.0}


class Boxes:
    """What LD gives: (batch, 5), one box a slice and its score."""

    @staticmethod
    def losses(found: Tensor, batch: DetectionBatch) -> dict[str, Tensor]:
        """Compute the L2 loss of boxes and scores."""
        return {"box": box_loss(found, batch.boxes, batch.present)}

    @staticmethod
    def scores(found: Tensor) -> Tensor:
        """Return the score of each slice."""
        return found[:, 4]

    @staticmethod
    def judge(found: Tensor, batch: DetectionBatch) -> dict[str, NDArray[Any]]:
        """Overlap with the true boxes, of the slices with a tumour."""
        present = batch.present > 0
        covered, iou = coverage_and_iou(found[present].numpy(), batch.boxes[present].numpy())
        return {"iou": iou, "acceptable": covered >= ACCEPTABLE}


class Masks:
    """What LD+ gives: logits (batch, 1, m, n), the tumour's map."""

    @staticmethod
    def truth(found: Tensor, batch: DetectionBatch) -> Tensor:
        """Reduce the mask to the map's grid: 1 in every cell that contains any tumour."""
        return functional.adaptive_max_pool2d(batch.masks, found.shape[2:])

    @classmethod
    def losses(cls, found: Tensor, batch: DetectionBatch) -> dict[str, Tensor]:
        """Compute cross-entropy and Dice, of which a stage weights those that it names."""
        truth = cls.truth(found, batch)
        return {
            "cross-entropy": cross_entropy_loss(found, truth),
            "dice": dice_loss(found, truth),
        }

    @staticmethod
    def scores(found: Tensor) -> Tensor:
        """Return the score of each slice: the map's highest value."""
        return found.amax((1, 2, 3)).sigmoid()

    @classmethod
    def judge(cls, found: Tensor, batch: DetectionBatch) -> dict[str, NDArray[Any]]:
        """Overlap with the true masks, of the slices with a tumour."""
        present = batch.present > 0
        truth = cls.truth(found, batch)[present] > 0
        taken = found[present] > 0
        shared = (taken & truth).sum((1, 2, 3))
        union = (taken | truth).sum((1, 2, 3))
        covered = shared / truth.sum((1, 2, 3))
        return {"iou": (shared / union).numpy(), "acceptable": (covered >= ACCEPTABLE).numpy()}


GOALS: dict[str, type[Boxes | Masks]] = {"box": Boxes, "cross-entropy": Masks, "dice": Masks}
"""What a network is to give, by the losses that train it."""


class Detection:
    """Trains the lesion detectors.

    Parameters
    ----------
    config
        The run; ``config.detection`` says how batches are drawn.
    training, validation
        Slices with masks, of different patients.
    """

    def __init__(
        self, config: TrainConfig, training: Mapping[str, list[Slice]], validation: list[Slice]
    ) -> None:
        if config.detection is None:
            raise ValueError(f"{config.name} detects nothing")
        self.sampler = DetectionSampler(training["mri"], config.detection, seed=config.seed)
        still = config.detection.model_copy(update=STILL)
        judge = DetectionSampler(validation, still, seed=VALIDATION_SEED)
        self.judged_patients = judge.patients
        self.judged = [judge.draw(index) for index in range(config.validation_batches)]
        self.weights = config.stages[-1].losses
        self.goal = GOALS[next(iter(self.weights))]

    def updates_per_epoch(self, domain: str) -> int:
        """Return the number of batches that together have as many slices as there are."""
        return self.sampler.updates_per_epoch

    def draw(self, update: int, domain: str, rank: int, ranks: int) -> DetectionBatch:
        """Draw the batch of an update, or a process's part of it."""
        return self.sampler.draw(update, rank=rank, ranks=ranks)

    def forward(self, network: nn.Module, batch: DetectionBatch, device: torch.device) -> Tensor:
        """Run the network on a batch's images: boxes and scores, or maps."""
        found: Tensor = network(
            batch.images.to(device).contiguous(memory_format=torch.channels_last)
        )
        return found

    def evaluate(
        self, network: nn.Module, batch: DetectionBatch, stage: Stage, device: torch.device
    ) -> StepResult:
        """Look for tumours and compute the losses."""
        found = self.forward(network, batch, device)
        losses = self.goal.losses(found, batch.to(device))
        return StepResult({name: losses[name] for name in stage.losses})

    @torch.inference_mode()
    def validate(self, network: nn.Module, device: torch.device) -> Validation:
        """Overlap with the tumours, and how often tumours are told from none."""
        collected: dict[str, list[NDArray[Any]]] = {}
        for batch in self.judged:
            found = network(batch.images.to(device)).float().cpu()
            losses = self.goal.losses(found, batch)
            values = {
                "loss": np.array([sum(losses[k].item() * w for k, w in self.weights.items())]),
                "told": ((self.goal.scores(found) > 1 / 2) == (batch.present > 0)).numpy(),
                **self.goal.judge(found, batch),
            }
            for name, value in values.items():
                collected.setdefault(name, []).append(value)
        means = {f"val/{name}": float(np.concatenate(v).mean()) for name, v in collected.items()}
        return Validation(-means["val/loss"], means)

    def state(self) -> dict[str, Any]:
        """Return nothing; there is no state besides the weights."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Load nothing; there is no state besides the weights."""

    def patients(self) -> dict[str, set[Patient]]:
        """Return source and patient of the slices that ``train`` and validate (``val``)."""
        return {"train": self.sampler.patients, "val": self.judged_patients}

    def about(self) -> dict[str, Any]:
        """Count the slices of each source, and those with and without a tumour."""
        slices = [*self.sampler.with_tumour, *self.sampler.without]
        return {
            "images": dict(Counter(one.source for one in slices)),
            "with_tumour": len(self.sampler.with_tumour),
            "without": len(self.sampler.without),
            "updates_per_epoch": {"mri": self.sampler.updates_per_epoch},
        }
