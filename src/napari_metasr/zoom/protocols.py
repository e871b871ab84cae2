"""What is asked of an engine, it of a kind of network, and that of an encoded slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.geometry.grids import OutputGrid, PixelRange, Scale
    from napari_metasr.geometry.windows import Window
    from napari_metasr.weights import ModelCard


class Engine(Protocol):
    """What `napari_metasr.load_model` gives, for what needs no more of it."""

    @property
    def card(self) -> ModelCard:
        """What the network is."""

    @property
    def device(self) -> str:
        """Where it runs."""

    def told(self, code: NDArray[np.float32], title: str = "") -> Engine:
        """Return the same, told how the slices that it encodes were acquired."""

    def encode(
        self,
        image: NDArray[Any],
        intensity_range: tuple[float, float] | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> Any:
        """Encode a slice, once for all scales."""

    def render(
        self, encoded: Any, scale: Scale, window: Window | None = None
    ) -> NDArray[np.float32]:
        """Render a window of an encoded slice."""

    def render_pixels(
        self, encoded: Any, grid: OutputGrid, pixels: PixelRange
    ) -> NDArray[np.float32]:
        """Render a range of output pixels of any grid."""


CellRange = tuple[int, int, int, int]
"""Low-resolution pixels (top, left, bottom, right)."""

TileIndex = tuple[int, int]


class Tiles(Protocol):
    """Codes of a slice in tiles, made when they are asked for."""

    @property
    def tile_size(self) -> int: ...  # noqa: D102

    def blocks(self, cells: CellRange) -> Iterator[CellRange]:
        """Cut a range of cells into blocks whose tiles are asked for together."""

    def tiles(self, cells: CellRange) -> dict[TileIndex, Tensor]:
        """Return the codes of the tiles that hold these cells: index to (1, th, tw, channels).

        Tiles that are never read have none.
        """


class Renderer(Protocol):
    """Encodes parts of a slice, once, and makes images of any scale from them.

    Attributes
    ----------
    fixed_scales
        The scales that the network gives, where it gives no others.
    halo
        Low-resolution pixels around a pixel that its code depends on.
    margin
        Low-resolution pixels beyond a window whose codes are read to render it.
    """

    @property
    def fixed_scales(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def halo(self) -> int: ...  # noqa: D102

    @property
    def margin(self) -> int: ...  # noqa: D102

    def encode(self, image: Tensor) -> Tensor:
        """Encode a normalised image (1, 1, h, w) to its pixels' codes, (1, h, w, channels)."""

    def render(
        self,
        encoded: Tiles,
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Fill ``out`` with a range of output pixels, in the network's units."""

    def render_part(
        self,
        image: Tensor,
        origin: tuple[int, int],
        grid: OutputGrid,
        pixels: PixelRange,
        out: NDArray[np.float32],
    ) -> None:
        """Fill ``out`` with a range of output pixels from a part of the slice, keeping no codes.

        Parameters
        ----------
        image
            The normalised part, (1, 1, h, w): everything within ``halo + margin`` pixels of the
            cells of ``pixels`` that lies in the slice.
        origin
            The slice's (row, column) at which it begins.
        """
