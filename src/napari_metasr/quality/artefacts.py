"""Measure what a super-resolved slice adds to the native one, where no truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from napari_metasr.background import constant_background
from napari_metasr.degradations import degrade
from napari_metasr.normalisation import HEAD_LEVEL, LinearMap, intensity_range
from napari_metasr.zoom.continuation import is_cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid

    Mask = NDArray[np.bool_]

EDGE_PIXELS = 2
RIM = 0.1
"""Share of the tissue's median by which a false rim exceeds all native pixels around."""

BEYOND = 0.02
"""Share of the tissue's median from which on a pixel counts as outside the local range."""

FLAT = 0.25
"""Share of the tissue that counts as flat: where the local range is smallest."""


@dataclass(frozen=True)
class Counts:
    """Sums over slices, from which `Artefacts` are taken; they can be added.

    Attributes
    ----------
    edge, rim
        Output pixels of the outer two native pixels of the head, and those of them that are a
        false rim.
    inside, inside_rim, over, under
        Output pixels further inside; those that exceed their surroundings by as much as a rim;
        those above and below the local range.
    fine, native_fine
        Sums of squares of the fine structure in flat tissue, each over its number of pixels.
    residual, native
        Sum of squared differences of the averaged result from the native pixels, in shares of
        the tissue's median, and the number of pixels.
    """

    edge: float = 0
    rim: float = 0
    inside: float = 0
    inside_rim: float = 0
    over: float = 0
    under: float = 0
    fine: float = 0
    native_fine: float = 0
    residual: float = 0
    native: float = 0

    def __add__(self, other: Counts) -> Counts:
        """Add the counts of another slice."""
        return Counts(
            *(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    @property
    def artefacts(self) -> Artefacts:
        """The shares; NaN where there was nothing to measure."""
        return Artefacts(
            rim=_share(self.rim, self.edge),
            inside=_share(self.inside_rim, self.inside),
            over=_share(self.over, self.inside),
            under=_share(self.under, self.inside),
            texture=float(np.sqrt(_share(self.fine, self.native_fine))),
            residual=float(np.sqrt(_share(self.residual, self.native))),
        )


@dataclass(frozen=True)
class Artefacts:
    """What a super-resolved image adds.

    Attributes
    ----------
    rim, inside
        Share of pixels that exceed every native pixel of their 3 x 3 neighbourhood by more than
        ``RIM`` of the tissue's median, in the outer two native pixels of the head and inside.
    over, under
        Share of pixels inside that lie above or below that neighbourhood by more than
        ``BEYOND`` of the median.
    texture
        Standard deviation of the fine structure in flat tissue, over that of the native slice.
    residual
        Root mean square difference of the result, averaged over the native pixels, from them, as
        a share of the tissue's median.
    """

    rim: float
    inside: float
    over: float
    under: float
    texture: float
    residual: float


def head_of(image: NDArray[np.float32]) -> Mask:
    """Find the head, or the brain where a mask was cut out of the scan, with its holes.

    Parameters
    ----------
    image
        (rows, columns), finite.
    """
    background = constant_background(image)
    if background is not None and is_cut(image, background):
        head = ~background
    else:
        bright = LinearMap(*intensity_range(image)).forward(image) > HEAD_LEVEL
        parts, count = ndimage.label(bright)
        head = parts == int(np.argmax(np.bincount(parts.ravel())[1:])) + 1 if count else bright
    filled: Mask = ndimage.binary_fill_holes(head)
    return filled


def count_artefacts(
    result: NDArray[Any], image: NDArray[np.float32], grid: OutputGrid, head: Mask, median: float
) -> Counts:
    """Compare a super-resolved slice with the native one.

    Parameters
    ----------
    result
        On the grid's output pixels, in the image's units.
    image, head
        (rows, columns), the native slice and where it shows tissue.
    grid
        From the one to the other.
    median
        Of the tissue of the whole volume, positive.

    Raises
    ------
    ValueError
        If shapes do not fit the grid, or the median is not positive.
    """
    if image.shape != grid.input_shape or result.shape != grid.output_shape:
        raise ValueError(
            f"expected {grid.input_shape} upscaled to {grid.output_shape} pixels, found "
            f"{image.shape} and {result.shape}"
        )
    if not median > 0:
        raise ValueError(f"the median must be positive, found {median:g}")
    low, high = ndimage.minimum_filter(image, 3), ndimage.maximum_filter(image, 3)
    deep = ndimage.binary_erosion(head, iterations=EDGE_PIXELS)
    edge, inside = grid.in_cells(head & ~deep), grid.in_cells(deep)
    over = (result - grid.in_cells(high)) / median
    under = (grid.in_cells(low) - result) / median
    flat = ndimage.binary_erosion(head, np.ones((2 * EDGE_PIXELS + 1, 2 * EDGE_PIXELS + 1)))
    if flat.any():
        flat &= high - low <= np.quantile((high - low)[flat], FLAT)
    scale = tuple(1 / float(axis.step) for axis in (grid.rows, grid.columns))
    back = degrade(result, image.shape, "box")
    return Counts(
        edge=edge.sum(),
        rim=(over[edge] > RIM).sum(),
        inside=inside.sum(),
        inside_rim=(over[inside] > RIM).sum(),
        over=(over[inside] > BEYOND).sum(),
        under=(under[inside] > BEYOND).sum(),
        fine=_fine(result, grid.in_cells(flat), scale) * flat.sum(),
        native_fine=_fine(image, flat, (1.0, 1.0)) * flat.sum(),
        residual=float(np.square((back - image)[head] / median, dtype=np.float64).sum()),
        native=head.sum(),
    )


def _fine(image: NDArray[Any], where: Mask, sigma: tuple[float, ...]) -> float:
    """Return the variance of what a Gaussian of one native pixel takes away."""
    if not where.any():
        return 0.0
    exact = image.astype(np.float64)
    fine = exact - ndimage.gaussian_filter(exact, sigma, truncate=EDGE_PIXELS)
    return float(np.square(fine[where]).mean())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
