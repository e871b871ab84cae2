"""The configuration of one run: everything that decides its outcome."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from metasr_training.condition import Condition
from metasr_training.datasets.detection import DetectionConfig
from metasr_training.datasets.pair_config import PairConfig
from metasr_training.perceptual import PerceptualConfig
from metasr_training.stage import Stage
from napari_metasr.zoom.engine import Precision

Decay = Annotated[float, Field(ge=0, lt=1)]
"""Of a running mean, an update."""


class Training(BaseModel, extra="forbid", frozen=True):
    """What a recipe and a run have in common.

    Attributes
    ----------
    network, options
        Name among ``napari_metasr.networks.BUILDERS``, and what its builder is given.
    pairs
        How batches of low- and high-resolution patches are drawn (super-resolution).
    detection
        How batches of slices, boxes and masks are drawn (the lesion detectors).
    stages
        The schedule.
    interpolating_start
        Whether new weights are such that the generator begins as interpolation, which spares a
        short schedule its first thousand updates.
    betas
        Adam's, each from 0 to below 1.
    kernel_share
        Learning rate of the layer of Meta-SRGAN that predicts kernels, as a share of the others':
        every output pixel is a sum over all of its 147,456 weights, which Adam moves alike.
    largest_gradient
        Norm that the generator's gradient is clipped to; 0 leaves it as it is.
    average
        Decay, an update, that the running average of the weights rises to; the average or the
        weights themselves are kept, whichever validates better. 0 for no average.
    fixed_statistics
        Whether batch normalisation keeps the statistics that it begins with, so that what is
        trained is what is folded into convolutions later. For weights that go on.
    perceptual
        What the perceptual loss looks through.
    precision
        Of convolutions: ``bfloat16``, ``float32``, or the quicker one on the machine (``auto``).
    log_every, validate_every, checkpoint_every
        In updates.
    validation_batches
        How many batches of validation patches are looked at.
    slices_per_source
        How many slices of each data set are taken, evenly spread over its patients; 0 for all.
    share
        Of a budget, relative to the experiment's other networks.
    shipped
        Model whose weights it begins with: a shipped one, one of the user, or the path of one.
    contrasts
        Whether the data sets of ``contrasts/`` are trained and validated on as well.
    """

    network: str
    options: dict[str, Any] = Field(default_factory=dict)
    pairs: PairConfig | None = None
    detection: DetectionConfig | None = None
    stages: tuple[Stage, ...] = Field(min_length=1)
    interpolating_start: bool = False
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    kernel_share: float = Field(1.0, gt=0, le=1)
    largest_gradient: float = Field(0.0, ge=0)
    average: float = Field(0.0, ge=0, lt=1)
    fixed_statistics: bool = False
    perceptual: PerceptualConfig = PerceptualConfig()
    precision: Precision | Literal["auto"] = "auto"
    log_every: int = Field(100, ge=1)
    validate_every: int = Field(2000, ge=1)
    checkpoint_every: int = Field(500, ge=1)
    validation_batches: int = Field(12, ge=1)
    slices_per_source: int = Field(0, ge=0)
    share: float = Field(1.0, gt=0)
    shipped: str | None = None
    contrasts: bool = False

    @property
    def batch(self) -> int:
        """Patches or slices a batch."""
        drawing = self.pairs or self.detection
        return drawing.batch if drawing else 0

    @model_validator(mode="after")
    def _one_task(self) -> Training:
        if (self.pairs is None) == (self.detection is None):
            raise ValueError("a recipe draws either pairs or detection batches")
        return self


class TrainConfig(Training, frozen=True):
    """One run: everything that decides its outcome.

    Attributes
    ----------
    name
        Of the trained network and of its folder.
    recipe, preset, seed
        What it came from.
    condition
        What its low-resolution images went through, where the network is for one scale.
    start
        Name of the trained network whose weights it begins with.
    budget
        Seconds, if the schedule is to follow the clock: whichever of updates and budget is used
        up more decides the learning rate, the stage and the end.
    """

    name: str
    recipe: str
    preset: str
    seed: int = 0
    condition: Condition | None = None
    start: str | None = None
    budget: float | None = Field(None, gt=0)
