"""Make thin slices consistent with the thick ones: their averages must give these again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from napari_metasr.acquisition.protocol import protocol_of
from napari_metasr.degradations import slice_profile_on
from napari_metasr.geometry.grids import AxisGrid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LEAST_WEIGHT = 1e-6
THICKEST = 1.5
"""Largest thickness of slices, as a share of their spacing."""


def stated_thickness(told: Mapping[str, Any], spacing: float) -> float | None:
    """Return how thick slices are by their header, in mm; None where it does not say.

    Beyond `THICKEST` times their spacing it says that the scanner interpolated between them, and
    is left aside.

    Parameters
    ----------
    told
        What the header tells, by DICOM keyword.
    spacing
        Between the slices, in mm.
    """
    stated = protocol_of(told).slice_thickness
    return None if stated is None or stated > THICKEST * spacing else stated


class SliceConsistency:
    """Projects thin slices onto those whose averages over the slice profiles are the thick ones.

    With D the slice profiles (see ``degradations.slice_profile_on``), x the thin slices and y the
    thick ones, it returns ``x + D' (D D')^-1 (y - D x)``: the smallest change to x with D x = y.

    Parameters
    ----------
    grid
        Grid of the thin slices over the thick ones.
    thickness
        Thickness of the thick slices, as a share of their spacing: 1 for slices that touch.

    Raises
    ------
    ValueError
        If the slices overlap too much to tell them apart.
    """

    def __init__(self, grid: AxisGrid, thickness: float = 1.0) -> None:
        if not 0 <= thickness <= THICKEST:
            raise ValueError(
                f"expected a slice thickness of at most {THICKEST:g} spacings, found {thickness:g}"
            )
        profile = slice_profile_on(AxisGrid(grid.output, grid.input, grid.scale), thickness)
        profile = np.where(profile < LEAST_WEIGHT, 0, profile)
        back = np.linalg.solve(profile @ profile.T, profile).T
        self._profile = csr_array(profile.astype(np.float32))
        self._back = back.astype(np.float32)

    def averaged(self, thin: NDArray[np.float32]) -> NDArray[np.float32]:
        """Average thin slices, (N, ...), over the profiles of the thick ones: (n, ...)."""
        flat = self._profile @ thin.reshape(len(thin), -1)
        return flat.reshape(-1, *thin.shape[1:])

    def __call__(
        self, thin: NDArray[np.float32], thick: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Make thin slices, (N, ...), consistent with the thick ones, (n, ...).

        Nothing changes where either is not finite.
        """
        filled = np.nan_to_num(thin, nan=0, posinf=0, neginf=0)
        rest = (thick - self.averaged(filled)).reshape(len(thick), -1)
        gaps = ~np.isfinite(thin).all(axis=0).ravel() | ~np.isfinite(rest).all(axis=0)
        rest[:, gaps] = 0
        return thin + (self._back @ rest).reshape(thin.shape)
