"""The proof on one's own scan: what a network gains on it, and what becomes of small lesions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.trust.own_slices import METHODS
from napari_metasr.trust.survival import smallest_surviving
from napari_metasr.trust.verdict import largest_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.acquisition import Acquisition
    from napari_metasr.geometry.windows import Window
    from napari_metasr.trust.own_acquisition import OwnAcquisition
    from napari_metasr.trust.own_marks import Marks
    from napari_metasr.trust.own_slices import Compared, OwnSlice
    from napari_metasr.trust.proof_settings import ProofSettings
    from napari_metasr.trust.survival import Layout, Survival
    from napari_metasr.trust.verdict import ScaleGain
    from napari_metasr.volume import Plane
    from napari_metasr.weights import ModelCard

USUAL_SCALE = 2.0


@dataclass(frozen=True)
class Example:
    """One slice at one scale, to look at: the truth, reduced, and enlarged by each method.

    ``marked`` is where the network's result is marked; None without an error head.
    """

    scale: float
    truth: OwnSlice
    reduced: NDArray[np.float32]
    results: Mapping[str, NDArray[np.float32]]
    marked: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class LesionExample:
    """A slice with lesions of one size at one scale, and which of them each method shows."""

    scale: float
    layout: Layout
    results: Mapping[str, NDArray[np.float32]]
    seen: Mapping[str, tuple[bool, ...]]


@dataclass(frozen=True)
class Proof:
    """What was found on a scan.

    Attributes
    ----------
    settings, card, device, version
        How it was found.
    voxels_sha256
        Hash of the scan's voxels; not of its file, which may name a person.
    shape, spacing, unit, plane
        The scan's size and spacing, both (rows, columns) of a slice, its unit and the slices'
        plane; none of a picture.
    slices, region
        Indices of the slices that were compared; the region of them, if one was chosen.
    acquisition, found
        How slices were reduced, and what was estimated.
    contrast
        Of the lesions, in the scan's units.
    intensity_range, display
        The scan's intensity range, and the limits that suit its display.
    gains, compared, survivals
        By scale; by scale and slice; by scale, method and diameter.
    examples, lesion_examples
        One slice at every scale, and with lesions near the smallest size that survives.
    marks
        By scale; empty for a network without an error head.
    concerns
        Reasons not to trust it.
    is_oriented
        Whether it is known which side is which.
    """

    settings: ProofSettings
    card: ModelCard
    device: str
    version: str
    voxels_sha256: str
    shape: tuple[int, int]
    spacing: tuple[float, float]
    unit: str
    plane: Plane
    slices: tuple[int, ...]
    region: Window | None
    acquisition: OwnAcquisition
    found: Acquisition
    contrast: float
    intensity_range: tuple[float, float]
    display: tuple[float, float]
    gains: tuple[ScaleGain, ...]
    compared: tuple[tuple[float, tuple[Compared, ...]], ...]
    survivals: tuple[Survival, ...]
    examples: tuple[Example, ...]
    lesion_examples: tuple[LesionExample, ...]
    marks: tuple[Marks, ...]
    concerns: tuple[str, ...]
    is_oriented: bool

    @property
    def largest_scale(self) -> ScaleGain | None:
        """The gain at the largest scale at which it holds; see `verdict.RULE`."""
        return largest_scale(self.gains)

    @property
    def has_intervals(self) -> bool:
        """Whether any gain has an interval: there are slices enough."""
        return any(gain.psnr.has_interval for gain in self.gains)

    @property
    def usual_scale(self) -> float:
        """The scale nearest to 2, which pictures show."""
        return min((gain.scale for gain in self.gains), key=lambda scale: abs(scale - USUAL_SCALE))

    def smallest_surviving(self, scale: float, method: str = METHODS[0]) -> Survival | None:
        """Return the smallest size of lesion that survives; see `survival.RULE`."""
        return smallest_surviving(self.survivals, scale, method)
