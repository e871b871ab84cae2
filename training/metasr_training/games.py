"""Two-player games: what a generator and its critic want of each other.

A game holds no network and no optimiser. The caller makes the SR images (clamped to the
pixel range where the paper clamps them), takes the gradient of each player's loss with respect to
that player's weights alone, and calls ``after_critic_step`` after each step of the critic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

from metasr_training.losses import (
    clip_weights,
    gradient_penalty,
    log_discriminator_loss,
    log_generator_loss,
    percentage_discriminator_loss,
    percentage_generator_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from napari_metasr.errors import nearest_hint

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

PENALTY_NORMS = ("instance", "none")
"""Normalisations under which the gradient of one image's score is that image's own."""


class Game(Protocol):
    """The two losses, and what happens to the critic after its step."""

    @property
    def critic(self) -> str:
        """Name of the critic's builder among ``napari_metasr.networks.BUILDERS``."""

    @property
    def critic_options(self) -> dict[str, Any]:
        """Options of that builder."""

    def generator_loss(self, critic: nn.Module, sr: Tensor) -> Tensor:
        """Return the generator's loss in the game, a scalar, added to its reconstruction losses."""

    def critic_loss(
        self, critic: nn.Module, sr: Tensor, hr: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the critic's weighted losses by name, to be summed; ``sr`` is detached."""

    def after_critic_step(self, critic: nn.Module) -> None:
        """Constrain the critic after each step of its optimiser."""


@dataclass(frozen=True)
class Vanilla:
    """The log form: SRGAN's and Meta-SRGAN's (eq. 4), MS-GAN's variant 1."""

    critic: str = field(default="discriminator", init=False)
    critic_options: dict[str, Any] = field(default_factory=dict, init=False)

    def generator_loss(self, critic: nn.Module, sr: Tensor) -> Tensor:
        """Return ``-mean log D(SR)``."""
        return log_generator_loss(critic(sr))

    def critic_loss(
        self, critic: nn.Module, sr: Tensor, hr: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Return ``-mean log D(HR) - mean log(1 - D(SR))``; nothing is random."""
        return {"critic": log_discriminator_loss(critic(hr), critic(sr.detach()))}

    def after_critic_step(self, critic: nn.Module) -> None:
        """Leave the critic unconstrained."""


@dataclass(frozen=True)
class LesionFocused:
    """LFSR's: shares of images told correctly (Zhu, Yang, Lio 2018, section 2.2)."""

    critic: str = field(default="discriminator", init=False)
    critic_options: dict[str, Any] = field(default_factory=dict, init=False)

    def generator_loss(self, critic: nn.Module, sr: Tensor) -> Tensor:
        """Return ``-l_GD``."""
        return percentage_generator_loss(critic(sr))

    def critic_loss(
        self, critic: nn.Module, sr: Tensor, hr: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Return ``1 - l_DT - l_DF``; nothing is random."""
        return {"critic": percentage_discriminator_loss(critic(hr), critic(sr.detach()))}

    def after_critic_step(self, critic: nn.Module) -> None:
        """Leave the critic unconstrained."""


@dataclass(frozen=True)
class Wasserstein:
    """WGAN (Arjovsky et al. 2017): MS-GAN's variants 2 and 3.

    Attributes
    ----------
    clip
        The critic's parameters stay in ``[-clip, clip]``: 0.01 in the cited paper.
    """

    clip: float = 0.01
    critic: str = field(default="critic", init=False)
    critic_options: dict[str, Any] = field(default_factory=lambda: {"norm": "batch"}, init=False)

    def __post_init__(self) -> None:
        if not self.clip > 0:
            raise ValueError(f"expected a clip above 0, found {self.clip}")

    def generator_loss(self, critic: nn.Module, sr: Tensor) -> Tensor:
        """Return ``-mean D(SR)``."""
        return wasserstein_generator_loss(critic(sr))

    def critic_loss(
        self, critic: nn.Module, sr: Tensor, hr: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Return ``mean D(SR) - mean D(HR)``; nothing is random."""
        return {"critic": wasserstein_critic_loss(critic(hr), critic(sr.detach()))}

    def after_critic_step(self, critic: nn.Module) -> None:
        """Clip the weights."""
        clip_weights(critic, self.clip)


@dataclass(frozen=True)
class GradientPenalty:
    """WGAN-GP (Gulrajani et al. 2017): MS-GAN's variants 4 to 6.

    Attributes
    ----------
    penalty
        Weight of the gradient penalty: 10 in the cited paper.
    norm
        Normalisation of the critic: ``instance``, or ``none``. The paper is silent; batch norm
        would tie an image's gradient to the batch (Gulrajani et al. 2017, sec. 4).
    """

    penalty: float = 10.0
    norm: str = "instance"
    critic: str = field(default="critic", init=False)

    def __post_init__(self) -> None:
        if not self.penalty >= 0:
            raise ValueError(f"expected a penalty of at least 0, found {self.penalty}")
        if self.norm not in PENALTY_NORMS:
            raise ValueError(
                f"expected a norm among {', '.join(PENALTY_NORMS)}, found {self.norm!r}"
            )

    @property
    def critic_options(self) -> dict[str, Any]:
        """The critic's normalisation."""
        return {"norm": self.norm}

    def generator_loss(self, critic: nn.Module, sr: Tensor) -> Tensor:
        """Return ``-mean D(SR)``."""
        return wasserstein_generator_loss(critic(sr))

    def critic_loss(
        self, critic: nn.Module, sr: Tensor, hr: Tensor, rng: torch.Generator
    ) -> dict[str, Tensor]:
        """Return ``mean D(SR) - mean D(HR)``, and ``penalty`` times the gradient penalty."""
        return {
            "critic": wasserstein_critic_loss(critic(hr), critic(sr.detach())),
            "penalty": self.penalty * gradient_penalty(critic, hr, sr, rng),
        }

    def after_critic_step(self, critic: nn.Module) -> None:
        """Leave the critic's weights unconstrained; the penalty keeps its slope."""


GAMES: dict[str, Callable[..., Game]] = {
    "vanilla": Vanilla,
    "lfsr": LesionFocused,
    "wgan": Wasserstein,
    "wgan-gp": GradientPenalty,
}


def game(name: str, **options: Any) -> Game:
    """Make a game by its name.

    Parameters
    ----------
    options
        ``clip`` of ``wgan``, ``penalty`` and ``norm`` of ``wgan-gp``.

    Raises
    ------
    ValueError
        If there is no such game, it has no such option, or its value is out of range.
    """
    if name not in GAMES:
        hint = nearest_hint(name, GAMES)
        raise ValueError(f"expected a game among {', '.join(GAMES)}, found {name!r}{hint}")
    known = [one.name for one in fields(GAMES[name]) if one.init]  # type: ignore[arg-type]
    for option in options:
        if option not in known:
            takes = f"the options {', '.join(known)}" if known else "no options"
            raise ValueError(f"the game {name} takes {takes}, found {option!r}")
    return GAMES[name](**options)
