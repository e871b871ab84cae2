"""Grids of output pixels on an axis and on a slice, in exact integers and fractions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_metasr.geometry.windows import Window

Scale = float | Fraction | tuple[float | Fraction, float | Fraction]
PixelRange = tuple[int, int, int, int]
MAX_OUTPUT_SIZE = 1 << 16
HALF = Fraction(1, 2)


class Convention(StrEnum):
    """Which place of an output pixel says in which cell it lies; the values are networks' options.

    ``center`` is ours, ``corner`` that of Hu et al. 2019 and of Meta-SRGAN's published code.
    """

    CENTER = "center"
    CORNER = "corner"

    @property
    def first_offset(self) -> float:
        """The least offset of an output pixel in its cell; the largest one is nearly 1 more."""
        return -1 / 2 if self is Convention.CENTER else 0.0

    @property
    def margin(self) -> int:
        """Cells above and left of a window that its first pixels may lie in."""
        return 0 if self is Convention.CENTER else 1


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
        """Lay the same output pixels over input pixels that are ``factor`` times as many."""
        step = None if self.exact_step is None else self.exact_step * factor
        return AxisGrid(self.input * factor, self.output, step)

    def _numerators(self, twice_place: int) -> tuple[NDArray[np.int64], int]:
        """Return places in output pixels, 1 is a centre, as integers over a common denominator."""
        p, q = self.step.as_integer_ratio()
        i = np.arange(self.output, dtype=np.int64)
        return self.input * q + (2 * i + twice_place - self.output) * p, 2 * q

    def cells(self, convention: Convention = Convention.CENTER) -> NDArray[np.int64]:
        """Return the low-resolution pixel that each output pixel falls in.

        ``(2i + 1) n // 2N`` by the centres of output pixels; ``i n // N`` by their corners.
        """
        numerators, denominator = self._numerators(0 if convention is Convention.CORNER else 1)
        return np.maximum(numerators // denominator, 0)

    def offsets(self, convention: Convention = Convention.CENTER) -> NDArray[np.float64]:
        """Return the offset of each output pixel in its cell.

        It counts from the cell's centre, in [-1/2, 1/2); in the corner convention from the cell's
        corner, in [0, 1), less only for a first pixel that reaches out of the input.
        """
        cells = self.cells(convention)
        if convention is Convention.CORNER:
            numerators, denominator = self._numerators(0)
            return (numerators - cells * denominator) / denominator
        numerators, denominator = self._numerators(1)
        return (numerators - cells * denominator - denominator // 2) / denominator

    def positions(self) -> NDArray[np.float64]:
        """Return output pixel centres in low-resolution pixel edges, ``(i + 1/2) n / N``."""
        numerators, denominator = self._numerators(1)
        return numerators / denominator

    def edge(self, place: float) -> Fraction:
        """Convert a place from low-resolution pixel edges to those of the output pixels."""
        middle = Fraction(self.input, 2)
        return (Fraction(place) - middle) * self.scale + Fraction(self.output, 2)

    def pixel_range(self, start: float, stop: float) -> tuple[int, int]:
        """Find the output pixels ``i0 .. i1 - 1`` whose centres lie in edges ``[start, stop)``."""
        first, last = (
            min(max(math.ceil(self.edge(edge) - HALF), 0), self.output) for edge in (start, stop)
        )
        return first, last

    def place(self, scale: float, translate: float, first: int = 0) -> tuple[float, float]:
        """Return spacing and centre of output pixel ``first``, in the units of the input's.

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
        """Return the grid of a slice of this shape at a number or a pair (scale_y, scale_x).

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
        """Return the output pixels (i0, j0, i1, j1) that a window selects; all without one.

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

    def in_cells(self, image: NDArray[Any], pixels: PixelRange | None = None) -> NDArray[Any]:
        """Return an image's values at output pixels: those of the cells that they fall in.

        Parameters
        ----------
        image
            (rows, columns) of the low-resolution slice.
        pixels
            Output pixels (i0, j0, i1, j1); all by default.
        """
        i0, j0, i1, j1 = self.pixel_range() if pixels is None else pixels
        rows, columns = self.rows.cells()[i0:i1], self.columns.cells()[j0:j1]
        found: NDArray[Any] = image.take(rows, axis=0).take(columns, axis=1)
        return found

    def layer_transform(
        self,
        scale: Sequence[float],
        translate: Sequence[float],
        window: Window | None = None,
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return (scale, translate) of a napari layer that shows the window in its place.

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


def square_shape(shape: tuple[int, int], spacing: tuple[float, float]) -> tuple[int, int]:
    """Return the rows and columns of a slice resampled to square pixels of the smaller spacing."""
    side = min(spacing)
    rows, columns = (round(size * step / side) for size, step in zip(shape, spacing, strict=True))
    return rows, columns
