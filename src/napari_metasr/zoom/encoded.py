"""An encoded slice: tiles of codes, made when first looked at, kept while there is room."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from napari_metasr.geometry.windows import Window
from napari_metasr.zoom.borders import SHORT_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.normalisation import LinearMap
    from napari_metasr.zoom.protocols import CellRange, Renderer, TileIndex
    from napari_metasr.zoom.shown import Shown

Encoder = Callable[["NDArray[np.float32]"], Tensor]
"""A normalised image (h, w) to the codes of its pixels, (1, h, w, channels)."""


@dataclass(frozen=True)
class Tiling:
    """How a slice is cut up.

    Attributes
    ----------
    tile
        Rows and columns of a tile, in low-resolution pixels.
    halo
        Pixels around a tile that its codes depend on.
    margin
        Pixels beyond a window whose codes are read to render it.
    joint
        Up to this many missing tiles in a row or a column are encoded as one image.
    budget
        Bytes of codes that are kept.
    """

    tile: int = 64
    halo: int = 16
    margin: int = 0
    joint: int = 4
    budget: int = 512 << 20


class EncodedSlice:
    """What ``ZoomModel.encode`` returns; rendering at any scale starts from here.

    Encoding happens on demand, tile by tile, so that making one is cheap. Safe to use from
    several threads.

    Parameters
    ----------
    source
        The slice in its own units, (rows, columns).
    shown
        The same as the network is shown it.
    constant
        See the attribute.
    missing
        Where the source is NaN or infinite, or None.
    mapping
        From the source's units to the network's.
    value_range
        The source's smallest and largest value, that results are clipped to.
    renderer
        Renders from the codes.
    encoder
        Makes the codes of a part of the normalised slice.
    tiling
        How to cut it up.

    Attributes
    ----------
    constant
        The value of every pixel where all are the same, else None: nothing is encoded then.
    encode_seconds
        Time spent on encoding so far.
    encoded_pixels
        How many pixels the network was run on in that time, halos and repetitions included.
    """

    def __init__(
        self,
        *,
        source: NDArray[Any],
        shown: Shown,
        constant: float | None,
        missing: NDArray[np.bool_] | None,
        mapping: LinearMap,
        value_range: tuple[float, float],
        renderer: Renderer,
        encoder: Encoder,
        tiling: Tiling,
    ) -> None:
        self.source = source
        self.shown = shown
        self.constant = constant
        self.missing = missing
        self.mapping = mapping
        self.value_range = value_range
        self.encode_seconds = 0.0
        self.encoded_pixels = 0
        self.renderer = renderer
        self._encoder = encoder
        self._tiling = tiling
        self._tiles: OrderedDict[TileIndex, Tensor] = OrderedDict()
        self._lock = threading.RLock()
        read = _read_pixels(shown.needed, tiling)
        self._idle = _idle_tiles(read, tiling)
        self._read = _read_cells(read, self.shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the slice."""
        rows, columns = self.shown.image.shape
        return rows, columns

    @property
    def tile_size(self) -> int:
        """Rows and columns of a tile, in low-resolution pixels."""
        return self._tiling.tile

    @property
    def needed_pixels(self) -> int:
        """How many pixels the network is run on where all is encoded in one go."""
        top, left, bottom, right = self._with_halo(self._read)
        return (bottom - top) * (right - left)

    @property
    def nbytes(self) -> int:
        """Bytes that the tiles take up now."""
        with self._lock:
            return sum(tile.nbytes for tile in self._tiles.values())

    def is_ready(self, window: Window | None = None) -> bool:
        """Return whether everything that the window needs is encoded."""
        if self.constant is not None:
            return True
        with self._lock:
            return all(index in self._tiles for index in self._indices(self._cells(window)))

    def prepare(self, window: Window | None = None) -> None:
        """Encode what the window needs and is missing, as far as the budget holds it."""
        if self.constant is not None:
            return
        for block in self.blocks(self._cells(window)):
            self.tiles(block)

    def tiles(self, cells: CellRange) -> dict[TileIndex, Tensor]:
        """Return the codes of the tiles that hold these cells: index to (1, th, tw, channels).

        Tiles of nothing but background, see ``Shown.needed``, have none.

        Parameters
        ----------
        cells
            Low-resolution pixels (top, left, bottom, right); no more than a joint block.
        """
        indices = list(self._indices(cells))
        with self._lock:
            found = {i: self._tiles[i] for i in indices if i in self._tiles}
            for index in found:
                self._tiles.move_to_end(index)
        missing = [index for index in indices if index not in found]
        if missing:
            encoded = self._encode(missing)
            found |= encoded
            with self._lock:
                self._tiles |= encoded
                self._evict()
        return found

    def codes(self, cells: CellRange) -> NDArray[np.float32]:
        """Return the codes of cells in one piece, (rows, columns, channels).

        Those of nothing but background, see ``Shown.needed``, are 0. The budget holds for tiles
        alone.

        Raises
        ------
        ValueError
            If every pixel of the slice has the same value, or lies in the background.
        """
        top, left, bottom, right = cells
        size = self._tiling.tile
        codes = None
        for block in self.blocks(cells) if self.constant is None else ():
            for (y, x), tile in self.tiles(block).items():
                part = tile[0].cpu().numpy()
                if codes is None:
                    shape = (bottom - top + 2 * size, right - left + 2 * size, part.shape[-1])
                    codes = np.zeros(shape, np.float32)  # with room for all of a tile
                row, column = y * size - top + size, x * size - left + size
                codes[row : row + part.shape[0], column : column + part.shape[1]] = part
        if codes is None:
            raise ValueError("expected a region with tissue, found one of a single value")
        return codes[size : size + bottom - top, size : size + right - left]

    def blocks(self, cells: CellRange) -> Iterator[CellRange]:
        """Cut a range of cells into joint blocks of tiles."""
        top, left, bottom, right = cells
        size = self._tiling.tile * self._tiling.joint
        for y in range(top // size, -(-bottom // size)):
            for x in range(left // size, -(-right // size)):
                yield (
                    max(y * size, top),
                    max(x * size, left),
                    min((y + 1) * size, bottom),
                    min((x + 1) * size, right),
                )

    def _cells(self, window: Window | None) -> CellRange:
        rows, columns = self.shape
        if window is None:
            return 0, 0, rows, columns
        top, left, bottom, right = Window(*window).pixels(self.shape)
        margin = self._tiling.margin
        return (
            max(top - margin, 0),
            max(left - margin, 0),
            min(bottom + margin, rows),
            min(right + margin, columns),
        )

    def _indices(self, cells: CellRange) -> Iterator[TileIndex]:
        """Yield the tiles that hold one of these cells, except those that are never read."""
        top, left, bottom, right = cells
        size = self._tiling.tile
        for y in range(top // size, -(-bottom // size)):
            for x in range(left // size, -(-right // size)):
                if self._idle is None or not self._idle[y, x]:
                    yield y, x

    def _encode(self, missing: list[TileIndex]) -> dict[TileIndex, Tensor]:
        """Encode what is read of the rectangle around the missing tiles in one go."""
        started = time.perf_counter()
        size = self._tiling.tile
        ys, xs = [y for y, _ in missing], [x for _, x in missing]
        around = min(ys) * size, min(xs) * size, (max(ys) + 1) * size, (max(xs) + 1) * size
        top, left, bottom, right = cells = _overlap(around, self._read)
        first_row, first_column, last_row, last_column = self._with_halo(cells)
        codes = self._encoder(self.shown.image[first_row:last_row, first_column:last_column])
        codes = codes[
            :,
            top - first_row : bottom - first_row,
            left - first_column : right - first_column,
        ]
        encoded = {index: self._tile(codes, cells, index) for index in missing}
        self.encode_seconds += time.perf_counter() - started
        self.encoded_pixels += (last_row - first_row) * (last_column - first_column)
        return encoded

    def _with_halo(self, cells: CellRange) -> CellRange:
        """Return the pixels that the codes of cells depend on."""
        top, left, bottom, right = cells
        halo, (rows, columns) = self._tiling.halo, self.shape
        return (
            max(top - halo, 0),
            max(left - halo, 0),
            min(bottom + halo, rows),
            min(right + halo, columns),
        )

    def _tile(self, codes: Tensor, cells: CellRange, index: TileIndex) -> Tensor:
        """Return a tile of the codes of some cells; codes of what is never read are 0."""
        size, (rows, columns) = self._tiling.tile, self.shape
        y, x = index[0] * size, index[1] * size
        whole = y, x, min(y + size, rows), min(x + size, columns)
        part = _overlap(whole, cells)
        own = codes[
            :, part[0] - cells[0] : part[2] - cells[0], part[1] - cells[1] : part[3] - cells[1]
        ]
        if part == whole:
            return own.clone(memory_format=torch.contiguous_format)
        tile = codes.new_zeros((1, whole[2] - y, whole[3] - x, codes.shape[-1]))
        tile[:, part[0] - y : part[2] - y, part[1] - x : part[3] - x] = own
        return tile

    def _evict(self) -> None:
        room = self._tiling.budget - sum(tile.nbytes for tile in self._tiles.values())
        while room < 0 and len(self._tiles) > 1:
            _, tile = self._tiles.popitem(last=False)
            room += tile.nbytes


def _read_pixels(needed: NDArray[np.bool_] | None, tiling: Tiling) -> NDArray[np.bool_] | None:
    """Mark the pixels whose codes are read; None if all are."""
    if needed is None:
        return None
    return ndimage.maximum_filter(needed.view(np.uint8), 2 * tiling.margin + 1).view(np.bool_)


def _idle_tiles(read: NDArray[np.bool_] | None, tiling: Tiling) -> NDArray[np.bool_] | None:
    """Find the tiles whose codes are never read, (rows, columns) of tiles; None if all are used."""
    if read is None:
        return None
    starts = [np.arange(0, size, tiling.tile) for size in read.shape]
    idle: NDArray[np.bool_] = ~np.logical_or.reduceat(
        np.logical_or.reduceat(read, starts[0], axis=0), starts[1], axis=1
    )
    return idle


def _read_cells(read: NDArray[np.bool_] | None, shape: tuple[int, int]) -> CellRange:
    """Return the rectangle around all pixels that are read; short sides are never cut."""
    edges = [(0, size) for size in shape]
    for axis, size in enumerate(shape):
        if read is not None and read.any() and size >= SHORT_SIDE:
            places = np.flatnonzero(read.any(axis=1 - axis))
            edges[axis] = int(places[0]), int(places[-1]) + 1
    (top, bottom), (left, right) = edges
    return top, left, bottom, right


def _overlap(one: CellRange, other: CellRange) -> CellRange:
    top, left = max(one[0], other[0]), max(one[1], other[1])
    return top, left, max(min(one[2], other[2]), top), max(min(one[3], other[3]), left)
