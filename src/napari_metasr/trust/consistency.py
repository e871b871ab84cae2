"""Measured and inferred: the part of a super-resolved slice that the scan determines, and the rest.

A scan y of a slice x under an acquisition A (a linear reduction of rows and columns) is y = A x.
All x that reduce to y differ in the null space of A alone: what a network puts there is inferred.
What it changes in the range of A contradicts the scan, and the projection takes it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.degradations.reduction import AxisReduction
    from napari_metasr.geometry.grids import OutputGrid, PixelRange

CONDITION = 1e-3
"""Singular values below this share of the largest count as zero: directions that the assumed
acquisition all but erases are inferred, and noise in them is not blown up."""


class PlaneConsistency:
    """The smallest change after which a slice, reduced again, is the scan.

    With R and C the reductions of rows and columns, x the fine slice and y the scan, the projection
    is ``x + R^+ (y - R x C') C^+'``, ``^+`` the pseudo-inverse: of all slices that reduce to the
    scan it is the one nearest to x (the range-null space decomposition; e.g. Wang, Yu & Zhang 2023,
    ICLR, eq. 5).

    Parameters
    ----------
    grid
        Of the fine slice over the scan's pixels.
    reductions
        The assumed acquisition of rows and of columns. The real part of ``k-space`` is taken, which
        is all of it but for the highest frequency of an even size.
    condition
        Share of the largest singular value below which those of an axis count as zero.
    """

    def __init__(
        self,
        grid: OutputGrid,
        reductions: tuple[AxisReduction, AxisReduction],
        condition: float = CONDITION,
    ) -> None:
        self.grid = grid
        axes = list(zip(reductions, grid.output_shape, grid.input_shape, strict=True))
        found = {
            axis: _both_ways(axis[0].matrix(*axis[1:]), condition) for axis in dict.fromkeys(axes)
        }
        self._forward, self._back = zip(*(found[axis] for axis in axes), strict=True)

    def reduced(self, fine: NDArray[np.floating]) -> NDArray[np.float32]:
        """Reduce a fine slice, shape (rows, columns) of the output grid, to the scan's pixels."""
        rows, columns = self._forward
        return np.asarray(rows @ fine.astype(np.float32) @ columns.T, np.float32)

    def residual(
        self, fine: NDArray[np.floating], scan: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Return what the scan has and the reduced slice lacks, on the scan's pixels.

        0 where either is not finite.

        Raises
        ------
        ValueError
            If a shape is not the grid's.
        """
        expected = (self.grid.output_shape, self.grid.input_shape)
        if (fine.shape, scan.shape) != expected:
            raise ValueError(
                f"expected a slice and a scan of shapes {expected[0]} and {expected[1]}, found "
                f"{fine.shape} and {scan.shape}"
            )
        filled = np.nan_to_num(fine, nan=0.0, posinf=0.0, neginf=0.0)
        rest = scan.astype(np.float32) - self.reduced(filled)
        return np.nan_to_num(rest, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)

    def correction(
        self, residual: NDArray[np.float32], pixels: PixelRange | None = None
    ) -> NDArray[np.float32]:
        """Return what is to be added to the fine slice, or to a part of it.

        Parameters
        ----------
        residual
            See `residual`.
        pixels
            First row, first column, last row + 1, last column + 1 of the output grid; all of it by
            default. A part is the same part of the whole, to float32 rounding.
        """
        rows, columns = self._back
        if pixels is not None:
            top, left, bottom, right = pixels
            rows, columns = rows[top:bottom], columns[left:right]
        return np.asarray(rows @ residual @ columns.T, np.float32)

    def __call__(
        self, fine: NDArray[np.floating], scan: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Return the slice nearest to ``fine`` that reduces to the scan."""
        return fine.astype(np.float32) + self.correction(self.residual(fine, scan))

    def inferred(self, fine: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the part of a slice that no scan determines, signed, in the slice's units.

        It reduces to nothing: the component in the null space of the assumed acquisition.
        """
        filled = np.nan_to_num(np.asarray(fine, np.float32))
        return filled - self.correction(self.reduced(filled))


def _both_ways(
    matrix: NDArray[Any], condition: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the reduction of an axis and its pseudo-inverse."""
    real = np.real(matrix)
    return real.astype(np.float32), np.linalg.pinv(real, rcond=condition).astype(np.float32)


def agreement(residual: NDArray[np.floating], noise: float) -> float:
    """Return how far a result, reduced again, is from the scan, in standard deviations of noise.

    Parameters
    ----------
    residual
        See `PlaneConsistency.residual`, in the scan's units.
    noise
        Standard deviation of the scan's noise, in the same units.

    Returns
    -------
    float
        Root mean square of the residual over the noise; below 1 the result is the scan within its
        noise. Infinity where the noise is 0 and the residual is not.
    """
    distance = float(np.sqrt(np.mean(np.square(residual, dtype=np.float64))))
    if noise > 0:
        return distance / noise
    return 0.0 if distance == 0 else float("inf")
