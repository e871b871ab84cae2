"""Super-resolution: low-resolution patches to the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from metasr_training.datasets.batch import Batch
from metasr_training.datasets.pairs import PairSampler
from metasr_training.datasets.statistics import crop_statistics, mean_and_std
from metasr_training.generators import super_resolve
from metasr_training.losses import halved, l1_loss, mse_loss, perceptual_loss
from metasr_training.tasks.base import StepResult, Validation

if TYPE_CHECKING:
    from torch import Tensor, nn

    from metasr_training.datasets.pair_config import PairConfig
    from metasr_training.datasets.slices import Slice
    from metasr_training.datasets.split_files import Patient
    from metasr_training.perceptual import Features
    from metasr_training.stage import Stage
    from metasr_training.train_config import TrainConfig
    from napari_metasr.geometry.windows import Window

STATISTICS_BATCHES = 32
VALIDATION_SEED = 20_200_605
SHOWN = 4


class SuperResolution:
    """Trains a generator.

    The network sees and gives intensities less the training windows' mean, over their standard
    deviation (0.370 and 0.117 in Tan, Zhu, Lio 2020); pixel losses are taken there, the
    perceptual and the adversarial one on 0..1.

    Parameters
    ----------
    config
        The run; ``config.pairs`` says how batches are drawn.
    training
        Slices of each domain that the stages ask for.
    validation
        Slices of other patients.
    boxes
        The regions of interest that ``roi`` windows are centred on, by the slices' keys.
    features
        What the perceptual loss looks through, and its name.
    """

    def __init__(
        self,
        config: TrainConfig,
        training: Mapping[str, list[Slice]],
        validation: list[Slice],
        *,
        boxes: Mapping[tuple[str, str, str], Window] | None = None,
        features: tuple[Features, str] | None = None,
    ) -> None:
        if config.pairs is None:
            raise ValueError(f"{config.name} draws no pairs")
        pairs = config.pairs
        halves = any("mse-x2" in stage.losses for stage in config.stages)
        self.samplers = {
            domain: PairSampler(
                slices,
                pairs if domain == "mri" else pairs.model_copy(update={"sources": {}}),
                seed=config.seed,
                boxes=boxes,
                halves=halves,
            )
            for domain, slices in training.items()
        }
        judge = PairSampler(validation, pairs, seed=VALIDATION_SEED, boxes=boxes)
        self.judged_patients = judge.patients
        self.judged = [judge.draw(index) for index in range(config.validation_batches)]
        self.mean, self.std = (0.0, 1.0)
        if pairs.standardise:
            self.mean, self.std = self._statistics(pairs, training["mri"])
        self.features = features[0] if features else None
        self.perceptual = features[1] if features else ""

    def _statistics(self, pairs: PairConfig, slices: list[Slice]) -> tuple[float, float]:
        """Compute mean and standard deviation of training crops, or of patches without crops."""
        if pairs.windows == "crop":
            return crop_statistics(slices, pairs.crop)
        sampler = self.samplers["mri"]
        return mean_and_std(
            sampler.draw(index).truth.numpy() for index in range(STATISTICS_BATCHES)
        )

    def updates_per_epoch(self, domain: str) -> int:
        """Return the number of batches in which every image of the domain gives its patches."""
        return self.samplers[domain].updates_per_epoch

    def draw(self, update: int, domain: str, rank: int, ranks: int) -> Batch:
        """Draw the batch of an update, or a process's part of it."""
        return self.samplers[domain].draw(update, rank=rank, ranks=ranks)

    def forward(self, network: nn.Module, batch: Batch, device: torch.device) -> list[Tensor]:
        """Upscale a batch, standardised: the coarser outputs first, the batch's scale last."""
        standard = (batch.low_resolution.to(device) - self.mean) / self.std
        standard = standard.contiguous(memory_format=torch.channels_last)
        code = None if batch.code is None else batch.code.to(device)
        outputs = super_resolve(network, standard, batch.grid, batch.pixels, batch.origin, code)
        return [one.float() for one in outputs]

    def evaluate(
        self, network: nn.Module, batch: Batch, stage: Stage, device: torch.device
    ) -> StepResult:
        """Upscale the batch and compute the stage's losses."""
        outputs = self.forward(network, batch, device)
        output = outputs[-1]
        real = batch.truth.to(device)
        truth = (real - self.mean) / self.std
        shown = (output * self.std + self.mean).clamp(0, 1)
        real = real.clamp(0, 1)
        losses: dict[str, Tensor] = {}
        if "l1" in stage.losses:
            losses["l1"] = l1_loss(output, truth)
        if "mse" in stage.losses:
            losses["mse"] = mse_loss(output, truth)
        if "mse-x2" in stage.losses:
            losses["mse-x2"] = self._mse_x2(outputs, truth, batch)
        if "perceptual" in stage.losses and self.features is not None:
            losses["perceptual"] = perceptual_loss(self.features, shown, real)
        return StepResult(losses, shown, real)

    def _mse_x2(self, outputs: list[Tensor], truth: Tensor, batch: Batch) -> Tensor:
        """Compare the x2 output with the slice reduced by 2; without one, the halved patches."""
        if len(outputs) > 1 and batch.half is not None:
            half = (batch.half.to(truth.device) - self.mean) / self.std
            return mse_loss(outputs[0], half)
        return mse_loss(halved(outputs[-1]), halved(truth))

    @torch.inference_mode()
    def validate(self, network: nn.Module, device: torch.device) -> Validation:
        """Compute the mean PSNR in dB over the validation patches (0..1), and bicubic's."""
        ours, theirs = [], []
        for batch in self.judged:
            output = self.forward(network, batch, device)[-1].cpu() * self.std + self.mean
            ours.append(_psnr(output, batch.truth))
            theirs.append(_psnr(batch.bicubic(), batch.truth))
        psnr, bicubic = (float(torch.cat(found).mean()) for found in (ours, theirs))
        first = self.judged[0]
        panels = [first.bicubic(), self.forward(network, first, device)[-1].cpu(), first.truth]
        panels[1] = panels[1] * self.std + self.mean
        rows = [
            torch.cat([panel[i, 0] for panel in panels], dim=1) for i in range(len(first.truth))
        ]
        return Validation(
            psnr,
            {"val/psnr": psnr, "val/psnr_bicubic": bicubic, "val/gain": psnr - bicubic},
            {"bicubic, network, truth": torch.cat(rows[:SHOWN]).clamp(0, 1).numpy()},
        )

    def state(self) -> dict[str, Any]:
        """Return the standardisation's mean and standard deviation."""
        return {"standardisation": [self.mean, self.std]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over a standardisation."""
        self.mean, self.std = state["standardisation"]

    def patients(self) -> dict[str, set[Patient]]:
        """Return source and patient of the MRI slices that ``train`` and validate (``val``)."""
        return {"train": self.samplers["mri"].patients, "val": self.judged_patients}

    def about(self) -> dict[str, Any]:
        """Describe mean and standard deviation, images of each source, and perceptual features."""
        images: dict[str, int] = {}
        for sampler in self.samplers.values():
            for one in sampler.canvases:
                images[one.source] = images.get(one.source, 0) + 1
        epochs = {domain: self.updates_per_epoch(domain) for domain in self.samplers}
        return {
            "mean": self.mean,
            "std": self.std,
            "images": images,
            "updates_per_epoch": epochs,
            "perceptual": self.perceptual,
        }


def _psnr(output: Tensor, truth: Tensor) -> Tensor:
    """Compute the PSNR of each image of a batch, data range 1."""
    error = (output.clamp(0, 1) - truth.clamp(0, 1)).square().flatten(1).mean(1)
    return -10 * error.clamp_min(1e-10).log10()
