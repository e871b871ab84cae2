"""Keeps the zoom dock and the viewer in step: events in, one update a turn of the event loop."""

from __future__ import annotations

import weakref
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QObject

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.camera import CameraControl, turn_to
from napari_metasr.widgets.viewer.first_shape import prepare_shapes
from napari_metasr.widgets.viewer.guard import Guard
from napari_metasr.widgets.viewer.layer_grid import UnsupportedLayerError
from napari_metasr.widgets.viewer.layer_source import check_supported
from napari_metasr.widgets.viewer.models import ModelCache, load_error_head
from napari_metasr.widgets.viewer.napari_versions import (
    camera_of,
    canvas_resized,
    grid_of,
    grid_shape,
)
from napari_metasr.widgets.viewer.preferences import remember
from napari_metasr.widgets.viewer.result_layers import is_result
from napari_metasr.widgets.viewer.slices import Slices
from napari_metasr.widgets.viewer.subscriptions import Subscriptions
from napari_metasr.widgets.viewer.updates import Updates
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom import messages
from napari_metasr.widgets.zoom.comparison.current import Comparing
from napari_metasr.widgets.zoom.corrections import Corrections
from napari_metasr.widgets.zoom.display import Display
from napari_metasr.widgets.zoom.exports import Exports
from napari_metasr.widgets.zoom.framing import Framing
from napari_metasr.widgets.zoom.lesion_region import LesionRegion
from napari_metasr.widgets.zoom.presenter import Presenter
from napari_metasr.widgets.zoom.readout import Reading
from napari_metasr.widgets.zoom.region_layer import RegionLayer
from napari_metasr.widgets.zoom.settings import REMEMBERED, Compare, Setting
from napari_metasr.widgets.zoom.sources import Sources

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_metasr.geometry.windows import Window
    from napari_metasr.trust.risk import RiskModel
    from napari_metasr.weights import ModelCard
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.models import Loader
    from napari_metasr.widgets.zoom.display import Displayed
    from napari_metasr.widgets.zoom.dock import ZoomDock
    from napari_metasr.widgets.zoom.settings import ZoomSettings
    from napari_metasr.zoom.engine import ZoomModel


