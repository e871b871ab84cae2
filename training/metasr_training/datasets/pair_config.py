"""How batches of low- and high-resolution patches are drawn."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, field_validator

from metasr_training.datasets.acquisitions import AcquisitionFamily, InputNoise
from metasr_training.datasets.canvases import Windows
from metasr_training.datasets.regions import Roi
from metasr_training.datasets.telling import CodeError
from metasr_training.datasets.windows import PUBLISHED_CROP


class PairConfig(BaseModel, extra="forbid", frozen=True):
    """How batches are drawn.

    Attributes
    ----------
    batch
        Patches a batch.
    patch
        Rows and columns of the high-resolution patch that is compared, in pixels (up to one
        more or less, since its edges are those of low-resolution pixels).
    context
        Low-resolution pixels shown to the network around the patch, as in a whole slice.
    canvas
        Rows and columns of the zero-filled field that a slice lies in when it is degraded.
    windows
        Where patches come from: ``head``, anywhere on it, as long as the patch and its context
        stay in the slice (a patch about as large as the slice lies in its middle); ``crop``, the
        maximal-information crop; ``roi``, the window centred on the region of interest.
    roi
        Where that is from: the ``mask``, where there is one, the ``detector``, or the ``box``
        that holds the brain.
    crop
        Rows and columns of the maximal-information crop; one number for a square.
    patches_per_image
        How many patches of an image make an epoch.
    scales
        The scales a batch is drawn from.
    axes
        ``same``: both axes have that scale; ``mixed``: a quarter of the batches draw the two
        axes apart, half of these with one at 1; ``one``: the other axis is at 1.
    degradations
        Relative frequency of each degradation.
    thickness
        The slice thicknesses, as shares of the spacing, that ``slice-profile`` draws from.
    noise
        Standard deviation of the k-space noise, on the 0..255 scale.
    truths
        ``stored``, as they are; ``acquired``, cropped to the band that holds signal, so that no
        network learns that the top of the band is empty.
    family
        Draws how each axis is reduced, instead of ``degradations``.
    masked
        Share of the patches that are cut by a mask after the reduction, on the low-resolution
        grid, as skull-stripped scans are.
    varied_noise
        Noise of the low-resolution patches, drawn for each, beside ``noise``.
    told
        Share of the batches whose acquisition or noise the network is told.
    untold
        Relative frequency of each degradation in the other batches, which have no noise and no
        masks then: what is assumed where nothing is told. As in all batches where empty.
    told_wrongly
        How far what is told is from the truth; None where it is true.
    sources
        Relative frequency of each data set that is there; one that is not named has the named
        ones' mean. Each image as often as the others where empty.
    standardise
        Whether the mean and the standard deviation of the training windows are taken out.
    """

    batch: int = Field(16, ge=1)
    patch: int = Field(96, ge=8)
    context: int = Field(4, ge=0)
    canvas: int = Field(256, ge=16)
    windows: Windows = "head"
    roi: Roi = "mask"
    crop: tuple[PositiveInt, PositiveInt] = PUBLISHED_CROP
    patches_per_image: int = Field(16, ge=1)
    scales: tuple[float, ...] = (2.0,)
    axes: Literal["same", "mixed", "one"] = "same"
    degradations: dict[str, float] = {"bicubic": 1.0}
    thickness: tuple[float, ...] = (1.0,)
    noise: float = Field(0, ge=0)
    sources: dict[str, PositiveFloat] = Field(default_factory=dict)
    standardise: bool = True
    truths: Literal["stored", "acquired"] = "stored"
    family: AcquisitionFamily | None = None
    masked: float = Field(0, ge=0, le=1)
    varied_noise: InputNoise | None = None
    told: float = Field(0, ge=0, le=1)
    untold: dict[str, float] = Field(default_factory=dict)
    told_wrongly: CodeError | None = None

    @field_validator("crop", mode="before")
    @classmethod
    def _square(cls, crop: object) -> object:
        return (crop, crop) if isinstance(crop, int) else crop

    @property
    def shown(self) -> int:
        """Pixels along an axis of the patch with its context, at the largest scale."""
        return math.ceil(self.patch + 2 * self.context * max(self.scales))
