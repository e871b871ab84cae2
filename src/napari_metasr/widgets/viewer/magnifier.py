"""One pane's slices: encoded in the background, bicubic until they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.magnified import (
    Network,
    Piece,
    interpolated,
    network_of,
    super_resolved,
    wanted,
)
from napari_metasr.widgets.viewer.slices import Slices
from napari_metasr.widgets.viewer.viewport import MAX_ENCODED_VOXELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_metasr.widgets.viewer.layer_source import LayerSource
    from napari_metasr.widgets.viewer.lens import Lens
    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel


ENCODING = "bicubic, until", "encoded …"
FAILED = "bicubic: the", "network failed"


@dataclass(frozen=True)
class Sight:
    """A slice under a lens, as far as it is known by now.

    Attributes
    ----------
    lens
        The lens.
    network
        Which network the slice is given to, and what it was told of what is encoded.
    image
        The slice, (rows, columns).
    encoded, engine
        The slice encoded, and the loaded network; None until both are there.
    is_awaited
        Whether they are still to come.
    """

    lens: Lens
    network: Network
    image: NDArray[Any]
    encoded: EncodedSlice | None
    engine: ZoomModel | None
    is_awaited: bool

    @property
    def is_ready(self) -> bool:
        """Whether the network's result can be rendered at once."""
        return self.encoded is not None and self.engine is not None

    @property
    def reason(self) -> tuple[str, str]:
        """Why bicubic is shown where the network's result cannot be, in two lines."""
        return ENCODING if self.is_awaited else FAILED

    def interpolated(self, window: Window | None) -> Piece | None:
        """Return a window by bicubic interpolation; None where there is nothing to show."""
        if window is None:
            return None
        value_range = self.encoded.value_range if self.encoded is not None else None
        return interpolated(self.image, self.lens, window, value_range)

    def super_resolved(self, window: Window | None) -> Piece | None:
        """Return a window as the network makes it, bicubic until it can."""
        if window is None or self.engine is None or self.encoded is None:
            return self.interpolated(window)
        return super_resolved(self.engine, self.encoded, self.lens, window, self.network)


class Magnifier:
    """Knows what a pane needs of the slice that it shows, and has it encoded by one worker.

    Parameters
    ----------
    engines
        The models.
    byte_budget
        How much memory encoded slices may take.
    changed
        Called when there is more to be shown than before.
    """

    def __init__(
        self, engines: ModelCache[ZoomModel], byte_budget: int, changed: Callable[[], None]
    ) -> None:
        self._engines, self._changed = engines, changed
        self._slices = Slices(engines, byte_budget, changed, self._on_busy)

    @property
    def is_running(self) -> bool:
        """Whether anything is being encoded."""
        return self._slices.is_running

    def look(self, source: LayerSource, lens: Lens, device: str) -> Sight | None:
        """Return what is known of the slice under a lens; what is missing is encoded.

        First what the lens shows, then the whole slice unless it is too large.

        Returns
        -------
        Sight or None
            None while the slice is being read, and where the lens shows nothing of it.
        """
        network, shape = network_of(source, lens.view), lens.view.shape
        keys = self._slices.show([source], lens.view, network.model, device, network.told)
        key = keys[source]
        image, window = self._slices.image(key), lens.window()
        if image is None or window is None:
            self._slices.want(lens.view, {key: window or Window.whole(shape)})
            return None
        needed, whole = wanted(lens, window, network), Window.whole(shape)
        at_hand = self._slices.shown_key(key, needed)
        encoded = self._slices.encoded(at_hand, needed)
        is_small = whole.area <= MAX_ENCODED_VOXELS
        is_there = encoded is not None and at_hand == key
        target = whole if is_there and is_small else needed
        self._slices.want(lens.view, {key: target})
        engine = self._engines.loaded(network.model, device)
        network = replace(network, told=at_hand.told)
        return Sight(lens, network, image, encoded, engine, self._slices.is_awaited(key))

    def rest(self) -> None:
        """Stop: nothing is shown."""
        self._slices.rest()

    def forget(self, layer: Layer) -> None:
        """Free what belongs to a layer that is gone or has other numbers."""
        self._slices.forget(layer)

    def close(self) -> None:
        """Stop, and free the memory."""
        self._slices.close()

    def _on_busy(self, text: str, busy: bool) -> None:
        self._changed()
