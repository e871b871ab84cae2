"""Which images are super-resolved: the source, and the further contrasts on its grid."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari.layers import Image

from napari_metasr.widgets.viewer.layer_choice import LayerChoice
from napari_metasr.widgets.viewer.layer_grid import same_grid
from napari_metasr.widgets.viewer.layer_source import LayerSource, layer_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer


class Sources:
    """Lists the viewer's images, and those on the grid of the chosen one.

    Parameters
    ----------
    show
        Called with the images' names and the place of the source, -1 for none.
    show_contrasts
        Called with the names of the images on its grid and the places of the ticked ones.
    changed
        Called with an image whose data or place have changed.
    renamed
        Called after an image has got another name.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        *,
        show: Callable[[list[str], int], None],
        show_contrasts: Callable[[list[str], list[int]], None],
        changed: Callable[[Layer], None],
        renamed: Callable[[], None],
    ) -> None:
        self._images = LayerChoice(viewer, show, changed=changed, renamed=renamed)
        self._show_contrasts = show_contrasts
        self._contrasts: list[weakref.ref[Layer]] = []
        self._ticked: weakref.WeakSet[Layer] = weakref.WeakSet()

    @property
    def source(self) -> LayerSource | None:
        """The image that is super-resolved."""
        layer = self._images.layer
        return layer_source(layer) if isinstance(layer, Image) else None

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self._images.layers)

    @property
    def ticked(self) -> list[LayerSource]:
        """The further images that are super-resolved with it."""
        listed = [reference() for reference in self._contrasts]
        present = self._images.layers
        return [
            layer_source(layer)
            for layer in listed
            if isinstance(layer, Image) and layer in self._ticked and layer in present
        ]

    def refresh(self) -> bool:
        """List the viewer's images anew.

        Returns
        -------
        bool
            Whether another image is the source now.
        """
        is_other = self._images.refresh()
        source = self._images.layer
        others = [layer for layer in self._images.layers if _goes_with(layer, source)]
        self._contrasts = [weakref.ref(layer) for layer in others]
        checked = [row for row, layer in enumerate(others) if layer in self._ticked]
        self._show_contrasts([layer.name for layer in others], checked)
        return is_other

    def choose(self, row: int) -> None:
        """Take the image at a place of the list as the source."""
        self._images.choose(row)
        self.refresh()

    def choose_grid_of(self, layer: Image) -> None:
        """Take an image as the source, unless the source lies on the same grid already."""
        source = self.source
        if source is None or not same_grid(source.layer, layer):
            self._images.take(layer)
            self.refresh()

    def tick(self, rows: Sequence[int]) -> None:
        """Set which contrasts are ticked."""
        layers = [self._contrasts[row]() for row in rows if row < len(self._contrasts)]
        self._ticked = weakref.WeakSet(layer for layer in layers if layer is not None)

    def close(self) -> None:
        """Listen to no layer any more."""
        self._images.close()


def _goes_with(layer: Layer, source: Layer | None) -> bool:
    """Return whether an image can be super-resolved beside another one: gray, on the same grid."""
    if source is None or layer is source or not isinstance(layer, Image):
        return False
    return not layer.rgb and not layer.multiscale and same_grid(source, layer)
