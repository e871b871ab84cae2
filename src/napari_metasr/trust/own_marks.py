"""Marks of risk on a scan's own slices, beside the true errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.quality.hallucination import NOT_JUDGED, patch_map
from napari_metasr.trust.agreement import Agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.trust.own_slices import Enlargement, OwnSlice
    from napari_metasr.trust.risk import Guarantee, RiskModel


@dataclass(frozen=True)
class Marks:
    """What the marks of risk hold at one scale.

    Attributes
    ----------
    scale
        By how much slices were reduced.
    guarantee
        What they were drawn with, and what is guaranteed of them.
    agreement
        Over all slices that were compared: the scan counts as one patient.
    """

    scale: float
    guarantee: Guarantee
    agreement: Agreement


@dataclass(frozen=True)
class Marker:
    """Marks slices that were reduced and enlarged again.

    Attributes
    ----------
    head
        The network's error head.
    enlarge
        Reduces and enlarges slices.
    guarantee
        What they are marked with.
    """

    head: RiskModel
    enlarge: Enlargement
    guarantee: Guarantee

    def marked(self, truth: OwnSlice) -> NDArray[np.bool_]:
        """Mark the enlarged slice where it may be wrong, as it is marked without the truth."""
        reduced = self.enlarge.reduced(truth.image, truth.index)
        return self.guarantee.marked(self.enlarge.enlarged(reduced, self.head))

    def agreement(
        self, truth: OwnSlice, result: NDArray[np.float32], marked: NDArray[np.bool_]
    ) -> Agreement:
        """Compare the marks of a result with its errors, where results are compared."""
        inside = truth.inside(max(self.enlarge.grid.true_scale))
        shown = np.where(inside, result, truth.image)
        error = np.abs(shown - truth.image) / self.enlarge.width
        part, patches = truth.part, np.full(truth.image.shape, NOT_JUDGED, np.uint8)
        patches[part] = patch_map(
            shown[part], truth.image[part], self.enlarge.measured_scale, truth.head[part]
        )
        return Agreement.of(error[inside], marked[inside], patches[inside], self.guarantee.tau)
