"""A recipe: how one network is trained."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from metasr_training.datasets.detection import DetectionConfig
from metasr_training.datasets.pairs import PairConfig
from metasr_training.perceptual import PerceptualConfig

PRESETS = ("paper", "workstation", "laptop", "smoke")

LossName = Literal[
    "l1", "mse", "mse-x2", "perceptual", "adversarial", "box", "cross-entropy", "dice"
]


class Condition(BaseModel, extra="forbid", frozen=True):
    """What a low-resolution image went through.

    Attributes
    ----------
    scale
        Of both axes.
    degradation
        A name among ``napari_metasr.degradations.DEGRADATIONS``.
    noise
        Standard deviation, per component, of the complex white noise added in k-space, on the
        0..255 scale.
    """

    scale: float = Field(2, ge=1)
    degradation: str = "bicubic"
    noise: float = Field(0, ge=0)

    @property
    def name(self) -> str:
        """``x2``, ``x4-noise20``, ``x2-k-space``."""
        parts = [f"x{self.scale:g}"]
        parts += [self.degradation] if self.degradation != "bicubic" else []
        parts += [f"noise{self.noise:g}"] if self.noise else []
        return "-".join(parts)


class RateRule(BaseModel, extra="forbid", frozen=True):
    """The learning rate along a stage.

    Attributes
    ----------
    initial
        At the start.
    shape
        ``steps``: multiplied by ``factor`` after each further share ``every`` of the stage (a
        factor of 1 keeps it constant); ``cosine``: half a cosine down to ``factor``.
    warm_up
        Updates over which it rises from nothing.
    """

    initial: float = Field(1e-4, gt=0)
    shape: Literal["steps", "cosine"] = "steps"
    every: float = Field(1.0, gt=0)
    factor: float = Field(1.0, ge=0)
    warm_up: int = Field(0, ge=0)


class Stage(BaseModel, extra="forbid", frozen=True):
    """A part of the schedule: some losses on some data for some time.

    Attributes
    ----------
    name
        In logs.
    epochs, updates
        Its length: one of the two.
    domain
        ``mri``, or ``natural`` images for pre-training.
    losses
        Weight of each term.
    game, game_options
        A name among ``metasr_training.games.GAMES``, needed by ``adversarial``; and its options.
    critic_steps
        Updates of the critic for one of the generator.
    rate
        Of the generator and the critic.
    """

    name: str
    epochs: float | None = Field(None, gt=0)
    updates: int | None = Field(None, ge=1)
    domain: Literal["mri", "natural"] = "mri"
    losses: dict[LossName, float]
    game: str | None = None
    game_options: dict[str, float] = Field(default_factory=dict)
    critic_steps: int = Field(1, ge=1)
    rate: RateRule = RateRule()

    @model_validator(mode="after")
    def _consistent(self) -> Stage:
        if (self.epochs is None) == (self.updates is None):
            raise ValueError("a stage's length is given either in epochs or in updates")
        if ("adversarial" in self.losses) != (self.game is not None):
            raise ValueError("a game and an adversarial loss come together")
        return self

    @property
    def length(self) -> float:
        """In the stage's own unit."""
        return self.updates or self.epochs or 0.0


