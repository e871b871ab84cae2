"""A slice laid on a field of zeros, with the points that patches are centred on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from metasr_training.datasets.eight_bits import eight_bit_range
from metasr_training.datasets.masked import Masked, masked
from metasr_training.datasets.windows import maximal_information_crop
from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import FAINT_HEAD_LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice

Windows = Literal["head", "crop", "roi"]

STEP = 8


@dataclass(frozen=True)
class Placing:
    """How a canvas is moved cyclically, turned and flipped.

    Attributes
    ----------
    point
        Row and column of the canvas that come to its middle, round which it is turned.
    turns, flipped
        Quarter turns, and whether rows are mirrored after them.
    centre
        Row and column that the middle comes to then.
    """

    point: NDArray[np.int64]
    turns: int
    flipped: bool
    centre: NDArray[np.int64]

    def of(self, field: NDArray[Any]) -> NDArray[Any]:
        """Move, turn and flip a square field of the canvas's size."""
        middle = len(field) // 2
        field = np.roll(field, tuple(middle - self.point), axis=(0, 1))
        field = np.rot90(field, self.turns)
        if self.flipped:
            field = field[::-1]
        return np.roll(field, tuple(self.centre - middle), axis=(0, 1))


@dataclass(frozen=True)
class Canvas:
    """A slice on a square field.

    Attributes
    ----------
    image
        (canvas, canvas), intensities 0..1.
    points
        (n, 2), rows and columns that a patch may be centred on.
    jitter
        Pixels by which a point is moved at random.
    levels
        What 0 and 1 are on the 0..255 scale.
    source
        Data set.
    """

    image: NDArray[np.float16]
    points: NDArray[np.int16]
    jitter: int
    levels: tuple[float, float]
    source: str

    def place(self, rows: slice, columns: slice, rng: np.random.Generator) -> Placing:
        """Draw how the canvas is turned and moved, so that a point comes to the patch's middle."""
        point = self.points[int(rng.integers(len(self.points)))].astype(int)
        if self.jitter:
            point = point + rng.integers(0, self.jitter, 2)
        turns, flipped = int(rng.integers(4)), bool(rng.random() < 1 / 2)
        centre = np.array([rows.start + rows.stop, columns.start + columns.stop]) // 2
        return Placing(point, turns, flipped, centre)

    @cached_property
    def masked(self) -> Masked | None:
        """The canvas with the mask that makes a skull-stripped scan of it; None without a brain."""
        if self.source == "natural":
            return None
        image = self.image.astype(np.float32)
        found = masked(image)
        if found is None:
            return None
        tissue = self.image if found.tissue is image else found.tissue.astype(np.float16)
        return replace(found, tissue=tissue)

    def with_levels(
        self,
        image: NDArray[np.float32],
        change: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Change an image of this canvas's intensities on the 0..255 scale."""
        low, high = self.levels
        return (change(image * (high - low) + low) - low) / (high - low)


def _unwrapped(
    points: NDArray[np.int64], shape: tuple[int, int], reach: tuple[int, int], jitter: int
) -> NDArray[np.int64]:
    """Move points inwards until nothing within their reach comes from the opposite border.

    All move to the image's middle if it is no larger than that.
    """
    middles = [size // 2 for size in shape]
    low = [min(far + 1, middle) for far, middle in zip(reach, middles, strict=True)]
    high = [
        max(size - far - 1 - jitter, least)
        for size, far, least in zip(shape, reach, low, strict=True)
    ]
    return np.unique(np.clip(points, low, high), axis=0)


def _points(
    image: NDArray[np.float32],
    windows: Windows,
    canvas: int,
    patch: int,
    shown: int,
    crop: tuple[int, int],
    box: Window | None,
) -> tuple[NDArray[np.int16], int]:
    """Return the possible centres of an image's patches, and by how much they may be moved."""
    shape = (image.shape[0], image.shape[1])
    if windows == "head":
        head = np.argwhere(image[::STEP, ::STEP] > FAINT_HEAD_LEVEL) * STEP
        reach = shown // 2, shown // 2
        points = _unwrapped(head, shape, reach, STEP).astype(np.int16)
        return points, STEP if len(points) > 1 else 0
    if windows == "roi":
        if box is None:
            return np.empty((0, 2), np.int16), 0
        # The patch is moved into the slice, as in evaluation; around it there may be the field's
        # zeros, but not the slice's other side.
        context = (shown - patch + 1) // 2
        rows, columns = (patch // 2 + max(context - (canvas - size), 0) for size in shape)
        centre = np.array([box.centre]).astype(int)
        return _unwrapped(centre, shape, (rows, columns), 0).astype(np.int16), 0
    top, left, bottom, right = maximal_information_crop(image, crop)
    ranges = []
    for start, stop in ((top, bottom), (left, right)):
        first = min(start + patch // 2, (start + stop) // 2)
        ranges.append(range(first, max(stop - patch // 2, first + 1), STEP))
    return np.array([(y, x) for y in ranges[0] for x in ranges[1]], np.int16), STEP


def _tile_starts(size: int, canvas: int, around: float | None) -> list[int]:
    """Return where tiles of ``canvas`` pixels begin: one around a point, or a cover of the axis."""
    if size <= canvas:
        return [0]
    if around is not None:
        return [min(max(int(around) - canvas // 2, 0), size - canvas)]
    count = -(-size // canvas)
    return [round(i * (size - canvas) / (count - 1)) for i in range(count)]


def _natural_points(shape: tuple[int, int], patch: int) -> NDArray[np.int16]:
    """Return points whose patch, with a margin, lies within an image that has no dark border."""
    margin = patch // 2 + 2 * STEP
    ranges = [
        range(min(margin, size // 2), max(size - margin, size // 2 + 1), STEP) for size in shape
    ]
    return np.array([(y, x) for y in ranges[0] for x in ranges[1]], np.int16)


def canvases_of(
    one: Slice,
    windows: Windows,
    *,
    canvas: int,
    patch: int,
    shown: int,
    crop: tuple[int, int],
    box: Window | None = None,
) -> list[Canvas]:
    """Lay a slice on one canvas, or on several tiles if it is larger than the canvas.

    The list is empty if the slice has nothing that the windows are centred on.

    Parameters
    ----------
    one, windows
        A slice, and where patches come from.
    canvas, patch
        Rows and columns of each, in pixels.
    crop
        Rows and columns of the maximal-information crop.
    shown
        Of the patch with its context. ``head`` windows keep it inside the slice; where it is
        about as large, patches are centred on the slice's middle. ``roi`` windows keep the patch
        inside.
    box
        The region of interest that ``roi`` windows need; they take the tile around its middle.
    """
    natural = one.source == "natural"
    image = one.normalised
    row, column = box.centre if windows == "roi" and box else (None, None)
    found = []
    for top in _tile_starts(image.shape[0], canvas, row):
        for left in _tile_starts(image.shape[1], canvas, column):
            tile = image[top : top + canvas, left : left + canvas]
            shape = (tile.shape[0], tile.shape[1])
            if natural:
                points, jitter = _natural_points(shape, patch), STEP
            else:
                inner = (
                    Window(box[0] - top, box[1] - left, box[2] - top, box[3] - left)
                    if box
                    else None
                )
                points, jitter = _points(tile, windows, canvas, patch, shown, crop, inner)
            if len(points):
                field = np.zeros((canvas, canvas), np.float16)
                field[: shape[0], : shape[1]] = tile
                found.append(Canvas(field, points, jitter, eight_bit_range(one), one.source))
    return found
