"""Every conversion between index and position; the one place where half a pixel lives.

Along an axis, low-resolution pixel ``k`` spans ``[k, k + 1]`` (its *edges*); napari's
coordinates of the same points are smaller by one half, since there pixel ``k`` is centred on
``k``. All cells and offsets are computed with integers: ``floor(i / r)`` in floating point is
off by a whole pixel at some scales.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_metasr.volume import Plane, Window

Scale = float | Fraction | tuple[float | Fraction, float | Fraction]
Convention = Literal["center", "corner"]
PixelRange = tuple[int, int, int, int]

MAX_OUTPUT_SIZE = 1 << 16
HALF = Fraction(1, 2)


def nominal_scale(scale: float | Fraction) -> Fraction:
    """Return the scale a person wrote, exactly: 3.7 is 37/10.

    Raises
    ------
    ValueError
        If it is not a finite number of at least 1.
    """
    if not isinstance(scale, Fraction) and not math.isfinite(scale):
        raise ValueError(f"the scale must be a finite number of at least 1, found {scale}")
    exact = scale if isinstance(scale, Fraction) else Fraction(str(scale))
    if exact < 1:
        raise ValueError(f"the scale must be at least 1, found {float(exact):g}")
    return exact


def scale_pair(scale: Scale) -> tuple[Fraction, Fraction]:
    """Return (scale_y, scale_x) of a number or a pair.

    Raises
    ------
    ValueError
        If it is neither, or below 1.
    """
    pair = np.atleast_1d(np.asarray(scale, dtype=object))
    if pair.shape not in {(1,), (2,)}:
        raise ValueError(f"the scale must be a number or a pair (y, x), found {scale!r}")
    try:
        return nominal_scale(pair[0]), nominal_scale(pair[-1])
    except TypeError:
        raise ValueError(f"the scale must be a number or a pair (y, x), found {scale!r}") from None


def output_size(size: int, scale: float | Fraction) -> int:
    """Return ``round(n r)``, the number of output pixels of an axis with ``n`` input pixels.

    Raises
    ------
    ValueError
        If the scale is below 1 or not finite, or the output would have more than
        ``MAX_OUTPUT_SIZE`` pixels along the axis.
    """
    output = round(size * nominal_scale(scale))
    if output > MAX_OUTPUT_SIZE:
        raise ValueError(
            f"the scale {float(scale):g} would give {output:,} pixels along an axis, "
            f"more than the {MAX_OUTPUT_SIZE:,} supported"
        )
    return output


def fitted_shape(shape: tuple[int, int], longest: int, multiple: int = 1) -> tuple[int, int]:
    """Return a slice's shape resized so that its longer side has ``longest`` pixels.

    Both sides are multiples of ``multiple``, the nearest but at least one.
    """
    rows, columns = (
        max(round(Fraction(side * longest, max(shape) * multiple)), 1) * multiple for side in shape
    )
    return rows, columns


@dataclass(frozen=True)
class AxisGrid:
    """``N = output`` pixels laid over ``n = input`` pixels along one axis, middle on middle.

    Attributes
    ----------
    input, output
        Numbers of pixels.
    exact_step
        Input pixels from one output pixel to the next. By default ``n / N``, so that both cover
        the same; another one must leave every output centre inside the input.

    Raises
    ------
    ValueError
        If an output centre lies outside the input.
    """

    input: int
    output: int
    exact_step: Fraction | None = None

    def __post_init__(self) -> None:
        if self.exact_step is not None and (self.output - 1) * self.exact_step >= self.input:
            raise ValueError(
                f"expected {self.output} output pixels inside {self.input} input pixels, found "
                f"them {float(self.exact_step):g} input pixels apart"
            )

    @property
    def step(self) -> Fraction:
        """Input pixels from one output pixel to the next."""
        return self.exact_step or Fraction(self.input, self.output)

    @property
    def scale(self) -> Fraction:
        """The true scale, ``N / n`` where both cover the same."""
        return 1 / self.step

    @property
    def is_identity(self) -> bool:
        """Whether the output pixels are the input pixels."""
        return self.step == 1 and self.input == self.output

    def refined(self, factor: int) -> AxisGrid:
        """The same output pixels over input pixels that are ``factor`` times as many."""
        step = None if self.exact_step is None else self.exact_step * factor
        return AxisGrid(self.input * factor, self.output, step)

    def _numerators(self, twice_place: int) -> tuple[NDArray[np.int64], int]:
        """Places in output pixels, 1 being a centre, as integers over a common denominator."""
        p, q = self.step.as_integer_ratio()
        i = np.arange(self.output, dtype=np.int64)
        return self.input * q + (2 * i + twice_place - self.output) * p, 2 * q

    def cells(self, convention: Convention = "center") -> NDArray[np.int64]:
        """The low-resolution pixel that each output pixel falls in.

        ``(2i + 1) n // 2N`` by the centres of output pixels; ``i n // N`` by their corners
        (the convention of Hu et al. 2019 and of Meta-SRGAN's published code).
        """
        numerators, denominator = self._numerators(0 if convention == "corner" else 1)
        return np.maximum(numerators // denominator, 0)

    def offsets(self, convention: Convention = "center") -> NDArray[np.float64]:
        """Where each output pixel lies in its cell.

        From the cell's centre, in [-1/2, 1/2); in the corner convention from the cell's
        corner, in [0, 1), less only for a first pixel that reaches out of the input.
        """
        cells = self.cells(convention)
        if convention == "corner":
            numerators, denominator = self._numerators(0)
            return (numerators - cells * denominator) / denominator
        numerators, denominator = self._numerators(1)
        return (numerators - cells * denominator - denominator // 2) / denominator

    def positions(self) -> NDArray[np.float64]:
        """Output pixel centres in low-resolution pixel edges, ``(i + 1/2) n / N``."""
        numerators, denominator = self._numerators(1)
        return numerators / denominator

    def edge(self, place: float) -> Fraction:
        """A place in low-resolution pixel edges, in those of the output pixels."""
        middle = Fraction(self.input, 2)
        return (Fraction(place) - middle) * self.scale + Fraction(self.output, 2)

    def pixel_range(self, start: float, stop: float) -> tuple[int, int]:
        """The output pixels ``i0 .. i1 - 1`` whose centres lie in the edges ``[start, stop)``."""
        first, last = (
            min(max(math.ceil(self.edge(edge) - HALF), 0), self.output) for edge in (start, stop)
        )
        return first, last

    def place(self, scale: float, translate: float, first: int = 0) -> tuple[float, float]:
        """Spacing and centre of output pixel ``first``, in the units of the input's.

        ``scale`` is the input's spacing, ``translate`` the centre of its pixel 0.
        """
        middle = Fraction(self.input, 2)
        centre = middle + (first + HALF - Fraction(self.output, 2)) * self.step - HALF
        return scale * float(self.step), translate + scale * float(centre)


@dataclass(frozen=True)
class OutputGrid:
    """The one output grid of a slice at a scale: two axes, rows and columns."""

    rows: AxisGrid
    columns: AxisGrid

    @classmethod
    def at_scale(cls, shape: tuple[int, ...], scale: Scale) -> OutputGrid:
        """The grid of a slice of this shape at a number or a pair (scale_y, scale_x).

        Raises
        ------
        ValueError
            If the scale is below 1, not finite or too large, or the slice is empty.
        """
        if len(shape) != 2 or min(shape) < 1:
            raise ValueError(f"expected a 2-D slice with at least one pixel, found shape {shape}")
        scale_y, scale_x = scale_pair(scale)
        return cls(
            AxisGrid(shape[0], output_size(shape[0], scale_y)),
            AxisGrid(shape[1], output_size(shape[1], scale_x)),
        )

    @property
    def input_shape(self) -> tuple[int, int]:
        """Rows and columns of the low-resolution slice."""
        return self.rows.input, self.columns.input

    @property
    def output_shape(self) -> tuple[int, int]:
        """Rows and columns of the whole output."""
        return self.rows.output, self.columns.output

    @property
    def true_scale(self) -> tuple[float, float]:
        """``N / n`` of rows and columns: the scale that is shown and used."""
        return float(self.rows.scale), float(self.columns.scale)

    @cached_property
    def inverse_scale(self) -> float:
        """``1 / sqrt(r_y r_x)``, the third input of the weight prediction network."""
        return 1 / math.sqrt(self.rows.scale * self.columns.scale)

    def pixel_range(self, window: Window | None = None) -> PixelRange:
        """The output pixels (i0, j0, i1, j1) that a window selects; all without one.

        Parameters
        ----------
        window
            Low-resolution edges (top, left, bottom, right); they may be fractional, and are
            clipped to the slice.

        Raises
        ------
        ValueError
            If no output pixel's centre lies in the window.
        """
        if window is None:
            return 0, 0, self.rows.output, self.columns.output
        if len(window) != 4 or not all(math.isfinite(edge) for edge in window):
            raise ValueError(
                "a window is four finite edges (top, left, bottom, right) in low-resolution "
                f"pixels, found {window!r}"
            )
        top, left, bottom, right = window
        i0, i1 = self.rows.pixel_range(top, bottom)
        j0, j1 = self.columns.pixel_range(left, right)
        if i1 <= i0 or j1 <= j0:
            raise ValueError(
                f"the window {tuple(map(float, window))} holds no output pixel of the slice of "
                f"{self.rows.input} x {self.columns.input} pixels"
            )
        return i0, j0, i1, j1

    def layer_transform(
        self,
        scale: Sequence[float],
        translate: Sequence[float],
        window: Window | None = None,
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """(scale, translate) of a napari layer that shows the window in its place.

        Parameters
        ----------
        scale, translate
            Those of the layer with the low-resolution slice, rows and columns.
        """
        i0, j0, _, _ = self.pixel_range(window)
        scale_y, translate_y = self.rows.place(scale[0], translate[0], i0)
        scale_x, translate_x = self.columns.place(scale[1], translate[1], j0)
        return (scale_y, scale_x), (translate_y, translate_x)


def cell_blocks(cells: NDArray[np.int64], size: int) -> Iterator[tuple[int, int, int]]:
    """Split sorted cells into tiles of ``size`` cells: (tile, first index, last index + 1)."""
    tiles = cells // size
    starts = np.flatnonzero(np.diff(tiles, prepend=-1))
    for first, last in zip(starts, [*starts[1:], len(cells)], strict=True):
        yield int(tiles[first]), int(first), int(last)


def snapped_window(region: Window, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """The smallest rectangle of whole pixels (top, left, bottom, right) that covers a region."""
    top, left, bottom, right = region
    return (
        max(math.floor(top), 0),
        max(math.floor(left), 0),
        min(math.ceil(bottom), shape[0]),
        min(math.ceil(right), shape[1]),
    )


def centred_window(centre: tuple[float, float], height: float, width: float) -> Window:
    """The window of this size (low-resolution pixels) around a point given in pixel edges."""
    return (
        centre[0] - height / 2,
        centre[1] - width / 2,
        centre[0] + height / 2,
        centre[1] + width / 2,
    )


def window_centre(window: Window) -> tuple[float, float]:
    """The middle of a window, in low-resolution pixel edges."""
    top, left, bottom, right = window
    return (top + bottom) / 2, (left + right) / 2


def middle_index(size: int) -> float:
    """The middle of an axis as an array index, where pixel ``k`` is centred on ``k``."""
    return size / 2 - float(HALF)


def edges_from_napari(coordinate: float, scale: float, translate: float) -> float:
    """A world coordinate of a napari layer's axis as a low-resolution pixel edge."""
    return (coordinate - translate) / scale + float(HALF)


def napari_from_edges(edge: float, scale: float, translate: float) -> float:
    """A low-resolution pixel edge as a world coordinate of a napari layer's axis."""
    return (edge - float(HALF)) * scale + translate


def resampled_affine(
    affine: NDArray[np.float64],
    n_in: Sequence[int],
    n_out: Sequence[int],
    first_out: Sequence[int] = (0, 0, 0),
) -> NDArray[np.float64]:
    """The affine of a volume resampled from ``n_in`` to ``n_out`` voxels, same field of view.

    Parameters
    ----------
    affine
        4 x 4, voxel (x, y, z) to world mm, of the input.
    n_in, n_out
        Numbers of voxels along x, y, z; the step is their quotient, not a nominal factor.
    first_out
        The output voxel that the returned affine maps index (0, 0, 0) to.
    """
    grids = (AxisGrid(int(before), int(after)) for before, after in zip(n_in, n_out, strict=True))
    return affine_on(affine, tuple(grids), first_out)


def affine_on(
    affine: NDArray[np.float64], grids: Sequence[AxisGrid], first_out: Sequence[int] = (0, 0, 0)
) -> NDArray[np.float64]:
    """The affine of a volume resampled onto grids along x, y, z; see `resampled_affine`."""
    to_input = np.eye(4)
    for axis, (grid, first) in enumerate(zip(grids, first_out, strict=True)):
        step, start = grid.place(1.0, 0.0, int(first))
        to_input[axis, axis] = step
        to_input[axis, 3] = start
    return affine @ to_input


def slice_affine(
    affine: NDArray[np.float64],
    shape: Sequence[int],
    plane: Plane,
    index: int,
    grid: OutputGrid,
    window: Window | None = None,
) -> NDArray[np.float64]:
    """The affine of a rendered window as a canonical (x, y, z) volume one slice thick.

    Parameters
    ----------
    affine, shape
        Of the canonical volume: 4 x 4, and its size in (z, y, x).
    plane, index
        Which slice was rendered.
    grid, window
        How it was rendered.
    """
    i0, j0, _, _ = grid.pixel_range(window)
    n_out, first = list(shape), [0, 0, 0]
    n_out[plane.row_axis], n_out[plane.column_axis] = grid.output_shape
    first[plane.row_axis], first[plane.column_axis] = i0, j0
    first[plane.normal_axis] = index
    return resampled_affine(affine, shape[::-1], n_out[::-1], first[::-1])


def slice_to_volume(image: NDArray, plane: Plane) -> NDArray:
    """A (rows, columns) slice as a (z, y, x) array one slice thick."""
    return np.expand_dims(image, plane.normal_axis)


def square_shape(shape: tuple[int, int], spacing: tuple[float, float]) -> tuple[int, int]:
    """Rows and columns of the same slice in square pixels of the smaller spacing."""
    side = min(spacing)
    rows, columns = (round(size * step / side) for size, step in zip(shape, spacing, strict=True))
    return rows, columns


def world_of_edges(affine: NDArray[np.float64], edges: NDArray[Any]) -> NDArray[np.float64]:
    """World positions (mm) of points given in voxel edges, where voxel ``k`` spans [k, k + 1].

    Parameters
    ----------
    affine
        4 x 4, voxel (x, y, z) to world mm.
    edges : ndarray, shape (..., 3)
        Along x, y, z.
    """
    return (np.asarray(edges) - float(HALF)) @ affine[:3, :3].T + affine[:3, 3]


def edges_of_world(affine: NDArray[np.float64], points: NDArray[Any]) -> NDArray[np.float64]:
    """Voxel edges of world positions (mm); the inverse of `world_of_edges`."""
    inverse = np.linalg.inv(affine)
    return np.asarray(points) @ inverse[:3, :3].T + inverse[:3, 3] + float(HALF)


def box_corners(box: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """The eight corners, shape (8, 3), of a box given as (start, stop) along three axes."""
    return np.stack(np.meshgrid(*box, indexing="ij"), axis=-1).reshape(8, 3).astype(np.float64)


_AXIS_LETTERS = (("I", "S"), ("P", "A"), ("L", "R"))
_OPPOSITE = {"up": "down", "down": "up", "left": "right", "right": "left"}
_SIDES = {"up": "top", "down": "bottom", "left": "left", "right": "right"}
RADIOLOGICAL = ("up", "left")
NEUROLOGICAL = ("up", "right")


def edge_letters(
    row_axis: int, column_axis: int, orientation2d: tuple[str, str] = RADIOLOGICAL
) -> dict[str, str]:
    """The anatomical letters at the four edges of a displayed canonical plane.

    Parameters
    ----------
    row_axis, column_axis
        Displayed (z, y, x) axes, vertical and horizontal.
    orientation2d
        Where the two axes point on the screen, as napari's camera names it.

    Returns
    -------
    dict
        ``top``, ``bottom``, ``left``, ``right`` to one of L R A P S I.
    """
    letters = {}
    for axis, direction in zip((row_axis, column_axis), orientation2d, strict=True):
        negative, positive = _AXIS_LETTERS[axis]
        letters[_SIDES[direction]] = positive
        letters[_SIDES[_OPPOSITE[direction]]] = negative
    return letters


def as_displayed(image: NDArray, orientation2d: tuple[str, str] = RADIOLOGICAL) -> NDArray:
    """A plane's array as a picture, first row on top: flipped to where its axes point."""
    if orientation2d[0] == "up":
        image = image[::-1]
    return image[:, ::-1] if orientation2d[1] == "left" else image
