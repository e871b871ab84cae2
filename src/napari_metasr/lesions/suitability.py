"""Whether an image is like what a detector was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_metasr.geometry.grids import square_shape
from napari_metasr.lesions.brightness import brightness, head_share, unlike
from napari_metasr.normalisation import LinearMap, fill_missing
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_metasr.io.protocols import SlicedVolume
    from napari_metasr.weights import OperatingPoint

LEAST_HEAD_SHARE = 0.01
SMALL_HEAD_SHARE = 0.08
FULL = 0.85
LOOKED_AT = 32
"""Slices, evenly spread, that intensities are judged by."""

ENOUGH_PIXELS = 96
"""Pixels of a slice's shorter side, evenly spread: more hardly move its quantiles."""


def has_head(normalised: NDArray[Any]) -> bool:
    """Return whether enough of a slice (0..1) is brighter than air to search it."""
    return head_share(normalised) >= LEAST_HEAD_SHARE


def check_size(shape: tuple[int, int], spacing: tuple[float, float]) -> None:
    """Refuse slices that no detector can look at.

    Raises
    ------
    ValueError
        If the spacing is not positive, or a side has fewer than 32 square pixels.
    """
    from napari_metasr.networks.lesion_detector import SMALLEST

    if min(spacing) <= 0:
        raise ValueError(f"expected a positive spacing, found {spacing}")
    rows, columns = square_shape(shape, spacing)
    if min(rows, columns) < SMALLEST:
        raise ValueError(
            f"expected slices of at least {SMALLEST} x {SMALLEST} square pixels to look for "
            f"tumours in, found {rows} x {columns}"
        )


def concerns(
    volume: SlicedVolume, plane: Plane, point: OperatingPoint, *, time: int = 0
) -> tuple[str, ...]:
    """List concerns about a detector on this image.

    Parameters
    ----------
    volume, plane, time
        What is to be looked through; intensities are judged by axial slices.
    point
        Of the detector: the planes and the brightness that it was trained on.

    Returns
    -------
    tuple of str
        Sentences; none if there is no concern.

    Raises
    ------
    ValueError
        If the detector cannot be asked at all: the image is constant, its slices are tiny, or
        there is nothing in it that could be a head.
    """
    rows, columns = volume.slice(plane, 0, time).shape
    check_size((rows, columns), volume.plane_spacing(plane))
    low, high = volume.range_at(time)
    if high <= low:
        raise ValueError(
            f"expected an image to look for tumours in, found the value {low:g} everywhere"
        )
    slices = list(_normalised(volume, time))
    largest = max(map(head_share, slices))
    if largest < LEAST_HEAD_SHARE:
        raise ValueError(
            "expected a head to look for tumours in, found nothing but background: in no slice "
            f"is more than {LEAST_HEAD_SHARE:.0%} brighter than air"
        )
    reasons = []
    if plane not in point.planes:
        reasons.append(
            f"The detector learned from volumes in {' and '.join(point.planes)} slices; these are "
            f"{plane} ones, in which it may find what is not there and miss what is."
        )
    if largest < SMALL_HEAD_SHARE:
        reasons.append(
            f"No slice has a head that fills more than {largest:.0%} of it: is this a brain?"
        )
    if min(map(head_share, slices)) > FULL:
        reasons.append("There is no air round what is seen: is this a whole head?")
    far = unlike(map(brightness, slices), point.brightness)
    if far:
        found = ", ".join(f"{name}: {distance:+.1f}" for name, distance in far.items())
        reasons.append(
            "The intensities are far from those of the training images (quantiles in the head, "
            f"in standard deviations: {found}): is this another contrast, such as T2, FLAIR or "
            "T1 without contrast agent? What is found in it means little."
        )
    return tuple(reasons)


def _normalised(volume: SlicedVolume, time: int) -> Iterator[NDArray[Any]]:
    """Return axial slices, every n-th pixel of large ones, intensities 0..1."""
    to_unit = LinearMap(*volume.range_at(time))
    count = volume.slice_count()
    for index in range(0, count, -(-count // LOOKED_AT)):
        image = volume.slice(Plane.AXIAL, index, time)
        step = max(min(image.shape) // ENOUGH_PIXELS, 1)
        filled, _ = fill_missing(image[::step, ::step], to_unit.low)
        yield to_unit.forward(filled)
