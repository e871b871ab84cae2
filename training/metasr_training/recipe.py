"""A recipe: how one network is trained, under any condition and preset."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, model_validator

from metasr_training.condition import Condition
from metasr_training.stage import LossName
from metasr_training.train_config import TrainConfig, Training
from napari_metasr.errors import nearest_hint
from napari_metasr.networks import takes_option

PresetName = Literal["paper", "workstation", "laptop", "smoke"]
PRESETS: tuple[PresetName, ...] = get_args(PresetName)

OF_CONDITION = ("scales", "degradations", "noise")
"""Fields of the pairs of a conditioned recipe that its condition decides."""


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

    def over(self, other: Preset) -> Preset:
        """Return another preset's changes, and these over them."""
        merged = {
            name: getattr(other, name) | getattr(self, name)
            for name in ("options", "data", "rate", "losses", "training")
        }
        return Preset(updates=self.updates or other.updates, **merged)


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
    presets: dict[PresetName, Preset]

    @model_validator(mode="after")
    def _condition_is_left_out(self) -> Recipe:
        if not self.draws_by_condition:
            return self
        said = [self.pairs.model_fields_set if self.pairs else set()]
        said += [set(preset.data) for preset in self.presets.values()]
        for name in OF_CONDITION:
            if any(name in fields for fields in said):
                raise ValueError(
                    f"expected no {name} of pairs in a recipe with a network for each condition, "
                    "which decides them; conditioned = false is for one network for all"
                )
        return self

    @property
    def draws_by_condition(self) -> bool:
        """Whether its condition decides how slices are reduced."""
        return self.conditioned and self.pairs is not None

    def network_name(self, condition: Condition) -> str:
        """Return the network's name under a condition: ``srresnet-x4``, ``meta-srgan``."""
        return f"{self.name}-{condition.name}" if self.conditioned else self.name

    def changed(self, change: Preset) -> Recipe:
        """Return the recipe with a change applied on top of each of its presets."""
        presets = {name: change.over(self.presets.get(name, Preset())) for name in PRESETS}
        return self.model_copy(update={"presets": presets})

    def resolve(
        self,
        preset: str,
        condition: Condition,
        *,
        start: str | None = None,
        seed: int = 0,
        budget: float | None = None,
    ) -> TrainConfig:
        """Resolve the recipe under a preset and a condition into the configuration of a run.

        Raises
        ------
        ValueError
            If there is no such preset, or what it changes is wrong.
        """
        change = self.presets.get(check_preset(preset), Preset())  # type: ignore[call-overload]
        scale = {"scale": int(condition.scale)} if self.has_scale else {}
        values = self.model_dump(include=set(Training.model_fields)) | change.training
        values["options"] = self.options | scale | change.options
        for task in ("pairs", "detection"):
            if values[task] is not None:
                values[task] = values[task] | change.data
        if self.draws_by_condition:
            decided = (condition.scale,), {condition.degradation: 1.0}, condition.noise
            values["pairs"] |= dict(zip(OF_CONDITION, decided, strict=True))
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
    def has_scale(self) -> bool:
        """Whether the network is built for the scale of its condition."""
        return self.conditioned and takes_option(self.network, "scale")


def check_preset(name: str) -> str:
    """Return the name if there is such a preset.

    Raises
    ------
    ValueError
        If there is none; the nearest is suggested.
    """
    if name not in PRESETS:
        hint = nearest_hint(name, PRESETS)
        raise ValueError(f"expected a preset among {', '.join(PRESETS)}, found {name!r}{hint}")
    return name
