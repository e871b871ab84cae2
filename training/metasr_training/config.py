"""What a run is: everything that decides its outcome."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from metasr_training.datasets.patches import PatchConfig


class TrainConfig(BaseModel, extra="forbid", frozen=True):
    """One training run of Meta-SRGAN with L1 loss and Adam.

    Attributes
    ----------
    network
        Name among ``napari_metasr.networks.BUILDERS``.
    patches
        How batches are drawn.
    learning_rate
        Adam's, at the start; it falls to ``final_share`` of that along half a cosine.
    kernel_share
        Learning rate of the layer that predicts kernels, as a share of the others': every output
        pixel is a sum over all of its 147,456 weights, which Adam moves alike.
    warm_up
        Updates over which the learning rate rises from nothing.
    updates
        Length of the schedule.
    budget
        Seconds of training, if the schedule is to follow the clock: whichever of updates and
        budget is used up more decides the learning rate and the end.
    largest_gradient
        Norm that the gradient is clipped to.
    average
        Decay, an update, of the running average of the weights that is validated and shipped.
    precision
        ``bfloat16`` for the convolutions, or ``float32``.
    validate_every, checkpoint_every, log_every
        In updates.
    validation_slices
        Slices of each source that validation looks at.
    seed
        Of weights and of batches.
    """

    network: str = "meta-srgan"
    patches: PatchConfig = PatchConfig()
    learning_rate: float = Field(4e-4, gt=0)
    final_share: float = Field(0.01, ge=0, le=1)
    kernel_share: float = Field(0.02, gt=0, le=1)
    warm_up: int = Field(200, ge=1)
    updates: int = Field(360_000, ge=1)
    budget: float | None = Field(None, gt=0)
    largest_gradient: float = Field(0.5, gt=0)
    average: float = Field(0.999, ge=0, lt=1)
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    validate_every: int = Field(2000, ge=1)
    checkpoint_every: int = Field(500, ge=1)
    log_every: int = Field(100, ge=1)
    validation_slices: int = Field(6, ge=1)
    seed: int = 0
