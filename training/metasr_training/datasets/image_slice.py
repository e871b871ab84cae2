"""One image of a data set: what every reader gives and every sampler takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_metasr.normalisation import FAINT_HEAD_LEVEL, LinearMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

Split = Literal["train", "val", "test"]
Domain = Literal["mri", "natural"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")
LEAST_HEAD_SHARE = 0.08
"""Slices with a smaller head are left out: near the vertex they are almost empty."""


@dataclass(frozen=True)
class Slice:
    """One slice of a volume, or one picture.

    Attributes
    ----------
    image
        (rows, columns), in the file's intensity units, as a screen shows it: first row on top.
    intensity_range
        The intensities that become 0 and 1: percentiles of the volume it is of (of the slice
        itself where the source is a picture; 0 and 255 of a natural image).
    source, patient, name
        Data set, patient within it, and slice, for splits and reports.
    mask
        (rows, columns), true where the tumour is; None where the data set outlines none.
    band
        Acquired over stored Nyquist frequency of rows and columns: 1 where signal fills the band
        or nothing can be told.
    contrast
        Such as ``t1ce`` or ``flair``; empty where no name tells.
    """

    image: NDArray[Any]
    intensity_range: tuple[float, float]
    source: str
    patient: str
    name: str
    mask: NDArray[np.bool_] | None = None
    band: tuple[float, float] = (1.0, 1.0)
    contrast: str = ""

    def __post_init__(self) -> None:
        if self.mask is not None and self.mask.shape != self.image.shape:
            raise ValueError(
                f"{self.name}: expected a mask of {self.image.shape} pixels like the image, "
                f"found {self.mask.shape}"
            )

    @property
    def key(self) -> tuple[str, str, str]:
        """What no other slice has: data sets share patients' numbers and slices' names."""
        return self.source, self.patient, self.name

    @property
    def normalised(self) -> NDArray[np.float32]:
        """The image as the network sees it."""
        return LinearMap(*self.intensity_range).forward(self.image)

    @property
    def head_share(self) -> float:
        """The share of pixels above the background."""
        return float((self.normalised > FAINT_HEAD_LEVEL).mean())

    @property
    def tumour(self) -> bool:
        """Whether the slice has a mask with at least one pixel of tumour in it."""
        return self.mask is not None and bool(self.mask.any())


def some_of_each(slices: list[Slice], count: int) -> list[Slice]:
    """Choose ``count`` slices of each source, evenly spread over its patients; all if 0."""
    chosen: list[Slice] = []
    for source in dict.fromkeys(one.source for one in slices):
        pool = [one for one in slices if one.source == source]
        take = min(count, len(pool)) or len(pool)
        chosen += [pool[i] for i in np.linspace(0, len(pool) - 1, take).astype(int)]
    return chosen
