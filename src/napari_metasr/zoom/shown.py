"""What a network is shown of a slice, and what is put back into its result.

A network is not shown what it has not learned: the step at the edge of a mask, gaps, and values
far beyond the intensity range. In their place it sees the tissue next to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_metasr.background import BLOCK, constant_background
from napari_metasr.zoom.continuation import continued, is_cut
from napari_metasr.zoom.resampled import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid, PixelRange
    from napari_metasr.normalisation import LinearMap
    from napari_metasr.zoom.continuation import Mask

EDGE = 2
"""Pixels on either side of an edge within which results stay in the local range of the tissue."""

REACH = 3
"""Pixels around its own that what is put back depends on."""

MIDDLE = np.float32(1 / 2)
"""Share of tissue at which an edge lies."""

OUTLYING = 2.0
"""Widths of the intensity range beyond it from which on a value is an outlier."""


@dataclass(frozen=True)
class Edge:
    """Where tissue was continued, and how its result is cut out again.

    Attributes
    ----------
    tissue
        Float32, 1 where the slice is not background.
    near
        Boolean: pixels whose results stay between ``low`` and ``high``.
    beyond
        Boolean: background to which no tissue is near.
    low, high
        Of the 3 x 3 pixels around each as they are shown, in the source's units.
    value
        The background's.
    """

    tissue: NDArray[np.float32]
    near: Mask
    beyond: Mask
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    value: np.float32

    @classmethod
    def of(cls, shown: NDArray[np.float32], hidden: Mask, background: Mask, value: float) -> Edge:
        """Make one from an image as it is shown, in the source's units, and what it invents."""
        beyond = background & ~_grown(~background)
        return cls(
            tissue=(~background).astype(np.float32),
            near=_grown(hidden) & ~beyond,
            beyond=beyond,
            low=ndimage.minimum_filter(shown, BLOCK.shape),
            high=ndimage.maximum_filter(shown, BLOCK.shape),
            value=np.float32(value),
        )

    def put_back(self, out: NDArray[np.float32], grid: OutputGrid, pixels: PixelRange) -> None:
        """Limit results near the edge to their surroundings, and cut the tissue out.

        The edge is where the mask's bicubic interpolation is one half, and one output pixel soft.
        """
        i0, j0, i1, j1 = pixels
        rows, columns = grid.rows.cells()[i0:i1], grid.columns.cells()[j0:j1]
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if self.near[window].any():
            i, j = np.divmod(np.flatnonzero(grid.in_cells(self.near, pixels)), out.shape[1])
            cells = rows[i], columns[j]
            inside = np.clip(out[i, j], self.low[cells], self.high[cells])
            tissue = np.empty_like(out)
            resample(lambda y, x: self.tissue[y, x], grid, pixels, "bicubic", tissue)
            share = (tissue[i, j] - MIDDLE) / np.float32(grid.inverse_scale) + MIDDLE
            share = np.clip(share, 0, 1)
            out[i, j] = share * inside + (1 - share) * self.value
        if self.beyond[window].any():
            out[grid.in_cells(self.beyond, pixels)] = self.value


@dataclass(frozen=True)
class Shown:
    """A slice as a network is shown it.

    Attributes
    ----------
    image
        (rows, columns), float32, in the network's units.
    edge
        What tissue was continued beyond; None where it was not.
    excess
        Float32, in the source's units: what outliers exceed that which is shown of them; None
        where there are none.
    """

    image: NDArray[np.float32]
    edge: Edge | None = None
    excess: NDArray[np.float32] | None = None

    @classmethod
    def of(
        cls,
        filled: NDArray[Any],
        missing: Mask | None,
        intensity_range: tuple[float, float],
        mapping: LinearMap,
        reach: int,
    ) -> Shown:
        """Continue the tissue of a slice into what is not to be shown.

        Parameters
        ----------
        filled, missing
            The slice without its gaps, and where they were (None if there were none).
        intensity_range
            The intensity range.
        mapping
            From the source's units to the network's.
        reach
            How many pixels around it a result depends on.
        """
        image = mapping.forward(filled)
        background = constant_background(filled)
        if background is not None and not is_cut(image, background):
            background = None
        invented = _union(background, missing)
        outliers = _outliers(filled, intensity_range)
        hidden = _union(invented, outliers)
        if hidden is None or hidden.all():
            return cls(image)
        shown = continued(image, hidden, reach + EDGE)
        in_units = mapping.inverse(shown)
        edge = excess = None
        if invented is not None:
            value = 0.0
            if background is None:
                background = np.zeros(image.shape, bool)
            else:
                value = float(filled[background][0])
            edge = Edge.of(in_units, invented, background, value)
        if outliers is not None:
            excess = np.where(outliers, filled - in_units, 0).astype(np.float32)
        return cls(shown, edge, excess)

    @property
    def needed(self) -> Mask | None:
        """Pixels whose results are the network's; None if all are."""
        if self.edge is None or not self.edge.beyond.any():
            return None
        return ~self.edge.beyond

    def differs(self, other: Shown) -> Mask:
        """Mark differing pixels of two slices of one shape; results around them may differ too."""
        one, two = self.edge, other.edge
        differs: Mask = self.image != other.image
        if one is not None and two is not None and one.value == two.value:
            differs |= one.tissue != two.tissue
        elif one is not two:
            differs[...] = True
        if self.excess is not None or other.excess is not None:
            differs[...] = True
        return differs

    def put_back(self, out: NDArray[np.float32], grid: OutputGrid, pixels: PixelRange) -> None:
        """Complete a network's result, in place.

        Parameters
        ----------
        out
            Output pixels in the source's units; of any value where none is `needed`.
        grid, pixels
            Which output pixels (i0, j0, i1, j1) they are.
        """
        if self.edge is not None:
            self.edge.put_back(out, grid, pixels)
        if self.excess is not None:
            excess = self.excess
            added = np.empty_like(out)
            resample(lambda y, x: excess[y, x], grid, pixels, "bilinear", added)
            out += added


def _outliers(image: NDArray[Any], intensity_range: tuple[float, float]) -> Mask | None:
    low, high = intensity_range
    beyond = OUTLYING * (high - low)
    outliers = (image < low - beyond) | (image > high + beyond)
    return outliers if beyond and outliers.any() else None


def _union(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other


def _grown(mask: Mask) -> Mask:
    """Grow a mask by ``EDGE`` pixels."""
    grown: Mask = ndimage.maximum_filter(mask.view(np.uint8), 2 * EDGE + 1).view(np.bool_)
    return grown
