"""What a lens shows: interpolated, and super-resolved as far as the network has learned to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_metasr.geometry.grids import MAX_OUTPUT_SIZE, OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.volume import THICK
from napari_metasr.weights import DEFAULT_MODEL, DEFAULT_THROUGH_PLANE_MODEL, model_card
from napari_metasr.widgets.viewer.telling import SLICES, remembered_words, words_for
from napari_metasr.widgets.viewer.viewport import MAX_SCREEN_SCALE
from napari_metasr.zoom.baselines import interpolate_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import PixelRange
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.lens import Lens
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel

REACH = 3
"""Voxels around a window that cubic interpolation looks at."""


@dataclass(frozen=True)
class Network:
    """Which network a slice is given to, and how far it is trusted.

    Attributes
    ----------
    model, title
        Its name, and what people call it.
    largest
        The largest scale of rows and columns that it is asked for; beyond it the screen
        enlarges the result.
    told
        What is chosen to be told of the acquisition; empty for a network that cannot be told.
    """

    model: str
    title: str
    largest: tuple[float, float]
    told: str = ""

    @property
    def is_across(self) -> bool:
        """Whether it works across thick slices, along one axis alone."""
        return 1 in self.largest


@dataclass(frozen=True)
class Piece:
    """A rendered part of a slice.

    Attributes
    ----------
    image
        (rows, columns), in the source's intensity units.
    window
        What it covers, in low-resolution pixel edges.
    scale
        The true scale of rows and columns at which it was rendered.
    """

    image: NDArray[Any]
    window: Window
    scale: tuple[float, float]


def network_of(source: LayerSource, view: SliceView) -> Network:
    """Choose a slice's network: that for thick slices where the plane cuts across them."""
    rows, columns = map(abs, view.scale)
    told = ""
    if source.is_anatomical and max(rows, columns) >= THICK * min(rows, columns):
        card = model_card(DEFAULT_THROUGH_PLANE_MODEL)
        most = card.trained_scales[1]
        largest = (most, 1.0) if rows > columns else (1.0, most)
        told = SLICES if card.can_be_told else ""
    else:
        card = model_card(DEFAULT_MODEL)
        largest = (card.trained_scales[1],) * 2
        told = words_for(card, remembered_words())
    return Network(card.name, card.title, largest, told)


def interpolated(
    image: NDArray[Any], lens: Lens, window: Window, value_range: tuple[float, float] | None = None
) -> Piece | None:
    """Return a window by bicubic interpolation at the screen's resolution.

    Parameters
    ----------
    image
        The whole slice, (rows, columns).
    value_range
        What the result is clipped to; the slice's own range by default.

    Returns
    -------
    Piece or None
        None where the window is narrower than a pixel.
    """
    grid = _grid(lens, (MAX_SCREEN_SCALE, MAX_SCREEN_SCALE))
    pixels = _pixels(grid, window)
    if pixels is None:
        return None
    found = interpolate_pixels(image, grid, pixels, value_range=value_range)
    return Piece(found, _covered(grid, pixels), grid.true_scale)


def super_resolved(
    engine: ZoomModel, encoded: EncodedSlice, lens: Lens, window: Window, network: Network
) -> Piece | None:
    """Return a window as the network makes it.

    Across thick slices the network works along one axis, and cubic interpolation along the other.

    Parameters
    ----------
    engine, encoded
        The loaded network and the slice encoded by it.

    Returns
    -------
    Piece or None
        None where the window is narrower than a pixel.
    """
    grid = _grid(lens, network.largest)
    around = window.grown(REACH) if network.is_across else window
    pixels = _pixels(grid, around)
    if pixels is None:
        return None
    found = engine.render_pixels(encoded, grid, pixels)
    covered = _covered(grid, pixels)
    if not network.is_across:
        return Piece(found, covered, grid.true_scale)
    finest = (MAX_SCREEN_SCALE, MAX_SCREEN_SCALE)
    rows, columns = (
        density if most == 1 else 1.0
        for density, most in zip(_scales(lens, finest), network.largest, strict=True)
    )
    finer = OutputGrid.at_scale(found.shape, (rows, columns))
    wide = interpolate_pixels(found, finer, finer.pixel_range(), value_range=encoded.value_range)
    return Piece(wide, covered, grid.true_scale)


def wanted(lens: Lens, window: Window, network: Network) -> Window:
    """Return the part of the slice that must be encoded to render a window."""
    around = window.grown(REACH if network.is_across else 1)
    return around.intersection(Window.whole(lens.view.shape)) or window


def _scales(lens: Lens, largest: tuple[float, float]) -> tuple[float, float]:
    rows, columns = (
        round(max(min(density, most, MAX_OUTPUT_SIZE // size), 1.0), 3)
        for density, most, size in zip(lens.density, largest, lens.view.shape, strict=True)
    )
    return rows, columns


def _grid(lens: Lens, largest: tuple[float, float]) -> OutputGrid:
    return OutputGrid.at_scale(lens.view.shape, _scales(lens, largest))


def _pixels(grid: OutputGrid, window: Window) -> PixelRange | None:
    """Return the output pixels of a window, and one more around them where there is one."""
    rows, columns = grid.true_scale
    top, left, bottom, right = window
    wider = Window(
        top - 1 / rows, left - 1 / columns, bottom + 1 / rows, right + 1 / columns
    ).intersection(Window.whole(grid.input_shape))
    if wider is None:
        return None
    try:
        return grid.pixel_range(wider)
    except ValueError:
        return None


def _covered(grid: OutputGrid, pixels: PixelRange) -> Window:
    rows, columns = float(grid.rows.step), float(grid.columns.step)
    i0, j0, i1, j1 = pixels
    return Window(i0 * rows, j0 * columns, i1 * rows, j1 * columns)
