"""What the proof on one's own scan tries."""

from __future__ import annotations

import math

from pydantic import BaseModel, Field, field_validator

from napari_metasr.errors import nearest_hint
from napari_metasr.trust.assumption import ACQUISITIONS, AUTO, IN_PLANE


class ProofSettings(BaseModel, extra="forbid", frozen=True):
    """What is tried.

    Attributes
    ----------
    scales
        By how much slices are reduced and enlarged again.
    slices, lesion_slices
        Most slices that are compared, and those of them that lesions are put into.
    contrast
        Height of the lesions as a share of the median brightness of the head; negative of dark
        ones.
    acquisition
        ``auto`` (the scan's own, estimated), or the name of a reduction.
    seed
        Decides the places of the lesions, and the noise.
    """

    scales: tuple[float, ...] = Field(
        default=(1.5, 2.0, 3.0, 4.0),
        description="Scales that are tried: slices are reduced by them and enlarged again.",
    )
    slices: int = Field(
        default=12, ge=1, description="Slices that are compared, spread over the head."
    )
    lesion_slices: int = Field(default=4, ge=1)
    contrast: float = Field(
        default=0.3,
        description="Brightness of the lesions that are put in, beyond that of their surroundings, "
        "as a share of the head's median brightness; negative for dark lesions.",
    )
    acquisition: str = Field(
        default=AUTO,
        description="How slices are reduced: as the scan itself was acquired ('auto', estimated), "
        f"or as you state: {', '.join(IN_PLANE)}.",
    )
    seed: int = Field(default=0, ge=0, description="Decides the places of the lesions.")

    @field_validator("scales")
    @classmethod
    def _check_scales(cls, scales: tuple[float, ...]) -> tuple[float, ...]:
        if not scales or not all(1 < scale < math.inf for scale in scales):
            found = ", ".join(f"{scale:g}" for scale in scales) or "none"
            raise ValueError(f"expected scales above 1, found {found}")
        return tuple(sorted(set(scales)))

    @field_validator("contrast")
    @classmethod
    def _check_contrast(cls, contrast: float) -> float:
        if not 0 < abs(contrast) < math.inf:
            raise ValueError(f"expected a contrast other than 0, found {contrast:g}")
        return contrast

    @field_validator("acquisition")
    @classmethod
    def _check_acquisition(cls, name: str) -> str:
        if name not in ACQUISITIONS:
            raise ValueError(
                f"expected an acquisition among {', '.join(ACQUISITIONS)}, found {name!r}"
                f"{nearest_hint(name, ACQUISITIONS)}"
            )
        return name
