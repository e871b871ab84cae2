"""Lesion detection: slices of any size to the tumour's box, and whether there is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from metasr_training.datasets.detection import DetectionBatch, DetectionSampler
from metasr_training.overlap import ACCEPTABLE, coverage_and_iou
from metasr_training.tasks.base import Outcome, Validation

if TYPE_CHECKING:
    from torch import Tensor, nn

    from metasr_training.datasets.slices import Slice
    from metasr_training.recipe import Stage, TrainConfig

VALIDATION_SEED = 20_180_209


def box_loss(found: Tensor, boxes: Tensor, present: Tensor) -> Tensor:
    """LD's L2 loss (Zhu, Yang, Lio 2018, sec. 2.2): squared errors of the box and of the score.

    ``mean_i present_i |box_i - truth_i|^2 + mean_i (score_i - present_i)^2``: a slice without a
    tumour has no box to be wrong about.

    Parameters
    ----------
    found
        (batch, 5): top, left, bottom, right, score.
    boxes, present
        (batch, 4) and (batch,), see ``DetectionBatch``.
    """
    found = found.float()
    error = (found[:, :4] - boxes).square().sum(1)
    return (present * error).mean() + (found[:, 4] - present).square().mean()


class Detection:
    """Trains the lesion detector.

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
        still = config.detection.model_copy(update={"turn": 0.0, "zoom": 0.0, "shift": 0.0})
        judge = DetectionSampler(validation, still, seed=VALIDATION_SEED)
        self.judged = [judge.draw(index) for index in range(config.validation_batches)]

    def updates_per_epoch(self, domain: str) -> int:
        """Batches with as many slices as there are."""
        return self.sampler.updates_per_epoch

    def draw(self, update: int, domain: str, rank: int, ranks: int) -> DetectionBatch:
        """The batch of an update, or a process's part of it."""
        return self.sampler.draw(update, rank=rank, ranks=ranks)

    def evaluate(
        self, network: nn.Module, batch: DetectionBatch, stage: Stage, device: torch.device
    ) -> Outcome:
        """Find boxes and compute the loss."""
        found = network(batch.images.to(device).contiguous(memory_format=torch.channels_last))
        return Outcome({"box": box_loss(found, batch.boxes.to(device), batch.present.to(device))})

    @torch.inference_mode()
    def validate(self, network: nn.Module, device: torch.device) -> Validation:
        """Intersection over union and acceptable boxes; how often tumours are told from none."""
        found = torch.cat([network(one.images.to(device)).float().cpu() for one in self.judged])
        boxes = torch.cat([one.boxes for one in self.judged])
        present = torch.cat([one.present for one in self.judged]) > 0
        covered, iou = coverage_and_iou(found[present].numpy(), boxes[present].numpy())
        told = (found[:, 4] > 1 / 2) == present
        loss = box_loss(found, boxes, present.float()).item()
        values = {
            "val/loss": loss,
            "val/iou": float(iou.mean()),
            "val/acceptable": float((covered >= ACCEPTABLE).mean()),
            "val/told": told.float().mean().item(),
        }
        return Validation(-loss, values)

    def state(self) -> dict[str, Any]:
        """Nothing besides the weights."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing besides the weights."""

    def about(self) -> dict[str, Any]:
        """Slices of each source, and how many have a tumour."""
        slices = [*self.sampler.with_tumour, *self.sampler.without]
        return {
            "images": dict(Counter(one.source for one in slices)),
            "with_tumour": len(self.sampler.with_tumour),
            "without": len(self.sampler.without),
            "updates_per_epoch": {"mri": self.sampler.updates_per_epoch},
        }
