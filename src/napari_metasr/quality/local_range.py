"""The range of a scan's pixels around each place, and how much of a result lies beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_metasr.normalisation import fill_missing, value_range
from napari_metasr.quality.artefacts import BEYOND, EDGE_PIXELS, head_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid, PixelRange


@dataclass(frozen=True)
class LocalRange:
    """Least and largest of the 3 x 3 pixels around each pixel of a slice, (rows, columns).

    Attributes
    ----------
    low, high
        The range, with the room of ``BEYOND`` of the tissue's median at both ends.
    inside
        The head without its outer ``EDGE_PIXELS``.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, image: NDArray[Any]) -> LocalRange | None:
        """Find it; None of a slice without tissue.

        Parameters
        ----------
        image
            (rows, columns), the slice as it is; what is missing counts as its smallest value.
        """
        if not np.isfinite(image).any():
            return None
        filled = fill_missing(image, value_range(image)[0])[0].astype(np.float32)
        if filled.min() == filled.max():
            return None
        head = head_of(filled)
        room = BEYOND * abs(float(np.median(filled[head]))) if head.any() else 0.0
        inside = ndimage.binary_erosion(head, iterations=EDGE_PIXELS)
        if not inside.any():
            return None
        low, high = ndimage.minimum_filter(filled, 3), ndimage.maximum_filter(filled, 3)
        return cls(low - np.float32(room), high + np.float32(room), inside)

    def share_beyond(
        self, result: NDArray[Any], grid: OutputGrid, pixels: PixelRange
    ) -> float | None:
        """Return the share, 0..1, of the pixels inside that lie beyond it; None without any.

        Parameters
        ----------
        result
            The output pixels of the range, in the slice's units.
        grid, pixels
            The output grid of the slice, and the range (i0, j0, i1, j1).
        """
        inside = grid.in_cells(self.inside, pixels)
        if not inside.any():
            return None
        low, high = (grid.in_cells(one, pixels) for one in (self.low, self.high))
        beyond = (result > high) | (result < low)
        return float(beyond[inside].mean())
