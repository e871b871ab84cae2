"""Window and level by dragging on the canvas, as radiology workstations do."""

from __future__ import annotations

import weakref
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_metasr import normalisation
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.napari_versions import camera_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari.components import ViewerModel
    from numpy.typing import NDArray

MODIFIER = "Shift"


class Preset(StrEnum):
    """A choice of contrast limits; the values are titles."""

    BRAIN = "Brain"
    ROBUST = "Robust"
    FULL = "Full"


LIMITS = {
    Preset.BRAIN: normalisation.brain_limits,
    Preset.ROBUST: normalisation.contrast_limits,
}
"""What works the limits of a preset out from a volume."""
SLICES = 64
"""So many slices of a volume, or up to twice as many, are enough for its percentiles."""


class WindowLevel:
    """Shift and drag changes the contrast limits of the image that is worked on.

    Attributes
    ----------
    target
        The layer that is changed, if it is not to be the active or the top image.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = weakref.ref(viewer)
        self.target: weakref.ref[Image] | None = None
        self._always = False
        viewer.mouse_drag_callbacks.append(self._drag)

    def set_always(self, always: bool) -> None:
        """Return whether a drag without Shift does so too."""
        self._always = always

    def layer(self) -> Image | None:
        """Return the layer that is changed: the dock's source, else the active or the top image."""
        viewer = self._viewer()
        if viewer is None:
            return None
        target = self.target() if self.target is not None else None
        if target is not None and target in viewer.layers:
            return target
        active = viewer.layers.selection.active
        if isinstance(active, Image):
            return active
        images = [layer for layer in viewer.layers if isinstance(layer, Image) and layer.visible]
        return images[-1] if images else None

    def show(self, preset: Preset) -> None:
        """Set the limits of a preset: *Full* of all of the layer, others of the volume shown."""
        viewer, layer = self._viewer(), self.layer()
        if viewer is None or layer is None or layer.rgb or layer.multiscale:
            return
        if preset is Preset.FULL:
            low, high = layer_source(layer).value_range
        else:
            low, high = LIMITS[preset](_volume(layer, viewer.dims.point))
        layer.contrast_limits = low, high if high > low else low + 1.0

    def close(self) -> None:
        """Stop listening to the mouse."""
        viewer = self._viewer()
        if viewer is not None and self._drag in viewer.mouse_drag_callbacks:
            viewer.mouse_drag_callbacks.remove(self._drag)

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        wanted = MODIFIER in event.modifiers or (self._always and not event.modifiers)
        layer = self.layer()
        if not wanted or event.button != 1 or layer is None or layer.rgb:
            return
        limits, start = tuple(layer.contrast_limits), tuple(event.pos)
        full_range = layer.contrast_limits_range[1] - layer.contrast_limits_range[0]
        pan = camera_of(viewer).mouse_pan
        camera_of(viewer).mouse_pan = False
        yield
        while event.type == "mouse_move":
            right, down = event.pos[0] - start[0], event.pos[1] - start[1]
            layer.contrast_limits = normalisation.dragged_limits(limits, right, -down, full_range)
            yield
        camera_of(viewer).mouse_pan = pan


def _volume(layer: Image, point: Sequence[float]) -> NDArray[Any]:
    """Return evenly spaced slices of the volume of a layer that is shown at a point."""
    series = layer.data.shape[:-3]
    here = layer.world_to_data(point[-layer.ndim :])[: len(series)]
    index = tuple(
        min(max(round(place), 0), count - 1) for place, count in zip(here, series, strict=True)
    )
    volume = layer.data[index] if index else layer.data
    step = max(volume.shape[0] // SLICES, 1) if volume.ndim > 2 else 1
    return np.asarray(volume[::step])
