"""A part of a schedule: its losses, its game, its learning rate."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

LossName = Literal[
    "l1", "mse", "mse-x2", "perceptual", "adversarial", "box", "cross-entropy", "dice"
]

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Of a loss: below 0 it would be raised and not lowered."""


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
        Weight of each term, 0 or above.
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
    losses: dict[LossName, Weight]
    game: str | None = None
    game_options: dict[str, float | str] = Field(default_factory=dict)
    critic_steps: int = Field(1, ge=1)
    rate: RateRule = RateRule()

    @model_validator(mode="after")
    def _consistent(self) -> Stage:
        if (self.epochs is None) == (self.updates is None):
            raise ValueError("a stage's length is given either in epochs or in updates")
        if not any(self.losses.values()):
            raise ValueError("expected a loss with a weight above 0")
        if ("adversarial" in self.losses) != (self.game is not None):
            raise ValueError("a game and an adversarial loss come together")
        return self

    @property
    def length(self) -> float:
        """In the stage's own unit."""
        return self.updates or self.epochs or 0.0
