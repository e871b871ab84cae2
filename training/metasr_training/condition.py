"""What a low-resolution image went through."""

from __future__ import annotations

from pydantic import BaseModel, Field


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
