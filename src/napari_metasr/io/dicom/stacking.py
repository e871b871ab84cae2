"""Images to a stack: sorted, every one in its place, or refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.io.dicom.diagnosis import COLUMN_THEN_ROW, diagnosis
from napari_metasr.io.dicom.frame import RefusalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.frame import Frame, Place

__all__ = ["Slots", "places_of", "slots_of"]

ASTRAY = 0.05
"""By so much of a voxel a slice may lie beside its place in a regular stack."""

PERPENDICULAR = 1e-3
SAME_PLACE = 2e-3
UNKNOWN_THICKNESS = 1.0


@dataclass(frozen=True)
class Slots:
    """The places of a regular stack, and which image lies in which.

    Attributes
    ----------
    index
        The place of each image, from 0, along the third axis.
    count
        How many places there are.
    affine
        4 x 4, voxel (column, row, place) to world mm (RAS+).
    """

    index: NDArray[np.intp]
    count: int
    affine: NDArray[np.float64]


def slots_of(frames: Sequence[Frame]) -> Slots:
    """Find the regular stack that images of one orientation make up.

    The third axis runs along the normal for which column, row and slice are right-handed, whatever
    the order of the files. Several images may lie at one place.

    Raises
    ------
    RefusalError
        If they have no place, are sheared against each other (gantry tilt), lack slices or are
        not evenly spaced; with the angle, the places or the spacings.
    """
    from highdicom.spatial import get_normal_vector, get_volume_positions

    grid = _checked(frames)
    normal = get_normal_vector(grid.orientation, index_convention=COLUMN_THEN_ROW)
    positions = np.array([frame.place.position for frame in frames if frame.place is not None])
    distances = positions @ normal
    place = places_of(distances)
    _check_in_plane(positions, place)
    unique = positions[np.unique(place, return_index=True)[1]]
    if len(unique) == 1:
        thickness = abs(frames[0].gap or frames[0].thickness or UNKNOWN_THICKNESS)
        return Slots(place, 1, _affine(grid, unique[0], thickness))
    spacing, _ = get_volume_positions(
        unique.tolist(), grid.orientation, rtol=ASTRAY, index_convention=COLUMN_THEN_ROW
    )
    if spacing is None or _is_astray(unique, normal, spacing, grid.pixel_spacing):
        raise RefusalError(diagnosis(unique, normal, grid, ASTRAY))
    return Slots(place, len(unique), _affine(grid, unique[0], spacing))


def _checked(frames: Sequence[Frame]) -> Place:
    """Check the place of every image and return the first one's, which gives the orientation."""
    place = frames[0].place
    if place is None or any(frame.place is None for frame in frames):
        raise RefusalError("expected a place in the patient for each image, found none")
    positions = [frame.place.position for frame in frames if frame.place is not None]
    if not (np.isfinite(positions).all() and np.isfinite(place.orientation).all()):
        raise RefusalError("expected a finite place for each image, found NaN or Inf")
    if not (np.isfinite(place.pixel_spacing).all() and min(place.pixel_spacing) > 0):
        raise RefusalError("expected a pixel spacing in mm, found none")
    row, column = np.reshape(place.orientation, (2, 3))
    if not np.allclose([row @ row, column @ column, row @ column], [1, 1, 0], atol=PERPENDICULAR):
        raise RefusalError(
            "expected rows and columns at right angles, found direction cosines that are not"
        )
    return place


def places_of(distances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Assign each image a number, equal for images in one plane and rising along the normal."""
    order = np.argsort(distances, kind="stable")
    steps = np.diff(distances[order], prepend=distances[order[:1]]) > SAME_PLACE
    places = np.empty(len(distances), np.intp)
    places[order] = np.cumsum(steps)
    return places


def _check_in_plane(positions: NDArray[np.float64], place: NDArray[np.intp]) -> None:
    order = np.argsort(place, kind="stable")
    same = np.diff(place[order]) == 0
    shifts = np.linalg.norm(np.diff(positions[order], axis=0), axis=1)
    if (shifts[same] > SAME_PLACE).any():
        raise RefusalError(
            "expected slices on top of each other, found some side by side in one plane"
        )


def _is_astray(
    positions: NDArray[np.float64],
    normal: NDArray[np.float64],
    spacing: float,
    pixel_spacing: tuple[float, float],
) -> bool:
    """Return whether a slice lies off its place in the stack that begins with the first one."""
    astray = positions - positions[0] - np.outer(spacing * np.arange(len(positions)), normal)
    along = astray @ normal
    beside = np.linalg.norm(astray - np.outer(along, normal), axis=1)
    return bool(
        np.abs(along).max() > ASTRAY * spacing or beside.max() > ASTRAY * min(pixel_spacing)
    )


def _affine(place: Place, position: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    from highdicom.spatial import (
        convert_affine_to_convention,
        create_affine_matrix_from_attributes,
    )

    lps = create_affine_matrix_from_attributes(
        image_position=position.tolist(),
        image_orientation=place.orientation,
        pixel_spacing=place.pixel_spacing,
        spacing_between_slices=spacing,
        index_convention=COLUMN_THEN_ROW,
    )
    return np.asarray(convert_affine_to_convention(lps, "LPS", "RAS"))
