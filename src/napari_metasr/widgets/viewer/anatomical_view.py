"""A viewer set up for anatomy: upright by a convention, with letters, scale bar, window/level."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.io.layers import volume_of
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.camera import turn_to
from napari_metasr.widgets.viewer.edge_letters import EdgeLetters
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_overlays
from napari_metasr.widgets.viewer.shared import drop, real_viewer, shared
from napari_metasr.widgets.viewer.subscriptions import Subscriptions
from napari_metasr.widgets.viewer.window_level import WindowLevel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.volume import Volume


def is_anatomical(layer: Layer) -> bool:
    """Return whether a layer carries a volume, so that it is known which way is right."""
    volume = volume_of(layer.metadata)
    return volume is not None and volume.data.ndim > 2


def show_full_range(layer: Image) -> None:
    """Have the contrast slider of a volume's image span all of its values, not those shown."""
    volume = volume_of(layer.metadata)
    if volume is not None and layer.data is volume.data:
        (low, high), (darkest, brightest) = volume.value_range, layer.contrast_limits
        layer.contrast_limits_range = min(low, darkest), max(high, brightest)


def anatomical_view(
    viewer: ViewerModel, convention: DisplayConvention = DisplayConvention.RADIOLOGICAL
) -> AnatomicalView:
    """Return the anatomical view of a viewer: the same one until it is closed."""
    real = real_viewer(viewer)
    return shared(real, AnatomicalView, lambda: AnatomicalView(real, convention))


def _volumes(viewer: ViewerModel) -> Iterator[Volume]:
    """Yield the volumes that layers come from, skipping layers without one."""
    for layer in viewer.layers:
        volume = volume_of(layer.metadata)
        if volume is not None:
            yield volume


class AnatomicalView:
    """Keeps a viewer upright and lettered while it holds anatomical layers.

    Everything is put back when the last such layer goes, or on `close`.
    """

    def __init__(self, viewer: ViewerModel, convention: DisplayConvention) -> None:
        self._viewer = weakref.ref(viewer)
        self._convention = convention
        self._before: tuple[Any, bool] | None = None
        self._letters = EdgeLetters(viewer)
        self.window_level = WindowLevel(viewer)
        self._holders: set[str] = set()
        self._turn_due = False
        self._ranged: weakref.WeakSet[Layer] = weakref.WeakSet()
        layers, dims = viewer.layers.events, viewer.dims.events
        orientation = camera_of(viewer).events.orientation
        self._subscriptions = Subscriptions(
            (emitter, self.update)
            for emitter in (
                layers.inserted,
                layers.removed,
                dims.order,
                dims.ndim,
                dims.ndisplay,
                orientation,
            )
        )
        self.update()

    @property
    def convention(self) -> DisplayConvention:
        """On which side the patient's left is."""
        return self._convention

    @property
    def is_preparing(self) -> bool:
        """Whether letters and names are still to appear."""
        return self._letters.is_preparing

    def set_convention(self, convention: DisplayConvention) -> None:
        """Turn the view; every box of the viewer follows."""
        self._convention = convention
        viewer = self._viewer()
        if self._before is not None and viewer is not None:
            camera_of(viewer).orientation2d = convention.orientation2d

    def keep_below(self, lines: int) -> None:
        """Have the letter of the top edge keep below names of so many lines."""
        self._letters.keep_below(lines)

    def hold(self, holder: str) -> None:
        """Keep the view until this holder releases it."""
        self._holders.add(holder)

    def release(self, holder: str) -> None:
        """Close the view, unless another holder keeps it."""
        self._holders.discard(holder)
        if not self._holders:
            self.close()

    def update(self, event: Any = None) -> None:
        """Follow the viewer's layers, plane and camera."""
        viewer = self._viewer()
        if viewer is None:
            return
        present = any(is_anatomical(layer) for layer in viewer.layers)
        for layer in viewer.layers:
            if isinstance(layer, Image) and layer not in self._ranged:
                self._ranged.add(layer)
                show_full_range(layer)
        if present and self._before is None:
            self._turn_due = event is not None and len(viewer.layers) == 1
            camera, bar = camera_of(viewer), canvas_overlays(viewer)["scale_bar"]
            self._before = (camera.orientation2d, bar.visible)
            bar.visible = True
            camera.orientation2d = self._convention.orientation2d
        elif not present and self._before is not None:
            self._restore(viewer)
        self._show_acquired_plane(viewer)
        displayed = [axis - (viewer.dims.ndim - len(Plane)) for axis in viewer.dims.displayed]
        known = all(volume.source.is_oriented for volume in _volumes(viewer))
        if self._before is not None and len(displayed) == 2 and min(displayed) >= 0 and known:
            orientation = tuple(str(o) for o in camera_of(viewer).orientation2d)
            self._letters.show(displayed[0], displayed[1], orientation)  # type: ignore[arg-type]
        else:
            self._letters.hide()

    def _show_acquired_plane(self, viewer: ViewerModel) -> None:
        """Turn to the plane of the thick slices of a volume that has just been opened."""
        if not self._turn_due or viewer.dims.ndim < len(Plane) or not len(viewer.layers):
            return
        self._turn_due = False
        volume = volume_of(viewer.layers[0].metadata)
        plane = Plane.AXIAL if volume is None else volume.acquired_plane
        if plane is not Plane.AXIAL and viewer.dims.ndisplay == 2:
            turn_to(viewer, plane)

    def close(self) -> None:
        """Put camera orientation and scale bar back and take the letters off."""
        viewer = self._viewer()
        if viewer is None or not drop(viewer, AnatomicalView):
            return
        self._subscriptions.close()
        if self._before is not None:
            self._restore(viewer)
        self._letters.close()
        self.window_level.close()

    def _restore(self, viewer: ViewerModel) -> None:
        if self._before is None:
            return
        orientation, bar_visible = self._before
        self._before = None
        camera_of(viewer).orientation2d = orientation
        canvas_overlays(viewer)["scale_bar"].visible = bar_visible
