"""How a network was trained, in a few words for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metasr_training.lineage import Past
    from metasr_training.stage import Stage
    from metasr_training.train_config import TrainConfig


def batch_text(config: TrainConfig) -> str:
    """Describe a batch: ``4 roi patches of 96 x 96``."""
    if config.pairs is not None:
        patch = config.pairs.patch
        return f"{config.pairs.batch} {config.pairs.windows} patches of {patch} x {patch}"
    if config.detection is not None:
        side = config.detection.canvas
        return f"{config.detection.batch} slices of {side} x {side}"
    return ""


def stage_text(stage: Stage) -> str:
    """Describe a stage's losses and game: ``game: 1 mse + 0.01 adversarial (wgan-gp)``."""
    losses = " + ".join(f"{weight:g} {name}" for name, weight in stage.losses.items())
    game = f" ({stage.game})" if stage.game else ""
    return f"{stage.name}: {losses}{game}"


def begins_with(line: Sequence[Past]) -> str:
    """Name what the last training of a line began with."""
    return line[-2].name if len(line) > 1 else line[-1].begins
