"""Wires dock, viewer, session and networks; nothing else knows more than one of them."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QObject, Qt, Signal

from napari_metasr.widgets.anatomical_view import anatomical_view
from napari_metasr.widgets.comparison import MODES, Mode, Single, Stage, Swipe
from napari_metasr.widgets.contrasts import contrast_notice
from napari_metasr.widgets.encoder import Encoder, Engines, Job, Progress, SliceEncoded, SliceRead
from napari_metasr.widgets.exports import Exports
from napari_metasr.widgets.layer_list import LayerList
from napari_metasr.widgets.layer_source import UnsupportedLayerError, check_supported
from napari_metasr.widgets.plan import Plan, make_plan, region_of
from napari_metasr.widgets.presenter import Presenter
from napari_metasr.widgets.readout import Reading
from napari_metasr.widgets.region_layer import RegionLayer
from napari_metasr.widgets.viewport import RegionMode, Viewport
from napari_metasr.zoom.session import Request, SliceKey, ZoomSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_metasr.volume import Window
    from napari_metasr.weights import ModelCard
    from napari_metasr.widgets.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.zoom_dock import ZoomDock

NO_IMAGE = "Open an image to magnify it."
PAUSED_3D = "Paused: the viewer shows 3-D. Results come back in 2-D."
DISMISSED = "The result was removed. Move the slider to get it back."
FITTING = ("scale", "region", "source", "comparison", "move_camera", "contrasts")


class Coordinator(QObject):
    """Keeps what the viewer shows in step with what is set.

    Every event only asks for an update. Updates run once for all events of a turn of the event
    loop, before the next drawing, so that a burst of events neither queues up nor blocks.

    Parameters
    ----------
    viewer
        The viewer.
    dock
        The controls; the coordinator is its child.
    engine_factory
        Called as ``engine_factory(model, device=device)``, off the GUI thread.
    cards
        The models' cards, by name.
    byte_budget
        How much memory encoded slices may take.
    convention
        ``radiological`` or ``neurological``.
    """

    _update_requested = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        dock: ZoomDock,
        engine_factory: Callable[..., Any],
        cards: dict[str, ModelCard],
        *,
        byte_budget: int,
        convention: str = "radiological",
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._cards = viewer, dock, cards
        self._closed = self._scheduled = self._listing_due = self._moving = False
        self._fit_due, self._dismissed = True, False
        self._complaint = ""
        self._cancelled = False
        self._device = dock.settings.device
        self.session = ZoomSession(byte_budget)
        self.engines = Engines(engine_factory)
        self.presenter = Presenter(viewer)
        self._layers = LayerList(viewer, dock, self._on_layer_changed, self._on_layers)
        self._region = RegionLayer(viewer, self._on_rectangle, self._on_drawn)
        self._encoder = Encoder(
            self.engines,
            on_step=self._on_step,
            on_warning=self._on_warning,
            on_error=self._on_error,
            on_finished=self._on_finished,
        )
        self._exports = Exports(viewer, dock, self.engines)
        self._mode: Mode | None = None
        self._images: dict[SliceKey, NDArray[Any]] = {}
        self._shown: tuple[LayerSource, SliceView, Plan] | None = None
        self._place: object = None
        self._tokens: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._anatomy = anatomical_view(viewer, convention)
        self._anatomy.hold("dock")
        self._connect()
        self._layers.refresh()
        self.schedule()

    def _connect(self) -> None:
        self._update_requested.connect(self._update, Qt.ConnectionType.QueuedConnection)
        dock = self._dock
        dock.settings_changed.connect(self._on_setting)
        dock.plane_chosen.connect(self._on_plane)
        dock.draw_toggled.connect(self._on_draw)
        dock.swipe_moved.connect(self._on_swipe_slider)
        dock.window_level_toggled.connect(self._on_window_level)
        dock.window_level_reset.connect(self._anatomy.window_level.reset)
        dock.convention_chosen.connect(self._on_convention)
        dock.keep_requested.connect(self._on_keep)
        dock.save_requested.connect(self._on_save)
        dock.cancel_requested.connect(self._on_cancel)
        dock.closed.connect(self.close)
        for emitter, callback in self._viewer_events():
            emitter.connect(callback)

    def _viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        viewer = self._viewer
        camera, dims, layers = viewer.scene.camera, viewer.dims, viewer.layers
        return [
            (dims.events.current_step, self._on_slice),
            (dims.events.order, self._on_order),
            (dims.events.ndim, self._on_order),
            (dims.events.ndisplay, self._on_order),
            (camera.events.center, self._on_camera),
            (camera.events.zoom, self._on_camera),
            (camera.events.orientation, self._on_slice),
            (viewer.canvas.events.size, self._on_size),
            (layers.events.inserted, self._on_layers),
            (layers.events.removed, self._on_removed),
            (viewer.cursor.events.position, self._on_cursor),
        ]

    def close(self) -> None:
        """Put the viewer back, stop all work and free the memory; safe at any time."""
        if self._closed:
            return
        self._closed = True
        for emitter, callback in self._viewer_events():
            emitter.disconnect(callback)
        self._encoder.close()
        self._exports.close()
        self._region.finish()
        self._leave_mode()
        self.presenter.close()
        self._layers.close()
        self._anatomy.window_level.always = False
        self._anatomy.window_level.target = None
        self._anatomy.release("dock")
        self.session.clear()
        self.engines.clear()
        self._images.clear()
        self._shown = None

    @property
    def is_waiting(self) -> bool:
        """Whether anything is still to be updated, encoded, rendered or written."""
        return self._scheduled or self._encoder.is_running or self._exports.is_running

    # what happens

    def schedule(self) -> None:
        """Ask for an update before the next drawing."""
        if not self._scheduled and not self._closed:
            self._scheduled = True
            self._update_requested.emit()

    def _on_setting(self, name: str) -> None:
        settings = self._dock.settings
        self._dismissed = False
        if name == "source":
            self._layers.choose(settings.source)
        elif name == "contrasts":
            self._layers.tick(settings.contrasts)
        elif name == "region" and settings.region is not RegionMode.RECTANGLE:
            self._dock.stop_drawing()
        elif name == "device":
            self._check_device(settings.device)
        if name in {"source", "model", "device"}:
            self.session.retry()
            self._cancelled = False
        self._fit_due = self._fit_due or name in FITTING
        self.schedule()

    def _check_device(self, device: str) -> None:
        """Refuse a device that this machine lacks; the one before stays."""
        from napari_metasr.zoom.devices import resolve_device

        try:
            resolve_device(device)
        except ValueError as error:
            self._dock.set_quietly(self._dock.device, self._device)
            show_error(str(error))
        else:
            self._device = device

    def _on_slice(self, event: Any = None) -> None:
        self.schedule()

    def _on_order(self, event: Any = None) -> None:
        self._fit_due = True
        self.schedule()

    def _on_size(self, event: Any = None) -> None:
        self._fit_due = self._fit_due or self._dock.settings.region is not RegionMode.CENTRE
        self.schedule()

    def _on_camera(self, event: Any = None) -> None:
        if not self._moving:
            self.schedule()

    def _on_layers(self, event: Any = None) -> None:
        self._listing_due = True
        self.schedule()

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        if self._region.removed(layer):
            self._dock.stop_drawing()
        if self.presenter.owns(layer):
            self._dismissed = True
        token = self._tokens.pop(layer, None)
        if token is not None:
            self._forget(token)
        self._on_layers()

    def _forget(self, token: int) -> None:
        """Free what belongs to a layer that is gone or has other numbers."""
        self.session.forget_layer(token)
        self._region.forget(token)
        self._images = {key: image for key, image in self._images.items() if key.layer != token}
        if self._shown is not None and self._shown[0].token == token:
            self._shown = None

    def _on_layer_changed(self, layer: Image) -> None:
        token = self._tokens.get(layer)
        if token is not None:
            self.session.forget_layer(token)
            self._images = {k: image for k, image in self._images.items() if k.layer != token}
        source = self._layers.source
        if source is not None and source.token == token:
            source.forget()
        self._on_layers()

    def _on_rectangle(self) -> None:
        self._fit_due = self._fit_due or not self._region.is_editing
        self.schedule()

    def _on_drawn(self) -> None:
        self._dock.stop_drawing()

    def _on_draw(self, drawing: bool) -> None:
        self._fit_due = True
        if drawing:
            combo = self._dock.region
            combo.setCurrentIndex(combo.findData(RegionMode.RECTANGLE))
        else:
            self._region.finish()
        self.schedule()

    def _on_plane(self, plane: str) -> None:
        from napari_metasr.volume import Plane

        dims = self._viewer.dims
        if dims.ndim < len(Plane):
            return
        first = dims.ndim - len(Plane)
        chosen = Plane(plane)
        spatial = (chosen.normal_axis, chosen.row_axis, chosen.column_axis)
        dims.order = (*range(first), *(first + axis for axis in spatial))

    def _on_swipe_slider(self, fraction: float) -> None:
        if isinstance(self._mode, Swipe):
            self._mode.fraction = fraction

    def _on_window_level(self, always: bool) -> None:
        self._anatomy.window_level.always = always

    def _on_convention(self, convention: str) -> None:
        self._anatomy.convention = convention

    def _on_keep(self) -> None:
        spec = self._exports_spec()
        if spec is not None:
            self._exports.keep(spec, self._mode)

    def _on_save(self) -> None:
        spec = self._exports_spec()
        if spec is not None:
            self._exports.save(spec)

    def _on_cancel(self) -> None:
        self._cancelled = True
        self._encoder.stop()
        self._exports.cancel()

    def _on_cursor(self, event: Any = None) -> None:
        source = self._layers.source
        if source is not None:
            self._dock.readout.show_cursor(source.describe(self._viewer.cursor.position))

    # what the worker says, in the GUI thread

    def _on_step(self, request: Request, step: Progress | SliceRead | SliceEncoded) -> None:
        if self._closed:
            return
        if isinstance(step, Progress):
            self._dock.show_busy(step.text + " …", busy=True)
        elif isinstance(step, SliceRead):
            if any(key == step.key for key, _ in request.windows) and not self._is_gone(step.key):
                self._images[step.key] = step.image
                self.schedule()
        elif not self._is_gone(step.key) and self.session.accept(request, step.key, step.encoded):
            self.schedule()
        if self.session.is_stale(request):
            self._encoder.stop()

    def _is_gone(self, key: SliceKey) -> bool:
        return key.layer not in self._tokens.values()

    def _on_warning(self, request: Request, text: str) -> None:
        source = self._layers.source
        if not self._closed and source is not None and not source.warned_missing:
            source.warned_missing = True
            show_warning(f"“{source.name}”: {text}")

    def _on_error(self, request: Request, error: Exception) -> None:
        if not self._closed:
            self.session.done(request, failed=True)
            show_error(f"Meta-SR Zoom: {error}")

    def _on_finished(self, request: Request) -> None:
        if self._closed:
            return
        self.session.done(request, failed=self._cancelled)
        self._dock.show_busy("Cancelled: bicubic is shown." if self._cancelled else "", busy=False)
        self._cancelled = False
        self.schedule()

    # the update

    def _update(self) -> None:
        """Bring everything on the screen in step with everything that is set."""
        self._scheduled = False
        if self._closed:
            return
        if self._listing_due:
            self._listing_due = False
            self._layers.refresh()
            self._fit_due = True
        source = self._layers.source
        if source is None:
            self._rest(NO_IMAGE)
        elif self._viewer.dims.ndisplay == 3:
            self._rest(PAUSED_3D)
        elif self._dismissed:
            self._rest(DISMISSED)
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
        self._leave_mode()
        self.presenter.close()
        self._wait(text)

    def _wait(self, text: str) -> None:
        self.session.want({})
        self._encoder.stop()
        self._shown = None
        self._dock.set_plane(None, enabled=False)
        self._dock.readout.show_reading(Reading())
        self._dock.show_notice(text)

    def _refuse(self, reason: str) -> None:
        self._rest(reason)
        if reason != self._complaint:
            self._complaint = reason
            show_warning(f"Meta-SR Zoom: {reason}")

    def _show(self, source: LayerSource, view: SliceView) -> None:
        settings, viewer = self._dock.settings, self._viewer
        drawing = self._dock.draw.isChecked()
        self._anatomy.window_level.target = weakref.ref(source.layer)
        self._dock.set_plane(view.plane, enabled=source.layer.ndim > len(view.axes))
        self._enter_mode(settings.comparison, drawing)
        sources = [source, *self._layers.ticked]
        for each in sources:
            self._tokens[each.layer] = each.token
        self.presenter.set_sources(sources if self._mode and self._mode.all_contrasts else [source])
        stage = self.presenter.stage
        if self._mode is not None:
            self._mode.update(stage)
        self._note_place(source, view)
        plan = self._plan(source, view, drawing)
        if drawing and not self._region.is_editing:
            self._region.edit(source, view)
        self._region.follow(view)
        if plan is None:
            self._dock.show_notice("The region is out of view.")
            return
        self._shown = (source, view, plan)
        self._render(view, plan, stage)

    def _note_place(self, source: LayerSource, view: SliceView) -> None:
        """On another slice, what failed on the last one may be tried again."""
        place = (source.token, view.axes, view.index)
        if place != self._place:
            self._place = place
            self.session.retry()
            self._images = {}

    def _enter_mode(self, title: str, drawing: bool) -> None:
        kind = Single if drawing else next(mode for mode in MODES if mode.title == title)
        if type(self._mode) is kind:
            return
        self._leave_mode()
        self._mode = Swipe(self._on_swiped) if kind is Swipe else kind()
        self._mode.enter(self.presenter.stage)
        self._fit_due = True

    def _on_swiped(self) -> None:
        if isinstance(self._mode, Swipe):
            self._dock.show_swipe(self._mode.fraction)
        self.schedule()

    def _leave_mode(self) -> None:
        if self._mode is not None:
            self._moving = True
            self._mode.leave()
            self._moving = False
            self._mode = None

    def viewport(self) -> Viewport:
        """The camera over the slice, as it is now."""
        camera = self._viewer.scene.camera
        height, width = self._viewer.canvas.viewbox_size(self._viewer.layers)
        return Viewport(
            (float(camera.center[-2]), float(camera.center[-1])),
            float(camera.zoom),
            (float(height), float(width)),
        )

    def _plan(self, source: LayerSource, view: SliceView, drawing: bool) -> Plan | None:
        settings, viewport = self._dock.settings, self.viewport()
        rectangle = self._region.window(source, view)
        if self._fit_due and not settings.follow_camera:
            if drawing:
                self._move(viewport.fitted((0.0, 0.0, *map(float, view.shape)), view))
            elif settings.move_camera:
                self._move(viewport.fitted(region_of(settings, viewport, view, rectangle), view))
            viewport = self.viewport()
        self._fit_due = False
        return make_plan(settings, viewport, view, rectangle)

    def _move(self, viewport: Viewport) -> None:
        camera = self._viewer.scene.camera
        self._moving = True
        camera.center, camera.zoom = viewport.centre, viewport.zoom
        self._moving = False

    def _render(self, view: SliceView, plan: Plan, stage: Stage) -> None:
        settings = self._dock.settings
        model, device = settings.model, settings.device
        keys = {
            pair.source: SliceKey(pair.source.token, view.axes, view.index, model, device)
            for pair in stage.pairs
        }
        self._read(keys, view)
        wanted: dict[SliceKey, Window] = {}
        if plan.magnifies:
            wanted = dict.fromkeys(keys.values(), plan.window)
        request = self.session.want(wanted)
        started = time.perf_counter()
        encoded = {}
        for source, key in keys.items():
            encoded[source] = self.session.ready(key, plan.window) if plan.magnifies else None
        self.presenter.show(
            view,
            plan,
            {source: self._images.get(key) for source, key in keys.items()},
            encoded,
            self.engines.loaded(model, device),
            title=self._cards[model].title,
            mode=self._mode,
        )
        seconds = time.perf_counter() - started
        if self._mode is not None:
            self._mode.update(stage)
        if request is not None:
            self._start(request, keys, view)
        elif self.session.running is not None and self.session.is_stale(self.session.running):
            self._encoder.stop()
        self._tell(view, plan, encoded, seconds)

    def _read(self, keys: dict[LayerSource, SliceKey], view: SliceView) -> None:
        """Read slices that are in memory; lazy ones are read by the worker."""
        for source, key in keys.items():
            if key not in self._images and not source.is_lazy:
                self._images[key] = source.read(view)

    def _start(
        self, request: Request, keys: dict[LayerSource, SliceKey], view: SliceView
    ) -> None:
        sources = {key: source for source, key in keys.items()}
        jobs = [
            Job(
                key,
                window,
                sources[key],
                view,
                self._images.get(key),
                self.session.get(key),
            )
            for key, window in request.windows
        ]
        self._dock.show_busy("Encoding …", busy=True)
        self._encoder.start(request, jobs)

    def _exports_spec(self) -> Any:
        if self._shown is None:
            show_warning("Meta-SR Zoom: there is no result to keep or save yet.")
            return None
        source, view, plan = self._shown
        settings = self._dock.settings
        key = SliceKey(source.token, view.axes, view.index, settings.model, settings.device)
        return self._exports.spec(key, source, view, plan, self._cards[settings.model].title)

    def _tell(
        self, view: SliceView, plan: Plan, encoded: dict[LayerSource, Any], seconds: float
    ) -> None:
        settings = self._dock.settings
        card = self._cards[settings.model]
        engine = self.engines.loaded(settings.model, settings.device)
        times = [one.encode_seconds for one in encoded.values() if one is not None]
        scale_y, scale_x = plan.grid.true_scale
        source = next(iter(encoded))
        self._dock.readout.show_reading(
            Reading(
                scale=plan.grid.true_scale,
                spacing=(abs(view.scale[0]) / scale_y, abs(view.scale[1]) / scale_x),
                unit=source.unit(view),
                encode_seconds=sum(times) if times else None,
                render_seconds=seconds,
                device=engine.device.upper() if engine is not None else "",
            )
        )
        self._dock.scale.slider.set_trained(*card.trained_scales)
        self._dock.show_notice(self._notice(plan, card, [one.name for one in encoded]))

    def _notice(self, plan: Plan, card: ModelCard, names: list[str]) -> str:
        low, high = card.trained_scales
        texts = []
        if not plan.magnifies:
            texts.append(
                "Less than one screen pixel per voxel: nothing to super-resolve. Zoom in."
            )
        elif not low <= min(plan.grid.true_scale) <= max(plan.grid.true_scale) <= high:
            texts.append(f"Beyond the trained range (×{low:g} to ×{high:g}): extrapolated.")
        if not plan.complete:
            texts.append("Too large to render whole: only the middle is shown. Zoom in.")
        texts.append(contrast_notice(names, card.trained_contrasts, card.title))
        return " ".join(text for text in texts if text)
