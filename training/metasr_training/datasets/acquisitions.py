"""What low-resolution patches went through: drawn from a continuous family of acquisitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from napari_metasr.degradations import Apodisation, Reduction, add_k_space_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

Member = Literal["k-space", "hamming", "tukey", "gaussian", "bilinear", "bicubic", "box"]


class AcquisitionFamily(BaseModel, extra="forbid", frozen=True):
    """A family of acquisitions, drawn from anew for each axis.

    Attributes
    ----------
    shares
        Relative frequency of each member: ``k-space`` truncation without apodisation, with a
        ``hamming`` or a ``tukey`` window whose amount is uniform in 0..1; ``gaussian``, the mean
        over a pixel blurred besides, with a uniform width; antialiased ``bilinear`` and
        ``bicubic`` interpolation, and ``box``.
    largest_blur
        Of ``gaussian``: the largest full width at half maximum, in low-resolution pixels.
    together
        Share of the batches whose axes have one acquisition.
    """

    shares: dict[Member, float] = Field(
        default={
            "k-space": 1,
            "hamming": 1,
            "tukey": 1,
            "gaussian": 1.5,
            "bilinear": 1,
            "bicubic": 1,
            "box": 0.5,
        },
        min_length=1,
    )
    largest_blur: float = Field(1.2, ge=0)
    together: float = Field(0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _some_share(self) -> AcquisitionFamily:
        if min(self.shares.values()) < 0 or sum(self.shares.values()) == 0:
            raise ValueError("expected shares of at least 0, one of them above")
        return self

    def draw(self, rng: np.random.Generator) -> tuple[Reduction, Reduction]:
        """Draw the reductions of rows and columns."""
        rows = self._one(rng)
        return rows, rows if rng.random() < self.together else self._one(rng)

    def _one(self, rng: np.random.Generator) -> Reduction:
        weights = np.array(list(self.shares.values()))
        member = list(self.shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]
        match member:
            case "hamming" | "tukey":
                return Reduction("k-space", apodisation=Apodisation(member, float(rng.random())))
            case "gaussian":
                return Reduction("gaussian", fwhm=float(rng.uniform(0, self.largest_blur)))
            case _:
                return Reduction(member)


class InputNoise(BaseModel, extra="forbid", frozen=True):
    """Noise of the low-resolution patches, which the truth is without.

    Attributes
    ----------
    share
        Of the patches that have any.
    largest
        Its standard deviation is uniform up to this share of the intensity range.
    rician
        Of those, the share whose noise is complex and seen in the magnitude; in the others it is
        added.
    """

    share: float = Field(gt=0, le=1)
    largest: float = Field(0.04, gt=0)
    rician: float = Field(0.5, ge=0, le=1)

    def draw(self, rng: np.random.Generator) -> float:
        """Draw a standard deviation, as a share of the intensity range; 0 for no noise."""
        return float(rng.uniform(0, self.largest)) if rng.random() < self.share else 0.0

    def add(
        self, levels: NDArray[np.float32], sigma: float, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Add noise of a random kind to an image, or leave it unchanged at a level of 0.

        Parameters
        ----------
        levels
            (h, w), on a scale where nothing is 0, as magnitudes have it.
        sigma
            Standard deviation on that scale.
        rng
            Decides the rest.
        """
        if sigma == 0:
            return levels
        if rng.random() < self.rician:
            return add_k_space_noise(levels, sigma, rng)
        return levels + sigma * rng.standard_normal(levels.shape, np.float32)
