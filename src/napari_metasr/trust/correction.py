"""Renderings that reduce to the scan: computed once for a slice and a scale, used for any window.

The projection acts on the slice as a network is shown it (``napari_metasr.zoom.shown``), where
tissue goes on beyond a mask, so that the edge of the mask makes no false rim.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_metasr.trust.consistency import PlaneConsistency, agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.degradations.reduction import AxisReduction
    from napari_metasr.geometry.grids import OutputGrid, PixelRange
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.zoom.encoded import EncodedSlice

NOISE_CONDITION = 0.25
"""Singular values of an axis below this share count as zero for scans: where an acquisition leaves
less than a quarter of a frequency, restoring it would raise the noise more than fourfold."""


@lru_cache(maxsize=4)
def _projection(
    grid: OutputGrid, reductions: tuple[AxisReduction, AxisReduction]
) -> PlaneConsistency:
    """Return the projection, one for all slices of a volume and a scale."""
    return PlaneConsistency(grid, reductions, NOISE_CONDITION)


class NetworkModel(Protocol):
    """What is asked of a `napari_metasr.zoom.engine.ZoomModel`."""

    def network_pixels(
        self, encoded: EncodedSlice, grid: OutputGrid, pixels: PixelRange
    ) -> NDArray[np.float32]:
        """See `napari_metasr.zoom.engine.ZoomModel.network_pixels`."""


class Correction:
    """What is added to a network's result so that, reduced again, it is the scan.

    Called with a range of output pixels it returns that part of the addition; pass it as
    ``correction`` to ``ZoomModel.render_pixels``. A part is the same part of the whole.

    Parameters
    ----------
    model, encoded
        The network and the slice; all of the slice is rendered once, here.
    grid
        Of the output.
    assumption
        The acquisition that the result is to be consistent with.

    Attributes
    ----------
    distance_before, distance
        Root mean square of the scan minus the reduced result, before and after, where the slice is
        tissue, in the source's units; after, with the clipping to the value range.

    Raises
    ------
    ValueError
        If the whole output slice would be too large.
    """

    def __init__(
        self, model: NetworkModel, encoded: EncodedSlice, grid: OutputGrid, assumption: Assumption
    ) -> None:
        self.assumption, self.grid = assumption, grid
        self._model, self._encoded = model, encoded
        self._projection = _projection(grid, assumption.reductions)
        self._scan = encoded.mapping.inverse(encoded.shown.image)
        whole = self._network(grid.pixel_range())
        residual = self._projection.residual(whole, self._scan)
        if encoded.constant is not None:
            residual = np.zeros_like(residual)
        self._residual = residual
        consistent = whole + self(grid.pixel_range())
        np.clip(consistent, *map(np.float32, encoded.value_range), out=consistent)
        remaining = self._projection.residual(consistent, self._scan)
        tissue = tissue_of(encoded)
        self.distance_before = agreement(residual[tissue], 1.0)
        self.distance = agreement(remaining[tissue], 1.0)

    @property
    def in_noise(self) -> bool:
        """Whether differences are told in standard deviations of the scan's noise."""
        return bool(self.assumption.noise)

    @property
    def unit(self) -> float:
        """What inferred parts and distances are divided by: the noise, or 1 where it is unknown."""
        return self.assumption.noise or 1.0

    @property
    def unit_name(self) -> str:
        """Name of that unit."""
        return "noise sigmas" if self.in_noise else "intensity units"

    @property
    def description(self) -> str:
        """What was done: ``consistent with the scan under k-space``."""
        return f"consistent with the scan under {self.assumption.title}"

    def reduced_again(self, distance: float) -> str:
        """Say how far a result, reduced again, is from the scan.

        Parameters
        ----------
        distance
            `distance` or `distance_before`.
        """
        size = f"{distance / self.unit:.2g}"
        if self.in_noise:
            return f"reduced again: within {size} sigma of the scan's noise"
        return f"reduced again: within {size} intensity units of the scan"

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._scan.nbytes + self._residual.nbytes

    def __call__(self, pixels: PixelRange) -> NDArray[np.float32]:
        """Return what is added to a range of output pixels (i0, j0, i1, j1), in source units."""
        return self._projection.correction(self._residual, pixels)

    def inferred(self, pixels: PixelRange) -> NDArray[np.float32]:
        """Return the part of the result that the scan does not determine, signed, in source units.

        It is the same before and after the correction, reduces to nothing, and is 0 in background
        and gaps.
        """
        if self._encoded.constant is not None:
            return np.zeros(_size(pixels), np.float32)
        measured = self._projection.correction(self._scan - self._residual, pixels)
        inferred: NDArray[np.float32] = self._network(pixels) - measured
        inferred[~self.grid.in_cells(tissue_of(self._encoded), pixels)] = 0
        return inferred

    def _network(self, pixels: PixelRange) -> NDArray[np.float32]:
        """Return the network's result; where it is not asked, the slice as it is shown."""
        made = self._model.network_pixels(self._encoded, self.grid, pixels)
        needed = self._encoded.shown.needed
        if needed is not None:
            unasked = ~self.grid.in_cells(needed, pixels)
            made[unasked] = self.grid.in_cells(self._scan, pixels)[unasked]
        return made


def _size(pixels: PixelRange) -> tuple[int, int]:
    i0, j0, i1, j1 = pixels
    return i1 - i0, j1 - j0


def tissue_of(encoded: EncodedSlice) -> NDArray[np.bool_]:
    """Mark the pixels of a slice that are neither background nor gaps."""
    tissue = np.ones(encoded.shape, bool)
    if encoded.shown.edge is not None:
        tissue &= encoded.shown.edge.tissue > 0
    if encoded.missing is not None:
        tissue &= ~encoded.missing
    return tissue
