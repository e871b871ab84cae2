"""Small lesions of known size and contrast: how they are drawn, and how they are looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_metasr.degradations.slice_profile import WIDTHS_IN_HALF_MAXIMUM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SUBPIXELS = 5
"""Points along a pixel's side at which a shape is sampled."""

RING = (1.5, 2.0)
"""Inner and outer radius of the surroundings, in radii of the lesion, beyond which come pixels."""

RING_PIXELS = (1.0, 2.5)
"""What is added to both, in pixels: what a lesion loses to its neighbours is not its ground."""

FLAT = 0.25
"""Local contrast, as a share of the lesions', up to which tissue counts as flat."""

APART = 4.0
"""Pixels of the reduced slice between the surroundings of two lesions."""


class Shape(StrEnum):
    """What is put in: a disc with a sharp edge, or a Gaussian as wide at half its height."""

    DOT = "dot"
    BLOB = "blob"


@dataclass(frozen=True)
class Place:
    """A lesion in a slice.

    Attributes
    ----------
    row, column
        Its centre, in pixels; 0 is the centre of the first pixel.
    shape
        What it looks like.
    """

    row: float
    column: float
    shape: Shape


class Probe:
    """Draw lesions of one diameter, and measure their contrast against their surroundings.

    The contrast at a place is the mean over a disc of the lesion's diameter less the mean over a
    ring around it.

    Parameters
    ----------
    diameter
        In mm (or pixels, of a picture); the full width at half maximum of a blob.
    spacing
        Distance between rows and between columns, in the same unit.
    """

    def __init__(self, diameter: float, spacing: tuple[float, float]) -> None:
        self.diameter, self._spacing = diameter, spacing
        pixel = math.sqrt(spacing[0] * spacing[1])
        radius = diameter / 2
        self._radius = radius
        self._inner, self._outer = (
            share * radius + more * pixel for share, more in zip(RING, RING_PIXELS, strict=True)
        )
        self.reach = tuple(math.ceil(self._outer / step) + 1 for step in spacing)

    @property
    def surroundings(self) -> float:
        """Radius of the surroundings, in mm."""
        return self._outer

    def patch(self, place: Place) -> tuple[slice, slice]:
        """Return the pixels around a place."""
        rows, columns = (
            slice(round(centre) - reach, round(centre) + reach + 1)
            for centre, reach in zip((place.row, place.column), self.reach, strict=True)
        )
        return rows, columns

    def drawn(self, place: Place) -> NDArray[np.float64]:
        """Draw a lesion of height 1 on the pixels of its `patch`."""
        distance = self._distances(place)
        if place.shape is Shape.DOT:
            values = (distance <= self._radius).astype(np.float64)
        else:
            width = self.diameter / WIDTHS_IN_HALF_MAXIMUM
            values = np.exp(-((distance / width) ** 2) / 2)
        return _per_pixel(values)

    def weights(self, place: Place) -> NDArray[np.float64]:
        """Return the weights on a place's `patch` whose sum over an image is its contrast."""
        distance = self._distances(place)
        core = _per_pixel((distance <= self._radius).astype(np.float64))
        ring = _per_pixel(((distance > self._inner) & (distance <= self._outer)).astype(np.float64))
        if not core.any():  # smaller than the points that it is sampled at
            core[tuple(size // 2 for size in core.shape)] = 1
        return core / core.sum() - ring / ring.sum()

    def own(self, place: Place) -> float:
        """Return the contrast of a lesion of height 1 that lies alone on even ground."""
        return float((self.weights(place) * self.drawn(place)).sum())

    def contrast(self, image: NDArray[np.floating], place: Place) -> float:
        """Measure the contrast at a place."""
        return float((self.weights(place) * image[self.patch(place)]).sum())

    def contrasts(self, image: NDArray[np.floating]) -> NDArray[np.float64]:
        """Measure the contrast around the centre of every pixel, (rows, columns)."""
        weights = self.weights(Place(0, 0, Shape.DOT))
        found: NDArray[np.float64] = ndimage.correlate(
            image.astype(np.float64), weights, mode="nearest"
        )
        return found

    def _distances(self, place: Place) -> NDArray[np.float64]:
        """Return distances from a place at the points of its patch's pixels, in mm."""
        points = (np.arange(SUBPIXELS) + 1 / 2) / SUBPIXELS - 1 / 2
        axes = []
        for centre, reach, step in zip(
            (place.row, place.column), self.reach, self._spacing, strict=True
        ):
            pixels = np.arange(-reach, reach + 1) + round(centre) - centre
            axes.append(((pixels[:, None] + points) * step).ravel())
        return np.hypot(axes[0][:, None], axes[1])


def _per_pixel(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over the points of each pixel."""
    rows, columns = (size // SUBPIXELS for size in values.shape)
    return values.reshape(rows, SUBPIXELS, columns, SUBPIXELS).mean(axis=(1, 3))


def flat_tissue(
    probe: Probe,
    image: NDArray[np.floating],
    head: NDArray[np.bool_],
    contrast: float,
    spacing: tuple[float, float],
) -> NDArray[np.bool_]:
    """Mark the pixels around which tissue is flat, so that a lesion there is known for one.

    Parameters
    ----------
    image, head
        The slice, and where the head is.
    contrast
        Of the lesions, in the slice's units.
    spacing
        Between rows and columns, in mm.
    """
    padded = np.pad(head, 1)
    depth = ndimage.distance_transform_edt(padded, sampling=spacing)[1:-1, 1:-1]
    flat = np.abs(probe.contrasts(image)) <= FLAT * abs(contrast)
    inside = np.zeros(head.shape, bool)
    rows, columns = probe.reach
    inside[rows + 1 : -rows - 1, columns + 1 : -columns - 1] = True
    marked: NDArray[np.bool_] = inside & flat & (depth > probe.surroundings)
    return marked


def places(
    probe: Probe,
    allowed: NDArray[np.bool_],
    spacing: tuple[float, float],
    scale: float,
    most: int,
    rng: np.random.Generator,
) -> Iterator[Place]:
    """Choose places at random, far enough from each other, as many dots as blobs.

    Parameters
    ----------
    allowed
        Pixels that a lesion may be centred in.
    scale
        By how much the slice will be reduced.
    most
        How many at most.
    """
    left = allowed.copy()
    apart = 2 * probe.surroundings + APART * scale * max(spacing)
    rows, columns = (np.arange(size) * step for size, step in zip(left.shape, spacing, strict=True))
    for number in range(most):
        candidates = np.flatnonzero(left)
        if not candidates.size:
            return
        row, column = np.unravel_index(rng.choice(candidates), left.shape)
        shift = rng.uniform(-1 / 2, 1 / 2, 2)
        shape = Shape.BLOB if number % 2 else Shape.DOT
        yield Place(float(row + shift[0]), float(column + shift[1]), shape)
        far = np.hypot((rows - rows[row])[:, None], columns - columns[column]) >= apart
        left &= far
