"""Slices of a volume, each upscaled whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.zoom.output import restore_missing
from napari_metasr.zoom.shown import REACH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import AxisGrid, OutputGrid, PixelRange
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel

WORTHWHILE = 0.9
"""Share of a slice up to which it is quicker to leave out what is known."""

NOWHERE = (0, 0, 0, 0)


class SliceUpscaler:
    """Upscales slices of one shape by a network, one after the other.

    An output pixel depends on what is near it alone. So where a slice is background, even up to
    its border or the same as one before, the result is there already. What comes out is what
    ``ZoomModel.render_pixels`` gives, up to the rounding of convolutions of another size: less
    than 1e-6 of the intensity range.

    Parameters
    ----------
    model
        What upscales.
    grid
        Of every slice.
    intensity_range, value_range
        The volume's intensity and value range.
    """

    def __init__(
        self,
        model: ZoomModel,
        grid: OutputGrid,
        intensity_range: tuple[float, float],
        value_range: tuple[float, float],
    ) -> None:
        self._model, self._grid = model, grid
        self._intensity_range, self._value_range = intensity_range, value_range
        self._before: tuple[EncodedSlice, NDArray[np.float32]] | None = None
        self._even: tuple[float, NDArray[np.float32]] | None = None

    def restart(self) -> None:
        """Forget the slices before: what comes now does not depend on them to the last bit."""
        self._before = None

    def __call__(
        self, image: NDArray[Any], ranges: Sequence[PixelRange], out: NDArray[np.float32]
    ) -> None:
        """Fill ranges of output pixels.

        Parameters
        ----------
        image
            (rows, columns) with at least one finite value.
        ranges
            Each (i0, j0, i1, j1).
        out
            The whole output slice.
        """
        encoded = self._model.encode(image, self._intensity_range, self._value_range)
        for pixels in ranges:
            i0, j0, i1, j1 = pixels
            part = out[i0:i1, j0:j1]
            if encoded.constant is not None:
                part[...] = self._model.render_pixels(encoded, self._grid, pixels)
                continue
            if pixels == self._grid.pixel_range():
                self._fill(encoded, part)
            else:
                self._model.render_once(encoded, self._grid, pixels, part)
            restore_missing(part, encoded.source, encoded.missing, self._grid, pixels)

    def _fill(self, encoded: EncodedSlice, out: NDArray[np.float32]) -> None:
        """Fill the whole slice except its gaps."""
        changed = self._changed(encoded)
        if changed == self._grid.pixel_range():
            self._render(encoded, changed, out)
            self._before = encoded, out.copy()
        else:
            out[...] = self._evenly(encoded) if self._before is None else self._before[1]
            self._render(encoded, changed, out)

    def _render(self, encoded: EncodedSlice, pixels: PixelRange, out: NDArray[np.float32]) -> None:
        """Fill a range of the whole output slice, and ask the network where it is needed."""
        edge = encoded.shown.edge
        inside = pixels if edge is None else _overlap(pixels, self._around(~edge.beyond, 0))
        if edge is not None:
            (i0, j0, i1, j1), (low, high) = pixels, encoded.value_range
            out[i0:i1, j0:j1] = min(max(edge.value, np.float32(low)), np.float32(high))
        if inside != NOWHERE:
            i0, j0, i1, j1 = inside
            self._model.render_once(encoded, self._grid, inside, out[i0:i1, j0:j1])

    def _changed(self, encoded: EncodedSlice) -> PixelRange:
        """Return the output pixels that differ from what is known: a slice, or a constant image."""
        shown, whole = encoded.shown, self._grid.pixel_range()
        if self._before is not None:
            differs = shown.differs(self._before[0].shown)
        elif shown.edge is None and shown.excess is None:
            differs = shown.image != shown.image[0, 0]
        else:
            return whole
        return self._around(differs, max(self._model.reach, REACH), WORTHWHILE)

    def _around(self, wanted: NDArray[np.bool_], reach: int, worthwhile: float = 1.0) -> PixelRange:
        """Return the rectangle of output pixels within ``reach`` of the wanted input pixels.

        Return the whole output slice if the rectangle exceeds a worthwhile share of the input.
        """
        if not wanted.any():
            return NOWHERE
        rows, columns = (
            _grown(np.flatnonzero(wanted.any(axis=1 - axis)), reach, size)
            for axis, size in enumerate(wanted.shape)
        )
        if np.ptp(rows) * np.ptp(columns) > worthwhile * wanted.size:
            return self._grid.pixel_range()
        (top, bottom), (left, right) = (
            _pixels(axis, *part)
            for axis, part in ((self._grid.rows, rows), (self._grid.columns, columns))
        )
        return top, left, bottom, right

    def _evenly(self, encoded: EncodedSlice) -> NDArray[np.float32]:
        """Super-resolve a constant slice with this slice's first value; the result is cached."""
        first = encoded.source[0, 0]
        value = float(first) if np.isfinite(first) else self._value_range[0]
        if self._even is None or self._even[0] != value:
            even = self._model.encode(
                np.full(encoded.shape, value), self._intensity_range, self._value_range
            )
            out = np.empty(self._grid.output_shape, np.float32)
            self._model.render_once(even, self._grid, self._grid.pixel_range(), out)
            self._even = value, out
        return self._even[1]


def _grown(places: NDArray[np.int64], reach: int, size: int) -> tuple[int, int]:
    """Return the range of places, extended by ``reach`` at both ends within the axis."""
    return max(int(places.min()) - reach, 0), min(int(places.max()) + 1 + reach, size)


def _pixels(axis: AxisGrid, start: int, stop: int) -> tuple[int, int]:
    """Return the output pixels whose cells are ``start .. stop - 1``."""
    first, last = np.searchsorted(axis.cells(), (start, stop))
    return int(first), int(last)


def _overlap(one: PixelRange, other: PixelRange) -> PixelRange:
    top, left = max(one[0], other[0]), max(one[1], other[1])
    bottom, right = min(one[2], other[2]), min(one[3], other[3])
    return (top, left, bottom, right) if top < bottom and left < right else NOWHERE
