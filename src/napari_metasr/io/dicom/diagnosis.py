"""Why slices are no regular stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.io.dicom.frame import Place

__all__ = ["COLUMN_THEN_ROW", "diagnosis"]

COLUMN_THEN_ROW = "RD"
"""How voxels are indexed: to the right along a row, down a column."""

NAMED = 8


def diagnosis(
    positions: NDArray[np.float64], normal: NDArray[np.float64], grid: Place, tolerance: float
) -> str:
    """Say why slices are no regular stack.

    Parameters
    ----------
    positions
        (slices, 3), rising along the normal, in mm.
    normal
        Of the slices.
    grid
        Their orientation and pixel spacing.
    tolerance
        By how much of a voxel a slice may be astray.

    Returns
    -------
    str
        "expected ..., found ...": slices shifted sideways, gantry tilt with its angle, the numbers
        of missing slices, or the spacings that there are.
    """
    heights = (positions - positions[0]) @ normal
    sideways = positions - positions[0] - np.outer(heights, normal)
    drift = sideways[-1] / heights[-1]
    visible = tolerance * min(grid.pixel_spacing)
    if np.linalg.norm(sideways - np.outer(heights, drift), axis=1).max() > visible:
        return "expected slices on top of each other, found some shifted sideways"
    if np.linalg.norm(sideways[-1]) > visible:
        angle = float(np.degrees(np.arctan(np.linalg.norm(drift))))
        return (
            "expected slices stacked along their normal, found a stack that is sheared by "
            f"{angle:.2g} degrees (gantry tilt)"
        )
    return _gaps(positions, heights, grid.orientation, tolerance)


def _gaps(
    positions: NDArray[np.float64],
    heights: NDArray[np.float64],
    orientation: tuple[float, ...],
    tolerance: float,
) -> str:
    from highdicom.spatial import get_volume_positions

    steps = np.diff(heights)
    usual = heights[-1] / max(np.round(steps / np.median(steps)).sum(), 1)
    _, places = get_volume_positions(
        positions.tolist(),
        orientation,
        rtol=tolerance,
        spacing_hint=float(usual),
        allow_missing_positions=True,
        index_convention=COLUMN_THEN_ROW,
    )
    known = [] if places is None else places
    missing = sorted(set(range(max(known, default=0))) - set(known))
    if len(set(known)) < len(heights) or not missing:
        even = heights[-1] * np.arange(len(heights)) / (len(heights) - 1)
        return (
            f"expected evenly spaced slices, found them {steps.min():.4g} to {steps.max():.4g} mm "
            f"apart, one of them {np.abs(heights - even).max():.2g} mm away from its place"
        )
    named = ", ".join(str(number + 1) for number in missing[:NAMED])
    named += ", ..." if len(missing) > NAMED else ""
    number = "number" if len(missing) == 1 else "numbers"
    return (
        f"expected {max(known) + 1} slices {usual:.4g} mm apart, found {len(missing)} of them "
        f"missing: {number} {named}, counted from the {_first_end(orientation)} end"
    )


def _first_end(orientation: tuple[float, ...]) -> str:
    """Return the anatomical side that the first slice lies on."""
    row, column = np.reshape(orientation, (2, 3))
    normal = np.cross(row, column)
    axis = int(np.abs(normal).argmax())
    ends = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))
    return ends[axis][0 if normal[axis] > 0 else 1]