class Coordinator(QObject):
    """Keeps what the viewer shows in step with what is set.

    Every event only asks for an update; see `Updates`.

    Parameters
    ----------
    viewer, dock
        The viewer and the controls; the coordinator is the dock's child.
    engine_factory
        Called as ``engine_factory(model, device=device)``, off the GUI thread.
    cards
        The models' cards, by name.
    byte_budget
        How much memory encoded slices may take.
    convention
        On which side of the screen the patient's left is.
    risk_factory
        Called alike, for a model's error head.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: ZoomDock,
        engine_factory: Loader[ZoomModel],
        cards: dict[str, ModelCard],
        *,
        byte_budget: int,
        convention: DisplayConvention = DisplayConvention.RADIOLOGICAL,
        risk_factory: Loader[RiskModel] = load_error_head,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._cards = viewer, dock, cards
        self._closed = self._listing_due = self._dismissed = False
        self._updates, self._updating = Updates(self._update, self), Guard()
        self._complaint = ""
        self._settings = dock.settings
        self._shown: Displayed | None = None
        self.engines = ModelCache(engine_factory, risk_factory)
        self.presenter = Presenter(viewer, self.schedule)
        busy = partial(dock.show_busy, Slices)
        self.slices = Slices(self.engines, byte_budget, self.schedule, busy)
        self._camera = CameraControl(viewer)
        self._framing = Framing(self._camera, dock.show_scale)
        self._comparing = Comparing(self.presenter.stage, self._camera, self._on_swiped)
        self._layers = Sources(
            viewer,
            show=dock.show_sources,
            show_contrasts=dock.show_contrasts,
            changed=self._on_layer_changed,
            renamed=self._on_layers,
        )
        self._region = RegionLayer(viewer, self._on_rectangle, dock.stop_drawing)
        self._lesion = LesionRegion(
            viewer,
            dock,
            changed=self.schedule,
            chosen=self._on_lesion_chosen,
            shown=self._comparing.remember,
        )
        self.corrections = Corrections(self.schedule)
        self._display = Display(
            dock, self.engines, self.slices, self.presenter, self._lesion, cards, self.corrections
        )
        self.exports = Exports(viewer, dock, self.engines, lambda: self._shown)
        self._anatomy = anatomical_view(viewer, convention)
        self._anatomy.hold("dock")
        self._connect()
        self._layers.refresh()
        self._updates.ask_later()  # once the dock itself is drawn

    def _connect(self) -> None:
        dock = self._dock
        dock.settings_changed.connect(self._on_setting)
        dock.plane_chosen.connect(self._on_plane)
        dock.draw_toggled.connect(self._on_draw)
        dock.swipe_moved.connect(self._comparing.swipe_to)
        dock.display.window_level_toggled.connect(self._anatomy.window_level.set_always)
        dock.display.preset_chosen.connect(self._anatomy.window_level.show)
        dock.display.convention_chosen.connect(self._anatomy.set_convention)
        dock.display.convention_chosen.connect(
            lambda convention: remember(orientation=convention.value)
        )
        dock.contrast_chosen.connect(self._on_contrast)
        dock.cancel_requested.connect(self._on_cancel)
        dock.closed.connect(self.close)
        viewer = self._viewer
        camera, dims, layers = camera_of(viewer), viewer.dims, viewer.layers
        self._subscriptions = Subscriptions(
            [
                (dims.events.current_step, self.schedule),
                (dims.events.order, self._on_order),
                (dims.events.ndim, self._on_order),
                (dims.events.ndisplay, self._on_order),
                (camera.events.center, self._on_camera),
                (camera.events.zoom, self._on_camera),
                (camera.events.orientation, self.schedule),
                (canvas_resized(viewer), self._on_size),
                (grid_of(viewer).events.enabled, self._on_grid),
                (layers.events.inserted, self._on_layers),
                (layers.events.removed, self._on_removed),
                (viewer.cursor.events.position, self._on_cursor),
            ]
        )

    def close(self) -> None:
        """Put the viewer back, stop all work and free the memory; safe at any time."""
        if self._closed:
            return
        self._closed = True
        self._subscriptions.close()
        self.slices.close()
        self.corrections.close()
        self._display.beyond.close()
        self.exports.close()
        self._region.finish()
        self._lesion.close()
        self._comparing.leave()
        self.presenter.close()
        self._layers.close()
        self._anatomy.window_level.set_always(False)
        self._anatomy.window_level.target = None
        self._anatomy.release("dock")
        self.engines.clear()
        self._shown = None

    @property
    def is_waiting(self) -> bool:
        """Whether anything is still to be updated, encoded, rendered or written."""
        working = any(each.is_running for each in (self.slices, self.corrections, self.exports))
        is_writing = self.presenter.is_naming or self._anatomy.is_preparing
        return self._updates.is_due or working or is_writing

    # what happens

    def schedule(self, event: Any = None) -> None:
        """Ask for an update before the next drawing."""
        if not self._closed:
            self._updates.ask()

    def _on_setting(self, setting: Setting, settings: ZoomSettings) -> None:
        before, self._settings = self._settings, settings
        self._dismissed = False
        if setting is Setting.SOURCE:
            self._layers.choose(settings.source)
        elif setting is Setting.CONTRASTS:
            self._layers.tick(settings.contrasts)
        elif setting is Setting.REGION and settings.region is not RegionMode.RECTANGLE:
            self._dock.stop_drawing()
        elif setting is Setting.DEVICE:
            self._check_device(before.device)
        if setting in {Setting.SOURCE, Setting.MODEL, Setting.DEVICE, Setting.ASSUMED}:
            self.slices.retry()
        name = REMEMBERED.get(setting)
        if name is not None:
            remember(**{name: str(getattr(self._settings, name))})
        self._framing.set(setting, settings)
        self.schedule()

    def _check_device(self, before: str) -> None:
        """Refuse a device that this machine lacks; the one before stays."""
        from napari_metasr.devices import resolve_device

        try:
            resolve_device(self._settings.device)
        except ValueError as error:
            self._dock.set_quietly(self._dock.device, before)
            self._settings = replace(self._settings, device=before)
            show_error(str(error))

    def _on_order(self, event: Any = None) -> None:
        self._framing.ask()
        self.schedule()

    def _on_size(self, event: Any = None) -> None:
        self._framing.resize(self._settings)
        self.schedule()

    def _on_grid(self, event: Any = None) -> None:
        """Take napari's own button for the grid as one for and against *Side by side*."""
        if self._updating or self._comparing.mode is None:
            return
        is_on, is_wanted = grid_of(self._viewer).enabled, Compare.SIDE_BY_SIDE
        if is_on != (self._settings.comparison is is_wanted):
            self._dock.comparison.setCurrentEnum(is_wanted if is_on else Compare.SINGLE)
        self.schedule()

    def _on_camera(self, event: Any = None) -> None:
        if not self._camera.moving:
            self.schedule()

    def _on_layers(self, event: Any = None) -> None:
        if event is not None and is_result(event.value):
            return
        self._listing_due = True
        self.schedule()

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        if self._region.removed(layer):
            self._dock.stop_drawing()
        if self.presenter.owns(layer):
            self._dismissed = True
        token = self.slices.forget(layer)
        if token is not None:
            self.corrections.clear()
            self._region.forget(token)
            self._shown = None
        self._on_layers()

    def _on_layer_changed(self, layer: Image) -> None:
        """Forget what was made of a layer that has other numbers or another place."""
        self.corrections.clear()
        self.slices.forget(layer)
        self._on_order()
        self._on_layers()

    def _on_rectangle(self) -> None:
        if not self._region.is_editing:
            self._framing.ask()
        self.schedule()

    def _on_draw(self, drawing: bool) -> None:
        self._framing.ask()
        if drawing:
            combo = self._dock.region
            combo.setCurrentIndex(combo.findData(RegionMode.RECTANGLE))
        else:
            self._region.finish()
        self.schedule()

    def _on_plane(self, plane: str) -> None:
        turn_to(self._viewer, Plane(plane))

    def _on_lesion_chosen(self, layer: Image) -> None:
        self._layers.choose_grid_of(layer)
        self._dismissed = False
        self._framing.ask()
        self.schedule()

    def _on_swiped(self, fraction: float) -> None:
        self._dock.show_swipe(fraction)
        self.schedule()

    def _on_contrast(self, contrast: str) -> None:
        source = self._layers.source
        if source is not None:
            source.contrast = contrast or None
            self.schedule()

    def _on_cancel(self) -> None:
        self.slices.cancel()
        self.exports.cancel()

    def _on_cursor(self, event: Any = None) -> None:
        source = self._layers.source
        if source is not None:
            self._dock.readout.show_cursor(source.describe(self._viewer.cursor.position))

    # the update

    def _update(self) -> None:
        """Bring everything on the screen in step with everything that is set."""
        if not self._closed:
            with self._updating:
                self._show_all()

    def _show_all(self) -> None:
        self.presenter.remove_spent()
        if self._listing_due:
            self._listing_due = False
            if self._layers.refresh():
                self._framing.ask()
                self._dismissed = False
        source = self._layers.source
        if source is None:
            self._dock.readout.show_cursor("")
            self._rest(messages.NO_ORIGINAL if self._layers.count else messages.NO_IMAGE)
        elif self._viewer.dims.ndisplay == 3:
            self._rest(messages.PAUSED_3D)
        elif self._dismissed:
            self._rest(messages.DISMISSED)
        else:
            try:
                check_supported(source.layer)
                view = source.view(self._viewer.dims)
            except UnsupportedLayerError as refusal:
                self._refuse(str(refusal))
                return
            self._complaint = ""
            if view is None:
                self._rest(f"“{source.name}” has no slice here.")
            else:
                self._show(source, view)

    def _rest(self, text: str) -> None:
        """Show nothing, and say why."""
        self._dock.stop_drawing()
        self._comparing.leave()
        self.presenter.close()
        self._wait(text)

    def _wait(self, text: str) -> None:
        self.slices.rest()
        self._shown = None
        dims = self._viewer.dims
        can_turn = self._layers.source is not None and dims.ndim > 2 and dims.ndisplay == 2
        self._dock.set_plane(None, enabled=can_turn)
        self._dock.readout.show_reading(Reading())
        self._display.beyond.want(None)
        self._dock.show_notice(text)

    def _refuse(self, reason: str) -> None:
        self._rest(reason)
        if reason != self._complaint:
            self._complaint = reason
            show_warning(f"Meta-SR Zoom: {reason}")

    def _show(self, source: LayerSource, view: SliceView) -> None:
        if self.presenter.set_sources([source, *self._layers.ticked]):
            self._updates.ask_later()  # napari takes long for a layer
            return
        drawing = self._dock.draw.isChecked()
        self._anatomy.window_level.target = weakref.ref(source.layer)
        self._dock.set_plane(view.plane, enabled=source.layer.ndim > len(view.axes))
        alone = drawing or self._lesion.is_editing
        mode, is_new = self._comparing.enter(self._settings.comparison, alone=alone)
        if is_new:
            self._framing.ask()
        mode.update(self.presenter.stage)
        self._framing.see(grid_shape(self._viewer) if grid_of(self._viewer).enabled else (1, 1))
        marked = self._marked(source, view)
        plan = self._framing.plan(self._settings, view, marked, drawing=drawing)
        if drawing and not self._region.is_editing:
            self._region.edit(source, view)
        self._region.follow(source, view)
        if plan is None:
            self._shown = None
            self.slices.rest()
            self._display.beyond.want(None)
            self._dock.show_notice(messages.OUT_OF_VIEW)
        else:
            self._shown = self._display.show(self._settings, view, plan, mode)
            if not self.slices.is_running:
                prepare_shapes()  # for rectangles that may be drawn
        if self.presenter.stage.spent:
            self._updates.ask_later()  # it takes long to remove them too

    def _marked(self, source: LayerSource, view: SliceView) -> Window | None:
        """Return what is marked in the slice as the region: the lesion or the rectangle."""
        marks = self._lesion if self._settings.region is RegionMode.LESION else self._region
        return marks.window(source, view)
