"""What a network is told of the patches of a batch, and by how much it is told wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import BaseModel, Field

from napari_metasr.acquisition.code import (
    FREQUENCIES,
    LARGEST_NOISE,
    NOISE_UNIT,
    acquisition_code,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.degradations.reduction import Reduction

IN_PART = 0.05
"""Share of the batches that are told their noise alone, and of those told their acquisition alone.
"""


@dataclass(frozen=True)
class Told:
    """Whether a network is told the acquisition and the noise of a batch."""

    acquisition: bool
    noise: bool

    @classmethod
    def draw(cls, share: float, rng: np.random.Generator) -> Told:
        """Draw what is told of a batch, of which a share is told something."""
        drawn = rng.random()
        return cls(
            acquisition=drawn < share - IN_PART,
            noise=drawn < share - 2 * IN_PART or share - IN_PART <= drawn < share,
        )


class CodeError(BaseModel, extra="forbid", frozen=True):
    """How wrong the codes are that a network is trained with.

    Users and estimates err: a network that has met wrong codes weighs what it is told against what
    the image shows.

    Attributes
    ----------
    share
        Share of the patches that are told wrongly.
    blur
        Standard deviation of k, where the transfer t of a share f of the Nyquist frequency is told
        as t exp(-k f^2): a Gaussian blur too many, or too few.
    noise
        Standard deviation of the error of the noise, a share of the intensity range.
    """

    share: float = Field(0.5, ge=0, le=1)
    blur: float = Field(0.2, ge=0)
    noise: float = Field(0.004, ge=0)

    def apply(self, code: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a code, or a wrong one in its place; what is not told stays untold."""
        if rng.random() >= self.share:
            return code
        wrong = code.copy()
        axes = wrong[:-3].reshape(2, -1)
        seen = (axes + 1) / 2 * np.exp(-rng.normal(0, self.blur, (2, 1)) * np.square(FREQUENCIES))
        axes[:] = (2 * seen - 1) * wrong[-3]
        noise = wrong[-2] + rng.normal(0, self.noise) / NOISE_UNIT
        wrong[-2] = np.clip(noise, 0, LARGEST_NOISE / NOISE_UNIT) * wrong[-1]
        return wrong


def codes(
    reductions: tuple[Reduction | None, Reduction | None],
    noise_shares: Sequence[float],
    told: Told,
    error: CodeError | None,
    draws: Sequence[np.random.Generator],
) -> Tensor:
    """Return what the network is told of each patch, (batch, code length).

    Parameters
    ----------
    reductions
        Of rows and of columns; None for an axis that is left as it is.
    noise_shares
        Standard deviation of each patch's noise, a share of its intensity range.
    told
        What is told at all.
    error
        How wrong; None for true codes.
    draws
        Draw each patch's error.
    """
    known = reductions if told.acquisition else None
    found = [acquisition_code(known, share if told.noise else None) for share in noise_shares]
    if error is not None:
        found = [error.apply(one, rng) for one, rng in zip(found, draws, strict=True)]
    return torch.from_numpy(np.stack(found))