class Preset(BaseModel, extra="forbid", frozen=True):
    """What a preset changes.

    Attributes
    ----------
    updates
        Of all stages together, each keeping its share; the published schedule where absent.
    options
        Of the network's builder.
    data
        Fields of ``PairConfig`` or ``DetectionConfig``.
    rate
        Fields of every stage's ``RateRule``.
    losses
        Weights of losses that stages have, instead of the recipe's.
    training
        Fields of the recipe itself.
    """

    updates: int | None = Field(None, ge=1)
    options: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    rate: dict[str, Any] = Field(default_factory=dict)
    losses: dict[LossName, float] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


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
        Adam's.
    kernel_share
        Learning rate of the layer of Meta-SRGAN that predicts kernels, as a share of the others':
        every output pixel is a sum over all of its 147,456 weights, which Adam moves alike.
    largest_gradient
        Norm that the generator's gradient is clipped to; 0 leaves it as it is.
    average
        Decay, an update, of the running average of the weights that is validated and kept; 0 for
        the weights themselves.
    perceptual
        What the perceptual loss looks through.
    precision
        ``bfloat16`` for convolutions, or ``float32``.
    log_every, validate_every, checkpoint_every
        In updates.
    validation_batches
        How many batches of validation patches are looked at.
    slices_per_source
        How many slices of each data set are taken, evenly spread over its patients; 0 for all.
    share
        Of a budget, relative to the experiment's other networks.
    shipped
        Name of the shipped model whose weights it begins with.
    """

    network: str
    options: dict[str, Any] = Field(default_factory=dict)
    pairs: PairConfig | None = None
    detection: DetectionConfig | None = None
    stages: tuple[Stage, ...] = Field(min_length=1)
    interpolating_start: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    kernel_share: float = Field(1.0, gt=0, le=1)
    largest_gradient: float = Field(0.0, ge=0)
    average: float = Field(0.0, ge=0, lt=1)
    perceptual: PerceptualConfig = PerceptualConfig()
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    log_every: int = Field(100, ge=1)
    validate_every: int = Field(2000, ge=1)
    checkpoint_every: int = Field(500, ge=1)
    validation_batches: int = Field(12, ge=1)
    slices_per_source: int = Field(0, ge=0)
    share: float = Field(1.0, gt=0)
    shipped: str | None = None

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


class Recipe(Training, frozen=True):
    """How one network is trained, under any condition and preset.

    Attributes
    ----------
    name, title, source
        Of the recipe; what it is; where it is from.
    start
        Name of the recipe whose network, under the same condition, it begins with.
    conditioned
        Whether there is one network for each condition, of one scale; otherwise one for all.
    presets
        What each preset changes.
    """

    name: str
    title: str
    source: str
    start: str | None = None
    conditioned: bool = True
    presets: dict[Literal["paper", "workstation", "laptop", "smoke"], Preset]

    def network_name(self, condition: Condition) -> str:
        """The name of its network under a condition: ``srresnet-x4``, ``meta-srgan``."""
        return f"{self.name}-{condition.name}" if self.conditioned else self.name

    def resolve(
        self,
        preset: str,
        condition: Condition,
        *,
        start: str | None = None,
        seed: int = 0,
        budget: float | None = None,
    ) -> TrainConfig:
        """The run that a preset makes of it.

        Raises
        ------
        ValueError
            If there is no such preset, or what it changes is wrong.
        """
        change = self.presets.get(check_preset(preset), Preset())  # type: ignore[call-overload]
        scale = {"scale": int(condition.scale)} if self.takes_scale else {}
        values = self.model_dump(include=set(Training.model_fields)) | change.training
        values["options"] = self.options | scale | change.options
        for task in ("pairs", "detection"):
            if values[task] is not None:
                values[task] = values[task] | change.data
        if self.conditioned and self.pairs is not None:
            values["pairs"] |= {
                "scales": (condition.scale,),
                "degradations": {condition.degradation: 1.0},
                "noise": condition.noise,
            }
        values["stages"] = [
            stage.model_dump()
            | {
                "rate": stage.rate.model_dump() | change.rate,
                "losses": {
                    name: change.losses.get(name, one) for name, one in stage.losses.items()
                },
            }
            for stage in self.stages
        ]
        if change.updates is not None:
            total = sum(stage.length for stage in self.stages)
            for stage, value in zip(self.stages, values["stages"], strict=True):
                value["epochs"] = None
                value["updates"] = max(round(change.updates * stage.length / total), 1)
        return TrainConfig(
            **values,
            name=self.network_name(condition),
            recipe=self.name,
            preset=preset,
            seed=seed,
            condition=condition if self.conditioned else None,
            start=start,
            budget=budget,
        )

    @property
    def takes_scale(self) -> bool:
        """Whether the network is built for one scale."""
        return self.conditioned and self.network != "ms-gan"


def check_preset(name: str) -> str:
    """The name, if there is such a preset.

    Raises
    ------
    ValueError
        If there is none; the nearest is suggested.
    """
    if name not in PRESETS:
        nearest = get_close_matches(name, PRESETS, n=1, cutoff=0.4)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise ValueError(f"expected a preset among {', '.join(PRESETS)}, found {name!r}{hint}")
    return name
